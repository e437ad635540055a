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
import type { StoredAnswer } from '@penstock/domain/working-set.ts'
import type { RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { DropRow, HoldRow, PaymentRow, SkuRow } from './rows.ts'

/** Drops and SKUs kept in memory; beyond it the memory is forgotten and filled again. */
const cachedRowsMax = 100_000

/**
 * The writer's reads: rows by primary key, on its own connection and so inside its own transaction. Drops and SKUs stay
 * in memory between batches, which is safe because this process is the only writer (and is fenced when it is not).
 */
export class RowLoader implements RowSource {
  readonly drops: RowSource['drops']
  readonly skus: RowSource['skus']
  readonly holds: RowSource['holds']
  readonly payments: RowSource['payments']
  readonly buyers: RowSource['buyers']
  readonly requests: RowSource['requests']
  readonly holdsDue: RowSource['holdsDue']
  readonly #drops = new Map<string, Drop>()
  readonly #skus = new Map<string, Sku>()

  constructor(db: Connection) {
    const drop = db.prepare<[string], DropRow>(`SELECT ${dropColumns} FROM drops WHERE id = ?`).raw()
    const skuIds = db.prepare<[string], string>('SELECT id FROM sku WHERE drop_id = ? ORDER BY position').pluck()
    const sku = db.prepare<[string], SkuRow>(`SELECT ${skuColumns} FROM sku WHERE id = ?`).raw()
    const hold = db.prepare<[string], HoldRow>(`SELECT ${holdColumns} FROM hold WHERE id = ?`).raw()
    const payment = db
      .prepare<[string, string], PaymentRow>(
        `SELECT ${paymentColumns} FROM payment WHERE provider_payment_id = ? AND provider = ?`,
      )
      .raw()
    const buyer = db.prepare<[string], number>('SELECT units FROM buyer_units WHERE id = ?').pluck()
    const request = db
      .prepare<[string], readonly [string, StoredAnswer['kind'], string, number]>(
        'SELECT fingerprint, answer_kind, answer, created_ms FROM request WHERE id = ?',
      )
      .raw()
    const due = db
      .prepare<[number, number], string>(
        `SELECT id FROM hold WHERE status = 'active' AND expires_ms <= ? ORDER BY expires_ms LIMIT ?`,
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
      const row = hold.get(id)
      return row && toHold(row)
    }
    this.payments = (key) => {
      const slash = key.indexOf('/')
      const row = payment.get(key.slice(slash + 1), key.slice(0, slash))
      return row && toPayment(row)
    }
    this.buyers = (id) => {
      const units = buyer.get(id)
      return units === undefined ? undefined : { id, units }
    }
    this.requests = (id) => {
      const row = request.get(id)
      return row && { id, fingerprint: row[0], answer: toAnswer(row[1], row[2]), createdMs: row[3] }
    }
    this.holdsDue = (nowMs, max) => due.all(nowMs, max)
  }

  /** After a commit, and only then: the rows in memory become the committed ones. */
  keep(drops: Iterable<Drop>, skus: Iterable<Sku>): void {
    if (this.#drops.size + this.#skus.size > cachedRowsMax) {
      this.#drops.clear()
      this.#skus.clear()
    }
    for (const drop of drops) this.#drops.set(drop.id, drop)
    for (const sku of skus) this.#skus.set(sku.id, sku)
  }
}
