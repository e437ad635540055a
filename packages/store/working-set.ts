import { paymentKey } from '@penstock/domain/payment.ts'
import { ChangedRows } from './changed-rows.ts'
import { WebhookChanges } from './webhook-changes.ts'
import { paymentIdOf } from '@penstock/domain/order.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { Checkout } from '@penstock/domain/checkout.ts'
import type { BuyerUnits } from '@penstock/domain/customer.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { OrderChange } from '@penstock/domain/order.ts'
import type { OutboxEvent } from '@penstock/domain/outbox-event.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { WaitingFact } from '@penstock/domain/provider-fact.ts'
import type { LineRefund, Refund } from '@penstock/domain/refund.ts'
import type { RequestRecord, WorkingSet } from '@penstock/domain/working-set.ts'
import type { LoadRow } from './changed-rows.ts'
import type { WebhookSource } from './webhook-changes.ts'

/** Where a working set gets the rows it does not have yet. */
export interface RowSource {
  readonly drops: LoadRow<Drop>
  readonly skus: LoadRow<Sku>
  readonly holds: LoadRow<Hold>
  readonly payments: LoadRow<Payment>
  readonly orderChanges: LoadRow<OrderChange>
  readonly refunds: LoadRow<Refund>
  readonly lineRefunds: LoadRow<LineRefund>
  readonly disputes: LoadRow<Dispute>
  readonly waitingFacts: LoadRow<WaitingFact>
  readonly checkouts: LoadRow<Checkout>
  readonly buyers: LoadRow<BuyerUnits>
  readonly codeUses: LoadRow<CodeUse>
  readonly requests: LoadRow<RequestRecord>
  readonly paymentKeys: LoadRow<string>
  /** From the id of an order to that of its payment, where it does not follow (`paymentIdOf`): in old databases. */
  readonly orderAliases: LoadRow<string>
  readonly disputeKeys: LoadRow<string>
  readonly apiKeys: LoadRow<ApiKey>
  /** Keys of facts that wait for the payment with this key. */
  readonly waitingFactKeys: (paymentKey: string) => readonly string[]
  readonly holdsDue: (nowMs: number, max: number) => readonly string[]
  /** Ids of secret keys that are not revoked. */
  readonly secretKeyIds: () => readonly string[]
  readonly webhooks: WebhookSource
  /** 0 when there is no event. */
  readonly lastEventSeq: () => number
}

/** The working set every store uses: it collects changes, the store saves them. Discard it to roll back. */
export class ChangeSet implements WorkingSet {
  readonly drops: ChangedRows<Drop>
  readonly skus: ChangedRows<Sku>
  readonly holds: ChangedRows<Hold>
  readonly payments: ChangedRows<Payment>
  readonly orderChanges: ChangedRows<OrderChange>
  readonly refunds: ChangedRows<Refund>
  readonly lineRefunds: ChangedRows<LineRefund>
  readonly disputes: ChangedRows<Dispute>
  readonly waitingFacts: ChangedRows<WaitingFact>
  readonly checkouts: ChangedRows<Checkout>
  readonly buyers: ChangedRows<BuyerUnits>
  readonly codeUses: ChangedRows<CodeUse>
  readonly requests: ChangedRows<RequestRecord>
  readonly apiKeys: ChangedRows<ApiKey>
  readonly ledgerEntries: LedgerEntry[] = []
  readonly ledger = { append: (entry: LedgerEntry): void => void this.ledgerEntries.push(entry) }
  readonly outboxEvents: OutboxEvent[] = []
  readonly events = { append: (event: OutboxEvent): void => void this.outboxEvents.push(event) }
  readonly #source: RowSource
  #webhooks: WebhookChanges | null = null

