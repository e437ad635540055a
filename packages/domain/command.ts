import type { ApiKeyKind, ApiKeyUse, Scope } from './api-key.ts'
import type { Customer } from './customer.ts'
import type { DisputeStatus } from './dispute.ts'
import type { Drop, DropAction, LatePayment, Sku } from './drop.ts'
import type { FeeRule } from './fee.ts'
import type { Currency } from './money.ts'
import type { LaterFact, ProviderName } from './provider-fact.ts'
import type { RefundLine, RefundStatus } from './refund.ts'
import type { WebhookDisabledReason, WebhookEndpoint, WebhookOutcome } from './webhook.ts'

/**
 * A write intent. Commands are complete: ids, secrets and codes were minted by the HTTP process, so that deciding a
 * command twice over the same state gives the same bytes. What a command lacks is the time: the writer adds one
 * `nowMs` per batch.
 */
export type Command =
  | CreateDrop
  | UpdateDrop
  | ChangeDropPhase
  | RestockSku
  | CreateHold
  | ReleaseHold
  | ExpireHolds
  | CapturePayment
  | AttachPayment
  | CreateRefund
  | SettleRefund
  | OpenDispute
  | CloseDispute
  | TakeFact
  | OpenCheckout
  | CloseCheckout
  | CancelOrder
  | FulfilOrder
  | UseCode
  | EraseCustomer
  | CreateKey
  | RollKey
  | RevokeKey
  | TouchKeys
  | CreateWebhookEndpoint
  | UpdateWebhookEndpoint
  | DeleteWebhookEndpoint
  | RotateWebhookSecret
  | RetryWebhookDelivery
  | ReplayWebhookEvents
  | RecordWebhookOutcomes

export type CommandKind = Command['kind']

/**
 * The client's Idempotency-Key, made opaque: `id` is a hash of (credential, route, key), `fingerprint` a hash of the
 * request. Same id and same fingerprint: the same answer. Same id, other fingerprint: refused (promise P3).
 *
 * Null where the command is its own key: a create command without a client's key is recognised by the id it
 * minted, so the HTTP process may send it again after the writer died.
 */
export interface RequestKey {
  readonly id: string
  readonly fingerprint: string
}

export type NewSku = Pick<Sku, 'id' | 'name' | 'unitAmountMinor' | 'stock' | 'maxPerOrder'>

/** What has to have a key, because its effect has no other name by which a repeat could be told. */
type KeyedCommand = Exclude<Command, { readonly key: null }>
type LastingKind = {
  [Kind in KeyedCommand['kind']]: null extends Extract<KeyedCommand, { kind: Kind }>['key'] ? never : Kind
}[KeyedCommand['kind']]

const lastingKinds: Readonly<Record<LastingKind, true> & Partial<Record<CommandKind, true>>> = {
  restock_sku: true,
  // Sent again with its key after any time, it must not pay twice.
  create_refund: true,
  use_code: true,
}

/**
 * Whether the request of such a command is remembered for ever. Others are forgotten after `requestRetentionMs`: a
 * payment that is reported again later is found by its own id, and what else is repeated then is a new request.
 */
export function isLasting(kind: CommandKind): boolean {
  return lastingKinds[kind] === true
}

/** Makes a drop in draft. Accepted: `drop_saved`. Refused: never, but for its key. */
export interface CreateDrop {
  readonly kind: 'create_drop'
  readonly key: RequestKey | null
  readonly dropId: string
  readonly name: string
  readonly description: string | null
  readonly image: string | null
  readonly currency: Currency
  /** Null: now. */
  readonly startsAtMs: number | null
  readonly endsAtMs: number | null
  readonly holdTtlMs: number
  readonly maxPerCustomer: number | null
  readonly latePayment: LatePayment
  readonly fees: readonly FeeRule[]
  readonly metadata: Readonly<Record<string, string>>
  readonly skus: readonly NewSku[]
}

