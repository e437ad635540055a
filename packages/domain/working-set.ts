import type { CodeUse } from './code.ts'
import type { ApiKey } from './api-key.ts'
import type { Checkout } from './checkout.ts'
import type { BuyerUnits } from './customer.ts'
import type { Dispute } from './dispute.ts'
import type { Drop, Sku } from './drop.ts'
import type { Hold } from './hold.ts'
import type { LedgerEntry } from './ledger-entry.ts'
import type { OutboxEvent } from './outbox-event.ts'
import type { OrderChange } from './order.ts'
import type { Payment } from './payment.ts'
import type { WaitingFact } from './provider-fact.ts'
import type { LineRefund, Refund } from './refund.ts'
import type { WebhookDelivery, WebhookEndpoint, WebhookSecrets } from './webhook.ts'

/**
 * The rows a batch of commands touches, as `decide` sees them: what earlier commands of the batch wrote is visible
 * to later ones. Synchronous and without I/O of its own; the store fills it and saves what changed. Rows are never
 * mutated: a change is a new row.
 */
export interface WorkingSet {
  readonly drops: Rows<Drop>
  readonly skus: Rows<Sku>
  readonly holds: Rows<Hold>
  /** Keyed by `paymentKey(provider, providerPaymentId)`. */
  readonly payments: Rows<Payment>
  /** Keyed by the id of the payment. Orders themselves follow from payments, holds and these. */
  readonly orderChanges: Rows<OrderChange>
  readonly refunds: Rows<Refund>
  /** Keyed by `lineRefundKey(orderId, skuId)`. */
  readonly lineRefunds: Rows<LineRefund>
  /** Keyed by `disputeKey(provider, providerDisputeId)`. */
  readonly disputes: Rows<Dispute>
  /** Keyed by `factKey(provider, fact)`. */
  readonly waitingFacts: Rows<WaitingFact>
  /** Keyed by `checkoutKey(holdId, provider)`. */
  readonly checkouts: Rows<Checkout>
  readonly buyers: Rows<BuyerUnits>
  /** Keyed by `codeUseKey(orderId, unit)`. */
  readonly codeUses: Pick<Rows<CodeUse>, 'find' | 'insert'>
  readonly requests: Pick<Rows<RequestRecord>, 'find' | 'insert'>
  readonly apiKeys: Rows<ApiKey>
  readonly webhooks: WebhookRows
  readonly ledger: { append(entry: LedgerEntry): void }
  readonly events: { append(event: OutboxEvent): void }
  /** The number of the last event, with those of this batch; 0 when there is none. */
  lastEventSeq(): number
  /** The key of the payment with this id. */
  findPaymentKey(paymentId: string): string | undefined
  /** The key of the payment whose order has this id, should it have one: ask the payment. */
  findOrderPaymentKey(orderId: string): string | undefined
  /** The key of the dispute with this id. */
  findDisputeKey(disputeId: string): string | undefined
  /** Keys of the facts that wait for this payment (`paymentKey`), in no order. Asked by every capture: almost always empty. */
  listWaitingFacts(paymentKey: string): readonly string[]
  /** Ids of holds that are active with a deadline at or before `nowMs`, oldest deadline first, at most `max`. */
  listHoldsDue(nowMs: number, max: number): readonly string[]
  /** Secret keys that are not revoked, expired ones included. A box has few; in no order. */
  listSecretKeys(): readonly ApiKey[]
}

/** The tables of webhooks: apart, because a sale does not touch them. */
export interface WebhookRows {
  readonly endpoints: Rows<WebhookEndpoint>
  /** Keyed by the id of the endpoint. */
  readonly secrets: Rows<WebhookSecrets>
  /** Keyed by `webhookDeliveryKey(endpointId, eventSeq)`. */
  readonly deliveries: Rows<WebhookDelivery>
  /** Those that are not deleted, at most `webhookEndpointsMax`, in no order. */
  listEndpoints(): readonly WebhookEndpoint[]
}

/** One table. A key is the row's `id`, except where the table says otherwise. */
export interface Rows<Row> {
  find(key: string): Row | undefined
  /** The key must be new. */
  insert(key: string, row: Row): void
  /** The key must exist. */
  update(key: string, row: Row): void
}

/**
 * A remembered request: enough to give the same answer again. Effects whose answer follows from rows that never
 * change (holds, payments) store a reference; the others store the answer itself.
 */
export interface RequestRecord {
  readonly id: string
  readonly fingerprint: string
  readonly createdMs: number
  /** Never forgotten: carried out again, the command would have its effect again. */
  readonly lasting: boolean
  readonly answer: StoredAnswer
}

export type StoredAnswer =
  | { readonly kind: 'hold'; readonly holdId: string }
  | { readonly kind: 'payment'; readonly paymentKey: string }
  /** A `Result` as JSON. */
  | { readonly kind: 'result'; readonly json: string }
