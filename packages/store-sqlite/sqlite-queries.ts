import { openReader } from './open.ts'
import {
  disputeColumns,
  dropColumns,
  holdColumns,
  orderColumns,
  paymentColumns,
  refundColumns,
  skuColumns,
  toDispute,
  toDrop,
  toHold,
  toOrder,
  toPayment,
  toRefund,
  toSku,
} from './rows.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { CodeUse } from '@penstock/domain/code.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { OrderFacts } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { LineRefund, Refund } from '@penstock/domain/refund.ts'
import type { Balance, CatalogueSnapshot, Credential, DropWithSkus, Page, Queries } from '@penstock/store/queries.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { DisputeRow, DropRow, HoldRow, OrderRow, PaymentRow, RefundRow, SkuRow } from './rows.ts'

/** An order, its hold, what was refunded of its payment, and of which SKUs. */
const orderFacts = `SELECT ${qualify('o', orderColumns)}, ${qualify('h', holdColumns)}, p.refunded,
    (SELECT json_group_array(json_array(sku_id, paid_quantity, refunded_quantity, restocked_quantity))
     FROM order_line_refund WHERE order_id = o.id)
  FROM orders o JOIN hold h ON h.id = o.hold_id JOIN payment p ON p.id = o.payment_id`
const orderColumnCount = orderColumns.split(',').length
const holdColumnCount = holdColumns.split(',').length

type OrderFactsRow = readonly unknown[]

/** `Queries` on this process's own read-only connection. Statements are prepared once and never left open. */
export class SqliteQueries implements Queries {
  readonly #db: Connection
  readonly #seq: Statement<[], number>
  readonly #drops: Statement<[], DropRow>
  readonly #skus: Statement<[string], SkuRow>
  readonly #hold: Statement<[string], HoldRow>
  readonly #order: Statement<[string], OrderFactsRow>
  readonly #ordersNewest: Statement<[number], OrderFactsRow>
  readonly #ordersBefore: Statement<[string, number], OrderFactsRow>
  readonly #ordersAfter: Statement<[string, number], OrderFactsRow>
  readonly #payment: Statement<[string], PaymentRow>
  readonly #refund: Statement<[string], RefundRow>
  readonly #dispute: Statement<[string], DisputeRow>
  readonly #balances: Statement<[], Balance>
  readonly #codeUses: Statement<[string], CodeUse>
  readonly #credential: Statement<[string], Credential>

  constructor(path: string) {
    const db = openReader(path)
    this.#db = db
    this.#seq = db.prepare<[], number>('SELECT seq FROM writer_state').pluck()
    this.#drops = db.prepare<[], DropRow>(`SELECT ${dropColumns} FROM drops ORDER BY id`).raw()
    this.#skus = db.prepare<[string], SkuRow>(`SELECT ${skuColumns} FROM sku WHERE drop_id = ? ORDER BY position`).raw()
    this.#hold = db.prepare<[string], HoldRow>(`SELECT ${holdColumns} FROM hold WHERE id = ?`).raw()
    this.#order = db.prepare<[string], OrderFactsRow>(`${orderFacts} WHERE o.id = ?`).raw()
    this.#ordersNewest = db.prepare<[number], OrderFactsRow>(`${orderFacts} ORDER BY o.id DESC LIMIT ?`).raw()
    this.#ordersBefore = db
      .prepare<[string, number], OrderFactsRow>(`${orderFacts} WHERE o.id < ? ORDER BY o.id DESC LIMIT ?`)
      .raw()
    this.#ordersAfter = db
      .prepare<[string, number], OrderFactsRow>(`${orderFacts} WHERE o.id > ? ORDER BY o.id LIMIT ?`)
      .raw()
    this.#payment = db.prepare<[string], PaymentRow>(`SELECT ${paymentColumns} FROM payment WHERE id = ?`).raw()
    this.#refund = db.prepare<[string], RefundRow>(`SELECT ${refundColumns} FROM refund WHERE id = ?`).raw()
    this.#dispute = db.prepare<[string], DisputeRow>(`SELECT ${disputeColumns} FROM dispute WHERE id = ?`).raw()
    this.#balances = db.prepare<[], Balance>(
      'SELECT account, currency, balance AS balanceMinor FROM ledger_balance ORDER BY account, currency',
    )
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

  findOrder(id: string): OrderFacts | null {
    const row = this.#order.get(id)
    return row === undefined ? null : toOrderFacts(row)
  }

  listOrders({ limit, startingAfter, endingBefore }: Page): readonly OrderFacts[] {
    if (startingAfter !== null) return this.#ordersBefore.all(startingAfter, limit).map(toOrderFacts)
    if (endingBefore !== null) return this.#ordersAfter.all(endingBefore, limit).map(toOrderFacts).toReversed()
    return this.#ordersNewest.all(limit).map(toOrderFacts)
  }

  findPayment(id: string): Payment | null {
    const row = this.#payment.get(id)
    return row === undefined ? null : toPayment(row)
  }

  findRefund(id: string): Refund | null {
    const row = this.#refund.get(id)
    return row === undefined ? null : toRefund(row)
  }

  findDispute(id: string): Dispute | null {
    const row = this.#dispute.get(id)
    return row === undefined ? null : toDispute(row)
  }

  listBalances(): readonly Balance[] {
    return this.#balances.all()
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

function toOrderFacts(row: OrderFactsRow): OrderFacts {
  const order = toOrder(row.slice(0, orderColumnCount) as unknown as OrderRow)
  const [refundedMinor, lines] = row.slice(orderColumnCount + holdColumnCount) as [number, string]
  return {
    order,
    hold: toHold(row.slice(orderColumnCount) as unknown as HoldRow),
    refundedMinor,
    lineRefunds: lines === '[]' ? [] : toLineRefunds(order.id, lines),
  }
}

function toLineRefunds(orderId: string, json: string): LineRefund[] {
  const lines = JSON.parse(json) as [string, number, number, number][]
  return lines.map(([skuId, paidQuantity, refundedQuantity, restockedQuantity]) => {
    return { orderId, skuId, paidQuantity, refundedQuantity, restockedQuantity }
  })
}

function qualify(table: string, columns: string): string {
  return columns
    .split(', ')
    .map((column) => `${table}.${column}`)
    .join(', ')
}