/** The fields a seller may change at any time; absent fields stay. */
export type DropChanges = Partial<
  Pick<
    Drop,
    | 'name'
    | 'description'
    | 'image'
    | 'startsAtMs'
    | 'endsAtMs'
    | 'holdTtlMs'
    | 'maxPerCustomer'
    | 'latePayment'
    | 'fees'
    | 'metadata'
  >
>

/** A change of one SKU; null: as it is. Prices and limits apply to new holds only. Stock changes by `restock_sku`. */
export interface SkuChange {
  readonly skuId: string
  readonly name: string | null
  readonly unitAmountMinor: number | null
  /** 0 takes the limit away. */
  readonly maxPerOrder: number | null
}

/** Changes a drop, its SKUs' names and prices, and adds SKUs. Accepted: `drop_saved`. */
export interface UpdateDrop {
  readonly kind: 'update_drop'
  readonly key: RequestKey | null
  readonly dropId: string
  readonly changes: DropChanges
  readonly skuChanges: readonly SkuChange[]
  readonly newSkus: readonly NewSku[]
}

/** Accepted: `drop_saved`. Refused: `not_found`, `invalid_transition`. */
export interface ChangeDropPhase {
  readonly kind: 'change_drop_phase'
  readonly key: RequestKey | null
  readonly dropId: string
  readonly action: DropAction
}

/** Adds units (or takes unsold ones away, when negative). Not repeatable by nature, so it always has a key. */
export interface RestockSku {
  readonly kind: 'restock_sku'
  readonly key: RequestKey
  readonly dropId: string
  readonly skuId: string
  readonly quantity: number
}

export interface WantedLine {
  readonly skuId: string
  readonly quantity: number
}

/** Proof that a caller may touch a hold: its client secret, or null for a seller's secret key, which needs none. */
export type HoldProof = string | null

/** Claims units. Accepted: `hold_created`. */
export interface CreateHold {
  readonly kind: 'create_hold'
  readonly key: RequestKey | null
  readonly holdId: string
  readonly clientSecret: string
  readonly dropId: string
  readonly lines: readonly WantedLine[]
  readonly customer: Customer
  /** A hold of the same buyer that this one takes the place of, in one commit. */
  readonly replace: { readonly holdId: string; readonly proof: HoldProof } | null
}

/** Gives units back before the deadline. Accepted: `hold_released`, also when it was released before. */
export interface ReleaseHold {
  readonly kind: 'release_hold'
  readonly key: RequestKey | null
  readonly holdId: string
  readonly proof: HoldProof
}

/** The writer's own command: ends holds past their deadline, at most `expiriesPerCommandMax` of them. */
export interface ExpireHolds {
  readonly kind: 'expire_holds'
  readonly key: null
}

/** Money arrived for a hold. Always accepted (`payment_recorded`), except for a contradiction (`payment_conflict`). */
export interface CapturePayment {
  readonly kind: 'capture_payment'
  readonly key: RequestKey | null
  readonly paymentId: string
  readonly holdId: string
  readonly provider: string
  readonly providerPaymentId: string
  readonly amountMinor: number
  readonly currency: Currency
}

/** Gives an unmatched payment the hold it belongs to. Accepted: `payment_attached`; refused when it gets no goods. */
export interface AttachPayment {
  readonly kind: 'attach_payment'
  readonly key: RequestKey | null
  readonly paymentId: string
  readonly holdId: string
}

/** Sends money back. Accepted: `refund_saved`. Refused: `not_found`, `invalid_request`, `refund_too_large`. */
export interface CreateRefund {
  readonly kind: 'create_refund'
  readonly key: RequestKey | null
  readonly refundId: string
  readonly paymentId: string
  /** Null: the price of `lines`, or all that is left when these are null, too. */
  readonly amountMinor: number | null
  /** Null: no units with an amount, all that are left without one. */
  readonly lines: readonly RefundLine[] | null
  readonly restock: boolean
  readonly reason: string | null
}

