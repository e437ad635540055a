import type { CodeUse } from '@penstock/domain/code.ts'
import type { BuyerUnits } from '@penstock/domain/customer.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { Order } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
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
  readonly buyers: LoadRow<BuyerUnits>
  readonly codeUses: LoadRow<CodeUse>
  readonly requests: LoadRow<RequestRecord>
  readonly holdsDue: (nowMs: number, max: number) => readonly string[]
}

/** The working set every store uses: it collects changes, the store saves them. Discard it to roll back. */
export class ChangeSet implements WorkingSet {
  readonly drops: ChangedRows<Drop>
  readonly skus: ChangedRows<Sku>
  readonly holds: ChangedRows<Hold>
  readonly payments: ChangedRows<Payment>
  readonly orders: ChangedRows<Order>
  readonly buyers: ChangedRows<BuyerUnits>
  readonly codeUses: ChangedRows<CodeUse>
  readonly requests: ChangedRows<RequestRecord>
  readonly ledgerEntries: LedgerEntry[] = []
  readonly ledger = { append: (entry: LedgerEntry): void => void this.ledgerEntries.push(entry) }
  readonly #holdsDue: RowSource['holdsDue']

  constructor(source: RowSource) {
    this.drops = new ChangedRows(source.drops)
    this.skus = new ChangedRows(source.skus)
    this.holds = new ChangedRows(source.holds)
    this.payments = new ChangedRows(source.payments)
    // Orders are only ever inserted here; their ids are new by construction, and the primary key insists.
    this.orders = new ChangedRows<Order>(() => undefined)
    this.buyers = new ChangedRows(source.buyers)
    this.codeUses = new ChangedRows(source.codeUses)
    this.requests = new ChangedRows(source.requests)
    this.#holdsDue = source.holdsDue
  }

  /**
   * Holds that this batch has ended are passed over and do not count towards `max`: the same ids as if the batch had
   * been saved before. (A hold that it made is never due: its deadline is behind the batch's one `nowMs`.)
   */
  listHoldsDue(nowMs: number, max: number): readonly string[] {
    const { updated } = this.holds
    const ids = this.#holdsDue(nowMs, max + updated.size)
    if (updated.size === 0) return ids
    return ids.filter((id) => (updated.get(id)?.status ?? 'active') === 'active').slice(0, max)
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
      this.orders.isChanged ||
      this.ledgerEntries.length > 0
    )
  }
}
