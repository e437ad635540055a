import { findRefund } from './find-row.ts'
import { disputeColumns, toDispute, toRefund } from './rows.ts'
import type { OrderChange } from '@penstock/domain/order.ts'
import type { LineRefund } from '@penstock/domain/refund.ts'
import type { RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { DisputeRow } from './rows.ts'

type MoneyRows =
  | 'orderChanges'
  | 'orderAliases'
  | 'refunds'
  | 'lineRefunds'
  | 'disputes'
  | 'paymentKeys'
  | 'disputeKeys'
  | 'codeUses'

/** The writer's reads for what comes after a payment: money that goes back, codes that are used. Seldom asked for, so nothing is kept in memory. */
export function loadMoney(db: Connection): Pick<RowSource, MoneyRows> {
  const orderChange = db.prepare<[string], OrderChange>(
    `SELECT payment_id AS paymentId, created_ms AS createdMs, cancelled_ms AS cancelledMs, fulfilled_ms AS fulfilledMs
     FROM order_change WHERE payment_id = ?`,
  )
  const orderAlias = db.prepare<[string], string>('SELECT payment_id FROM order_alias WHERE order_id = ?').pluck()
  const refund = findRefund(db)
  const lineRefund = db.prepare<[string, string], LineRefund>(
    `SELECT order_id AS orderId, sku_id AS skuId, paid_quantity AS paidQuantity,
       refunded_quantity AS refundedQuantity, restocked_quantity AS restockedQuantity
     FROM order_line_refund WHERE order_id = ? AND sku_id = ?`,
  )
  const dispute = db
    .prepare<[string, string], DisputeRow>(
      `SELECT ${disputeColumns} FROM dispute WHERE provider = ? AND provider_dispute_id = ?`,
    )
    .raw()
  const paymentKey = db
    .prepare<[string], string>("SELECT provider || '/' || provider_payment_id FROM payment WHERE id = ?")
    .pluck()
  const disputeKey = db
    .prepare<[string], string>("SELECT provider || '/' || provider_dispute_id FROM dispute WHERE id = ?")
    .pluck()
  const codeUse = db
    .prepare<[string, string], number>('SELECT used_ms FROM code_use WHERE order_id = ? AND unit = ?')
    .pluck()
  return {
    orderChanges: (paymentId) => orderChange.get(paymentId),
    orderAliases: (orderId) => orderAlias.get(orderId),
    refunds: (id) => {
      const row = refund.get(id)
      return row && toRefund(row)
    },
    // Neither ids nor provider names contain what separates the parts of these keys.
    lineRefunds: (key) => lineRefund.get(...splitAt(key, ' ')),
    disputes: (key) => {
      const row = dispute.get(...splitAt(key, '/'))
      return row && toDispute(row)
    },
    paymentKeys: (id) => paymentKey.get(id),
    disputeKeys: (id) => disputeKey.get(id),
    codeUses: (key) => {
      const [orderId, unit] = splitAt(key, ' ')
      const usedMs = codeUse.get(orderId, unit)
      return usedMs === undefined ? undefined : { orderId, unit: Number(unit), usedMs }
    },
  }
}

/** The two parts of a key around its first separator. */
function splitAt(key: string, separator: string): [string, string] {
  const at = key.indexOf(separator)
  return [key.slice(0, at), key.slice(at + 1)]
}