/** What the provider made of a pending refund. Accepted: `refund_saved`, also when it had this status before. */
export interface SettleRefund {
  readonly kind: 'settle_refund'
  readonly key: RequestKey | null
  readonly refundId: string
  readonly status: Exclude<RefundStatus, 'pending'>
}

/** A bank took money back. Accepted: `dispute_saved`. */
export interface OpenDispute {
  readonly kind: 'open_dispute'
  readonly key: RequestKey | null
  readonly disputeId: string
  readonly paymentId: string
  readonly providerDisputeId: string
  /** Null: all that is left. */
  readonly amountMinor: number | null
  readonly reason: string | null
}

/** Accepted: `dispute_saved`, also when it had this status before. */
export interface CloseDispute {
  readonly kind: 'close_dispute'
  readonly key: RequestKey | null
  readonly disputeId: string
  readonly status: Exclude<DisputeStatus, 'open'>
}

/**
 * A provider says how a refund or a dispute stands. Always accepted (`fact_taken`): what cannot be applied waits. Facts
 * may come in any order and repeatedly; the rows end the same.
 */
export interface TakeFact {
  readonly kind: 'take_fact'
  readonly key: RequestKey | null
  readonly provider: ProviderName
  readonly fact: LaterFact
  /** Of our refund or dispute, should it be new: made from the provider's id of it, so that every report brings the same. */
  readonly objectId: string
}

/** A payment was opened at a provider for a hold. Accepted: `checkout_saved`, the first one of this hold and provider. */
export interface OpenCheckout {
  readonly kind: 'open_checkout'
  readonly key: RequestKey | null
  readonly holdId: string
  readonly provider: ProviderName
  readonly providerPaymentId: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly url: string | null
  readonly clientSecret: string | null
  readonly expiresMs: number
}

/**
 * Nobody can pay this any more. Accepted: `checkout_closed`. The hold is released when it is active and no other
 * checkout of it is open; otherwise its deadline ends it.
 */
export interface CloseCheckout {
  readonly kind: 'close_checkout'
  readonly key: RequestKey | null
  readonly holdId: string
  readonly provider: ProviderName
  readonly providerPaymentId: string
}

/** Ends an order and refunds what is left of it. Accepted: `order_saved`, also when it was cancelled before. */
export interface CancelOrder {
  readonly kind: 'cancel_order'
  readonly key: RequestKey | null
  readonly orderId: string
  /** The id of the refund, should there be one. */
  readonly refundId: string
  readonly restock: boolean
  readonly reason: string | null
}

/** The goods are on their way. Accepted: `order_saved`, also when it was fulfilled before. */
export interface FulfilOrder {
  readonly kind: 'fulfil_order'
  readonly key: RequestKey | null
  readonly orderId: string
}

/**
 * Somebody showed the code of a unit. Accepted: `code_activated`. Refused: `not_found`, `code_used`, `code_void`. Always has
 * a key: sent again without one after a writer restart, it would find itself.
 */
export interface UseCode {
  readonly kind: 'use_code'
  readonly key: RequestKey
  readonly orderId: string
  /** Of the order: its lines say which units there are. */
  readonly holdId: string
  /** From 0, over all lines in order. */
  readonly unit: number
}

/** Removes who the buyer of a hold, and so of its order, was. Accepted: `customer_erased`, also when it was done before. */
export interface EraseCustomer {
  readonly kind: 'erase_customer'
  readonly key: RequestKey | null
  readonly holdId: string
}

/** Makes an API key. Accepted: `api_key_saved`. Refused: `invalid_request` (an expiry in the past). */
export interface CreateKey {
  readonly kind: 'create_key'
  readonly key: RequestKey | null
  readonly apiKeyId: string
  readonly keyKind: ApiKeyKind
  readonly name: string | null
  readonly scopes: readonly Scope[]
  /** The clear text never leaves the HTTP process that made it. */
  readonly secretHash: string
  readonly hint: string
  readonly expiresAtMs: number | null
}

