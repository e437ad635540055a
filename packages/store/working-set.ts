import { paymentIdOf } from '@penstock/domain/order.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { BuyerUnits } from '@penstock/domain/customer.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { OrderChange } from '@penstock/domain/order.ts'
import type { OutboxEvent } from '@penstock/domain/outbox-event.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { LineRefund, Refund } from '@penstock/domain/refund.ts'
import type { RequestRecord, Rows, WorkingSet } from '@penstock/domain/working-set.ts'

/** Finds a stored row by key, or undefined. */
export type LoadRow<Row> = (key: string) => Row | undefined

/**
 * One table of a working set: rows are loaded on first use, kept for the batch, and remembered as inserted or
 * updated. A row that was inserted and then updated in one batch is one insert.
 */
export class ChangedRows<Row> implements Rows<Row> {
  readonly inserted = new Map<string, Row>()
  readonly updated = new Map<string, Row>()
  /** Null: looked for, and not there. */
  readonly #loaded = new Map<string, Row | null>()
  readonly #load: LoadRow<Row>

  constructor(load: LoadRow<Row>) {
    this.#load = load
  }

  find(key: string): Row | undefined {
    const row = this.#loaded.get(key)
    if (row !== undefined) return row ?? undefined
    const stored = this.#load(key)
    this.#loaded.set(key, stored ?? null)
    return stored
  }

  insert(key: string, row: Row): void {
    if (this.find(key) !== undefined) throw new Error(`row ${key} is inserted although it exists`)
    this.#loaded.set(key, row)
    this.inserted.set(key, row)
  }

  update(key: string, row: Row): void {
    if (this.find(key) === undefined) throw new Error(`row ${key} is updated but does not exist`)
    this.#loaded.set(key, row)
    if (this.inserted.has(key)) this.inserted.set(key, row)
    else this.updated.set(key, row)
  }

  get isChanged(): boolean {
    return this.inserted.size > 0 || this.updated.size > 0
  }
}

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
  readonly buyers: LoadRow<BuyerUnits>
  readonly codeUses: LoadRow<CodeUse>
  readonly requests: LoadRow<RequestRecord>
  readonly paymentKeys: LoadRow<string>
  /** From the id of an order to that of its payment, where it does not follow (`paymentIdOf`): in old databases. */
  readonly orderAliases: LoadRow<string>
  readonly disputeKeys: LoadRow<string>
  readonly apiKeys: LoadRow<ApiKey>
  readonly holdsDue: (nowMs: number, max: number) => readonly string[]
  /** Ids of secret keys that are not revoked. */
  readonly secretKeyIds: () => readonly string[]
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
  readonly buyers: ChangedRows<BuyerUnits>
  readonly codeUses: ChangedRows<CodeUse>
  readonly requests: ChangedRows<RequestRecord>
  readonly apiKeys: ChangedRows<ApiKey>
  readonly ledgerEntries: LedgerEntry[] = []
  readonly ledger = { append: (entry: LedgerEntry): void => void this.ledgerEntries.push(entry) }
  readonly outboxEvents: OutboxEvent[] = []
  readonly events = { append: (event: OutboxEvent): void => void this.outboxEvents.push(event) }
  readonly #source: RowSource

  constructor(source: RowSource) {
    this.drops = new ChangedRows(source.drops)
    this.skus = new ChangedRows(source.skus)
    this.holds = new ChangedRows(source.holds)
    this.payments = new ChangedRows(source.payments)
    this.orderChanges = new ChangedRows(source.orderChanges)
    this.refunds = new ChangedRows(source.refunds)
    this.lineRefunds = new ChangedRows(source.lineRefunds)
    this.disputes = new ChangedRows(source.disputes)
    this.buyers = new ChangedRows(source.buyers)
    this.codeUses = new ChangedRows(source.codeUses)
    this.requests = new ChangedRows(source.requests)
    this.apiKeys = new ChangedRows(source.apiKeys)
    this.#source = source
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
      this.apiKeys.isChanged ||
      this.ledgerEntries.length > 0
    )
  }
}

/** The key of the row with this id among those of a batch, which are few. */
function keyOf(rows: ReadonlyMap<string, { readonly id: string }>, id: string): string | undefined {
  for (const [key, row] of rows) if (row.id === id) return key
  return undefined
}
