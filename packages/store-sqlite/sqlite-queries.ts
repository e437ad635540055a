import { openReader } from './open.ts'
import { dropColumns, holdColumns, orderColumns, skuColumns, toDrop, toHold, toOrder, toSku } from './rows.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type {
  CatalogueSnapshot,
  Credential,
  DropWithSkus,
  OrderWithHold,
  Page,
  Queries,
} from '@penstock/store/queries.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { DropRow, HoldRow, OrderRow, SkuRow } from './rows.ts'

const orderWithHold = `SELECT ${qualify('o', orderColumns)}, ${qualify('h', holdColumns)}
  FROM orders o JOIN hold h ON h.id = o.hold_id`
const orderColumnCount = orderColumns.split(',').length

type OrderWithHoldRow = readonly unknown[]

/** `Queries` on this process's own read-only connection. Statements are prepared once and never left open. */
export class SqliteQueries implements Queries {
  readonly #db: Connection
  readonly #seq: Statement<[], number>
  readonly #drops: Statement<[], DropRow>
  readonly #skus: Statement<[string], SkuRow>
  readonly #hold: Statement<[string], HoldRow>
  readonly #order: Statement<[string], OrderWithHoldRow>
  readonly #ordersNewest: Statement<[number], OrderWithHoldRow>
  readonly #ordersBefore: Statement<[string, number], OrderWithHoldRow>
  readonly #ordersAfter: Statement<[string, number], OrderWithHoldRow>
  readonly #codeUses: Statement<[string], CodeUse>
  readonly #credential: Statement<[string], Credential>

  constructor(path: string) {
    const db = openReader(path)
    this.#db = db
    this.#seq = db.prepare<[], number>('SELECT seq FROM writer_state').pluck()
    this.#drops = db.prepare<[], DropRow>(`SELECT ${dropColumns} FROM drops ORDER BY id`).raw()
    this.#skus = db.prepare<[string], SkuRow>(`SELECT ${skuColumns} FROM sku WHERE drop_id = ? ORDER BY position`).raw()
    this.#hold = db.prepare<[string], HoldRow>(`SELECT ${holdColumns} FROM hold WHERE id = ?`).raw()
    this.#order = db.prepare<[string], OrderWithHoldRow>(`${orderWithHold} WHERE o.id = ?`).raw()
    this.#ordersNewest = db.prepare<[number], OrderWithHoldRow>(`${orderWithHold} ORDER BY o.id DESC LIMIT ?`).raw()
    this.#ordersBefore = db
      .prepare<[string, number], OrderWithHoldRow>(`${orderWithHold} WHERE o.id < ? ORDER BY o.id DESC LIMIT ?`)
      .raw()
    this.#ordersAfter = db
      .prepare<[string, number], OrderWithHoldRow>(`${orderWithHold} WHERE o.id > ? ORDER BY o.id LIMIT ?`)
      .raw()
    this.#codeUses = db.prepare<[string], CodeUse>(
      'SELECT order_id AS orderId, unit, used_ms AS usedMs FROM code_use WHERE order_id = ? ORDER BY unit',
    )
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

  listOrders({ limit, startingAfter, endingBefore }: Page): readonly OrderWithHold[] {
    if (startingAfter !== null) return this.#ordersBefore.all(startingAfter, limit).map(toOrderWithHold)
    if (endingBefore !== null) return this.#ordersAfter.all(endingBefore, limit).map(toOrderWithHold).toReversed()
    return this.#ordersNewest.all(limit).map(toOrderWithHold)
  }

  listCodeUses(orderId: string): readonly CodeUse[] {
    return this.#codeUses.all(orderId)
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

function toOrderWithHold(row: OrderWithHoldRow): OrderWithHold {
  return {
    order: toOrder(row.slice(0, orderColumnCount) as unknown as OrderRow),
    hold: toHold(row.slice(orderColumnCount) as unknown as HoldRow),
  }
}

function qualify(table: string, columns: string): string {
  return columns
    .split(', ')
    .map((column) => `${table}.${column}`)
    .join(', ')
}