/** Replaces a key: a new one with the same rights; the old one ends `overlapMs` later. Accepted: `api_key_saved`, the new one. */
export interface RollKey {
  readonly kind: 'roll_key'
  readonly key: RequestKey | null
  readonly apiKeyId: string
  readonly newApiKeyId: string
  readonly secretHash: string
  readonly hint: string
  readonly overlapMs: number
}

/** Ends a key at once. Accepted: `api_key_saved`, also when it was revoked before. Refused: `not_found`, `last_secret_key`. */
export interface RevokeKey {
  readonly kind: 'revoke_key'
  readonly key: RequestKey | null
  readonly apiKeyId: string
}

/** An HTTP process reports the keys it has seen. Always accepted (`keys_touched`); keys that are gone are passed over. */
export interface TouchKeys {
  readonly kind: 'touch_keys'
  readonly key: null
  readonly uses: readonly ApiKeyUse[]
}

/** Makes an endpoint that is sent what happens from now on. Accepted: `webhook_endpoint_saved`. Refused: `too_many_endpoints`. */
export interface CreateWebhookEndpoint {
  readonly kind: 'create_webhook_endpoint'
  readonly key: RequestKey | null
  readonly endpointId: string
  readonly url: string
  readonly events: WebhookEndpoint['events']
  readonly description: string | null
  readonly secretId: string
  readonly secret: string
}

/** Accepted: `webhook_endpoint_saved`. Refused: `not_found`. */
export interface UpdateWebhookEndpoint {
  readonly kind: 'update_webhook_endpoint'
  readonly key: RequestKey | null
  readonly endpointId: string
  /** Absent fields stay. */
  readonly changes: Partial<Pick<WebhookEndpoint, 'url' | 'events' | 'description'>> & {
    readonly status?: 'enabled' | 'disabled'
  }
}

/** Accepted: `webhook_endpoint_saved`, also when it was deleted before. Its secrets are gone at once. */
export interface DeleteWebhookEndpoint {
  readonly kind: 'delete_webhook_endpoint'
  readonly key: RequestKey | null
  readonly endpointId: string
}

/** A new secret; those before it sign along for `overlapMs`. Accepted: `webhook_endpoint_saved`. Refused: `not_found`. */
export interface RotateWebhookSecret {
  readonly kind: 'rotate_webhook_secret'
  readonly key: RequestKey | null
  readonly endpointId: string
  readonly secretId: string
  readonly secret: string
  readonly overlapMs: number
}

/** Has a delivery tried at once, with a schedule of its own. Accepted: `webhook_delivery_saved`. Refused: `not_found`, `invalid_transition`. */
export interface RetryWebhookDelivery {
  readonly kind: 'retry_webhook_delivery'
  readonly key: RequestKey | null
  readonly endpointId: string
  readonly eventSeq: number
}

/** Sends the events of a range once more. Accepted: `webhook_endpoint_saved`. Refused: `not_found`, `invalid_transition`, `invalid_request`. */
export interface ReplayWebhookEvents {
  readonly kind: 'replay_webhook_events'
  readonly key: RequestKey | null
  readonly endpointId: string
  readonly fromSeq: number
  readonly toSeq: number
}

/**
 * The courier reports what became of events at one endpoint. Always accepted (`webhook_outcomes_saved`); of a deleted
 * endpoint nothing is kept. Harmless to repeat.
 */
export interface RecordWebhookOutcomes {
  readonly kind: 'record_webhook_outcomes'
  readonly key: null
  readonly endpointId: string
  /** See `WebhookEndpoint`; it never goes back. */
  readonly cursorSeq: number
  /** Where the replay to `replay.toSeq` goes on; behind its end when it is done. Null: there is none. */
  readonly replay: WebhookEndpoint['replay']
  readonly failingSinceMs: number | null
  /** Why the endpoint is to be disabled, if it is. */
  readonly disable: Exclude<WebhookDisabledReason, 'seller'> | null
  readonly outcomes: readonly WebhookOutcome[]
}
