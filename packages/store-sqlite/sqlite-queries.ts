import { openReader } from './open.ts'
import {
  apiKeyColumns,
  decodeScopes,
  dropColumns,
  holdColumns,
  orderColumns,
  skuColumns,
  toApiKey,
  toDrop,
  toHold,
  toOrder,
  toSku,
} from './rows.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
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
import type { ApiKeyRow, DropRow, HoldRow, OrderRow, SkuRow } from './rows.ts'

const orderWithHold = `SELECT ${qualify('o', orderColumns)}, ${qualify('h', holdColumns)}
  FROM orders o JOIN hold h ON h.id = o.hold_id`
const orderColumnCount = orderColumns.split(',').length

type OrderWithHoldRow = readonly unknown[]

type CredentialRow = readonly [string, Credential['kind'], string, number | null]

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
  readonly #credential: Statement<[string], CredentialRow>
  readonly #apiKey: Statement<[string], ApiKeyRow>
  readonly #apiKeysNewest: Statement<[number], ApiKeyRow>
  readonly #apiKeysBefore: Statement<[string, number], ApiKeyRow>
  readonly #apiKeysAfter: Statement<[string, number], ApiKeyRow>

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
    this.#credential = db
      .prepare<[string], CredentialRow>(
        'SELECT id, kind, scopes, expires_ms FROM api_key WHERE secret_hash = ? AND revoked_ms IS NULL',
      )
      .raw()
    const apiKey = `SELECT ${apiKeyColumns} FROM api_key`
    this.#apiKey = db.prepare<[string], ApiKeyRow>(`${apiKey} WHERE id = ?`).raw()
    this.#apiKeysNewest = db.prepare<[number], ApiKeyRow>(`${apiKey} ORDER BY id DESC LIMIT ?`).raw()
    this.#apiKeysBefore = db
      .prepare<[string, number], ApiKeyRow>(`${apiKey} WHERE id < ? ORDER BY id DESC LIMIT ?`)
      .raw()
    this.#apiKeysAfter = db.prepare<[string, number], ApiKeyRow>(`${apiKey} WHERE id > ? ORDER BY id LIMIT ?`).raw()
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

  findCredential(secretHash: string): Credential | null {
    const row = this.#credential.get(secretHash)
    return row === undefined ? null : { id: row[0], kind: row[1], scopes: decodeScopes(row[2]), expiresMs: row[3] }
  }

  findApiKey(id: string): ApiKey | null {
    const row = this.#apiKey.get(id)
    return row === undefined ? null : toApiKey(row)
  }

  listApiKeys({ limit, startingAfter, endingBefore }: Page): readonly ApiKey[] {
    if (startingAfter !== null) return this.#apiKeysBefore.all(startingAfter, limit).map(toApiKey)
    if (endingBefore !== null) return this.#apiKeysAfter.all(endingBefore, limit).map(toApiKey).toReversed()
    return this.#apiKeysNewest.all(limit).map(toApiKey)
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
