import { openReader } from './open.ts'
import {
  dropColumns,
  holdColumns,
  orderWithHoldColumns,
  skuColumns,
  toDrop,
  toHold,
  toOrderWithHold,
  toSku,
} from './rows.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { CatalogueSnapshot, Credential, DropWithSkus, OrderWithHold, Queries } from '@penstock/store/queries.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { DropRow, HoldRow, SkuRow } from './rows.ts'

/** `Queries` on this process's own read-only connection. Statements are prepared once and never left open. */
export class SqliteQueries implements Queries {
  readonly #db: Connection
  readonly #seq: Statement<[], number>
  readonly #drops: Statement<[], DropRow>
  readonly #skus: Statement<[string], SkuRow>
  readonly #hold: Statement<[string], HoldRow>
  readonly #order: Statement<[string], unknown[]>
  readonly #credential: Statement<[string], Credential>

  constructor(path: string) {
    const db = openReader(path)
    this.#db = db
    this.#seq = db.prepare<[], number>('SELECT seq FROM writer_state').pluck()
    this.#drops = db.prepare<[], DropRow>(`SELECT ${dropColumns} FROM drops ORDER BY id`).raw()
    this.#skus = db.prepare<[string], SkuRow>(`SELECT ${skuColumns} FROM sku WHERE drop_id = ? ORDER BY position`).raw()
    this.#hold = db.prepare<[string], HoldRow>(`SELECT ${holdColumns} FROM hold WHERE id = ?`).raw()
    this.#order = db
      .prepare<[string], unknown[]>(
        `SELECT ${orderWithHoldColumns} FROM orders o JOIN hold h ON h.id = o.hold_id WHERE o.id = ?`,
      )
      .raw()
    this.#credential = db.prepare<[string], Credential>('SELECT id, kind FROM api_key WHERE secret_hash = ?')
  }

  readSeq(): number {
    return this.#seq.get() ?? 0
  }

  listDrops(): CatalogueSnapshot {
    const read = this.#db.transaction(() => ({
      seq: this.readSeq(),
      drops: this.#drops.all().map((row) => this.#withSkus(row)),
    }))
    return read()
  }

  findHold(id: string): Hold | null {
    const row = this.#hold.get(id)
    return row === undefined ? null : toHold(row)
  }

  findOrder(id: string): OrderWithHold | null {
    const row = this.#order.get(id)
    return row === undefined ? null : toOrderWithHold(row)
  }

  findCredential(secretHash: string): Credential | null {
    return this.#credential.get(secretHash) ?? null
  }

  close(): void {
    this.#db.close()
  }

  #withSkus(row: DropRow): DropWithSkus {
    const skus = this.#skus.all(row[0]).map(toSku)
    return {
      drop: toDrop(
        row,
        skus.map((sku) => sku.id),
      ),
      skus,
    }
  }
}