  constructor(source: RowSource) {
    this.drops = new ChangedRows(source.drops)
    this.skus = new ChangedRows(source.skus)
    this.holds = new ChangedRows(source.holds)
    this.payments = new ChangedRows(source.payments)
    this.orderChanges = new ChangedRows(source.orderChanges)
    this.refunds = new ChangedRows(source.refunds)
    this.lineRefunds = new ChangedRows(source.lineRefunds)
    this.disputes = new ChangedRows(source.disputes)
    this.waitingFacts = new ChangedRows(source.waitingFacts)
    this.checkouts = new ChangedRows(source.checkouts)
    this.buyers = new ChangedRows(source.buyers)
    this.codeUses = new ChangedRows(source.codeUses)
    this.requests = new ChangedRows(source.requests)
    this.apiKeys = new ChangedRows(source.apiKeys)
    this.#source = source
  }

  get webhooks(): WebhookChanges {
    this.#webhooks ??= new WebhookChanges(this.#source.webhooks)
    return this.#webhooks
  }

  /** Null: no webhook changed. */
  get changedWebhooks(): WebhookChanges | null {
    return this.#webhooks?.isChanged === true ? this.#webhooks : null
  }

  lastEventSeq(): number {
    return this.#source.lastEventSeq() + this.outboxEvents.length
  }

  findPaymentKey(paymentId: string): string | undefined {
    return this.#source.paymentKeys(paymentId) ?? keyOf(this.payments.inserted, paymentId)
  }

  findOrderPaymentKey(orderId: string): string | undefined {
    return this.findPaymentKey(this.#source.orderAliases(orderId) ?? paymentIdOf(orderId))
  }

  findDisputeKey(disputeId: string): string | undefined {
    return this.#source.disputeKeys(disputeId) ?? keyOf(this.disputes.inserted, disputeId)
  }

  listWaitingFacts(key: string): readonly string[] {
    const stored = this.#source.waitingFactKeys(key)
    const { waitingFacts } = this
    if (!waitingFacts.isChanged) return stored
    const keys = new Set(stored)
    for (const rows of [waitingFacts.inserted, waitingFacts.updated]) {
      for (const [id, row] of rows) {
        const isOfPayment = row.isWaiting && paymentKey(row.provider, row.fact.providerPaymentId) === key
        if (isOfPayment) keys.add(id)
        else keys.delete(id)
      }
    }
    return [...keys]
  }

  /**
   * Holds that this batch has ended are passed over and do not count towards `max`: the same ids as if the batch had
   * been saved before. (A hold that it made is never due: its deadline is behind the batch's one `nowMs`.)
   */
  listHoldsDue(nowMs: number, max: number): readonly string[] {
    const { updated } = this.holds
    const ids = this.#source.holdsDue(nowMs, max + updated.size)
    if (updated.size === 0) return ids
    return ids.filter((id) => (updated.get(id)?.status ?? 'active') === 'active').slice(0, max)
  }

  listSecretKeys(): readonly ApiKey[] {
    const ids = [...this.#source.secretKeyIds(), ...this.apiKeys.inserted.keys()]
    return ids.flatMap((id) => {
      const apiKey = this.apiKeys.find(id)
      return apiKey !== undefined && apiKey.kind === 'secret' && apiKey.revokedMs === null ? [apiKey] : []
    })
  }

  get isChanged(): boolean {
    return (
      this.skus.isChanged ||
      this.holds.isChanged ||
      this.payments.isChanged ||
      this.drops.isChanged ||
      this.buyers.isChanged ||
      this.codeUses.isChanged ||
      this.requests.isChanged ||
      this.orderChanges.isChanged ||
      this.refunds.isChanged ||
      this.lineRefunds.isChanged ||
      this.disputes.isChanged ||
      this.waitingFacts.isChanged ||
      this.checkouts.isChanged ||
      this.apiKeys.isChanged ||
      this.ledgerEntries.length > 0 ||
      this.changedWebhooks !== null
    )
  }
}

/** The key of the row with this id among those of a batch, which are few. */
function keyOf(rows: ReadonlyMap<string, { readonly id: string }>, id: string): string | undefined {
  for (const [key, row] of rows) if (row.id === id) return key
  return undefined
}
