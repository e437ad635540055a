import { DeferredIndex } from './deferred-index.ts'
import {
  dropColumns,
  holdColumns,
  paymentColumns,
  skuColumns,
  toAnswer,
  toDrop,
  toHold,
  toPayment,
  toSku,
} from './rows.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { StoredAnswer } from '@penstock/domain/working-set.ts'
import type { ChangeSet, RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { DropRow, HoldRow, PaymentRow, SkuRow } from './rows.ts'

/** Drops and SKUs kept in memory; beyond it the memory is forgotten and filled again. */
const cachedRowsMax = 100_000

/** Active holds kept in memory, the newest: most are paid within minutes, and their payment needs them again. */
const cachedHoldsMax = 32_768

/** What deferred indexes find rows by, as SQL over the columns of their table. */
export const paymentKeySql = "provider || '/' || provider_payment_id"
export const requestKeySql = 'id'

/**
 * The writer's reads: rows by key, on its own connection and so inside its own transaction. Drops, SKUs and new holds
 * stay in memory between batches, which is safe because this process is the only writer (and is fenced when it is not).
 */
export class RowLoader implements RowSource {
  readonly drops: RowSource['drops']
  readonly skus: RowSource['skus']
  readonly holds: RowSource['holds']
  readonly payments: RowSource['payments']
  readonly buyers: RowSource['buyers']
  readonly requests: RowSource['requests']
  readonly holdsDue: RowSource['holdsDue']
  /** Keyed by `paymentKey(provider, providerPaymentId)`. */
  readonly paymentIndex: DeferredIndex
  readonly requestIndex: DeferredIndex
  readonly #drops = new Map<string, Drop>()
  readonly #skus = new Map<string, Sku>()
  readonly #holds = new Map<string, Hold>()

  constructor(db: Connection) {
    this.paymentIndex = new DeferredIndex(db, { name: 'payment', key: paymentKeySql })
    this.requestIndex = new DeferredIndex(db, { name: 'request', key: requestKeySql })
    const drop = db.prepare<[string], DropRow>(`SELECT ${dropColumns} FROM drops WHERE id = ?`).raw()
    const skuIds = db.prepare<[string], string>('SELECT id FROM sku WHERE drop_id = ? ORDER BY position').pluck()
    const sku = db.prepare<[string], SkuRow>(`SELECT ${skuColumns} FROM sku WHERE id = ?`).raw()
    const hold = db.prepare<[string], HoldRow>(`SELECT ${holdColumns} FROM hold WHERE id = ?`).raw()
    const payment = db.prepare<[number], PaymentRow>(`SELECT ${paymentColumns} FROM payment WHERE seq = ?`).raw()
    const buyer = db.prepare<[string], number>('SELECT units FROM buyer_units WHERE id = ?').pluck()
    const request = db
      .prepare<[number], readonly [string, StoredAnswer['kind'], string, number]>(
        'SELECT fingerprint, answer_kind, answer, created_ms FROM request WHERE seq = ?',
      )
      .raw()
    const due = db
      .prepare<[number, number], string>(
        `SELECT id FROM hold WHERE status = 'active' AND expires_ms <= ? ORDER BY expires_ms, id LIMIT ?`,
      )
      .pluck()

    this.drops = (id) => {
      const cached = this.#drops.get(id)
      if (cached !== undefined) return cached
      const row = drop.get(id)
      if (row === undefined) return undefined
      const loaded = toDrop(row, skuIds.all(id))
      this.#drops.set(id, loaded)
      return loaded
    }
    this.skus = (id) => {
      const cached = this.#skus.get(id)
      if (cached !== undefined) return cached
      const row = sku.get(id)
      if (row === undefined) return undefined
      const loaded = toSku(row)
      this.#skus.set(id, loaded)
      return loaded
    }
    this.holds = (id) => {
      const cached = this.#holds.get(id)
      if (cached !== undefined) return cached
      const row = hold.get(id)
      return row && toHold(row)
    }
    this.payments = (key) => {
      const seq = this.paymentIndex.find(key)
      const row = seq === undefined ? undefined : payment.get(seq)
      return row && toPayment(row)
    }
    this.buyers = (id) => {
      const units = buyer.get(id)
      return units === undefined ? undefined : { id, units }
    }
    this.requests = (id) => {
      const seq = this.requestIndex.find(id)
      const row = seq === undefined ? undefined : request.get(seq)
      return row && { id, fingerprint: row[0], answer: toAnswer(row[1], row[2]), createdMs: row[3] }
    }
    this.holdsDue = (nowMs, max) => due.all(nowMs, max)
  }

  /** After a commit, and only then: the rows in memory become the committed ones. */
  keep({ drops, skus, holds }: ChangeSet): void {
    if (this.#drops.size + this.#skus.size > cachedRowsMax) {
      this.#drops.clear()
      this.#skus.clear()
    }
    for (const rows of [drops.inserted, drops.updated]) for (const drop of rows.values()) this.#drops.set(drop.id, drop)
    for (const rows of [skus.inserted, skus.updated]) for (const sku of rows.values()) this.#skus.set(sku.id, sku)
    // A hold that ended is seldom asked for again, and its row says how it ended.
    for (const id of holds.updated.keys()) this.#holds.delete(id)
    for (const hold of holds.inserted.values()) if (hold.status === 'active') this.#holds.set(hold.id, hold)
    if (this.#holds.size <= cachedHoldsMax) return
    for (const oldest of this.#holds.keys()) {
      this.#holds.delete(oldest)
      if (this.#holds.size <= cachedHoldsMax) return
    }
  }
}
