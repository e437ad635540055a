import { BulkInsert } from './bulk-insert.ts'
import { disputeColumns, encodeRefundLines, orderChangeColumns, refundColumns } from './rows.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type { ChangeSet } from '@penstock/store/working-set.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { SqlValue } from './bulk-insert.ts'

/** Writes what a batch changed of money that goes back. After its payments are inserted. */
export class RefundSaver {
  readonly #updatePayment: Statement<[SqlValue[]]>
  readonly #upsertOrderChange: BulkInsert
  readonly #insertRefund: BulkInsert
  readonly #updateRefund: Statement<[string, number | null, string]>
  readonly #upsertLineRefund: BulkInsert
  readonly #insertDispute: BulkInsert
  readonly #updateDispute: Statement<[string, number | null, string]>

  constructor(db: Connection) {
    this.#updatePayment = db.prepare<[SqlValue[]]>(
      `UPDATE payment SET status = ?, reason = ?, attached_hold_id = ?, refunded = ?, disputed = ?,
       lost = ? WHERE id = ?`,
    )
    this.#upsertOrderChange = new BulkInsert(
      db,
      'order_change',
      orderChangeColumns,
      `ON CONFLICT (payment_id) DO UPDATE SET cancelled_ms = excluded.cancelled_ms, fulfilled_ms = excluded.fulfilled_ms`,
    )
    this.#insertRefund = new BulkInsert(db, 'refund', refundColumns)
    this.#updateRefund = db.prepare('UPDATE refund SET status = ?, settled_ms = ? WHERE id = ?')
    this.#upsertLineRefund = new BulkInsert(
      db,
      'order_line_refund',
      'order_id, sku_id, paid_quantity, refunded_quantity, restocked_quantity',
      `ON CONFLICT (order_id, sku_id) DO UPDATE SET refunded_quantity = excluded.refunded_quantity,
       restocked_quantity = excluded.restocked_quantity`,
    )
    this.#insertDispute = new BulkInsert(db, 'dispute', disputeColumns)
    this.#updateDispute = db.prepare('UPDATE dispute SET status = ?, closed_ms = ? WHERE id = ?')
  }

  save(set: ChangeSet): void {
    this.#savePayments(set)
    this.#saveOrderChanges(set)
    // Of a refund only its end ever changes, and the same is true of a dispute.
    this.#insertRefund.run([...set.refunds.inserted.values()].map(refundValues))
    for (const { id, status, settledMs } of set.refunds.updated.values()) this.#updateRefund.run(status, settledMs, id)
    const lines = [...set.lineRefunds.inserted.values(), ...set.lineRefunds.updated.values()]
    this.#upsertLineRefund.run(
      lines.map((line) => [line.orderId, line.skuId, line.paidQuantity, line.refundedQuantity, line.restockedQuantity]),
    )
    this.#insertDispute.run([...set.disputes.inserted.values()].map(disputeValues))
    for (const { id, status, closedMs } of set.disputes.updated.values()) this.#updateDispute.run(status, closedMs, id)
  }

  /** What changed since the payment was inserted, be it in this very batch. */
  #savePayments({ payments }: ChangeSet): void {
    const save = (payment: Payment): void => {
      const { id, status, reason, attachedHoldId, refundedMinor, disputedMinor, lostMinor } = payment
      this.#updatePayment.run([status, reason, attachedHoldId, refundedMinor, disputedMinor, lostMinor, id])
    }
    for (const payment of payments.inserted.values()) if (hasChanged(payment)) save(payment)
    for (const payment of payments.updated.values()) save(payment)
  }

  #saveOrderChanges({ orderChanges }: ChangeSet): void {
    if (!orderChanges.isChanged) return
    const rows = [...orderChanges.inserted.values(), ...orderChanges.updated.values()]
    this.#upsertOrderChange.run(
      rows.map(({ paymentId, createdMs, cancelledMs, fulfilledMs }) => [
        paymentId,
        createdMs,
        cancelledMs,
        fulfilledMs,
      ]),
    )
  }
}

/** Whether a payment is no longer as its insertion wrote it. */
function hasChanged({ attachedHoldId, refundedMinor, disputedMinor }: Payment): boolean {
  return attachedHoldId !== null || refundedMinor > 0 || disputedMinor > 0
}

function refundValues(refund: Refund): SqlValue[] {
  return [
    refund.id,
    refund.paymentId,
    refund.orderId,
    refund.amountMinor,
    refund.currency,
    encodeRefundLines(refund.lines),
    refund.restock ? 1 : 0,
    refund.reason,
    refund.createdMs,
    refund.status,
    refund.settledMs,
  ]
}

function disputeValues(dispute: Dispute): SqlValue[] {
  return [
    dispute.id,
    dispute.paymentId,
    dispute.provider,
    dispute.providerDisputeId,
    dispute.amountMinor,
    dispute.currency,
    dispute.reason,
    dispute.createdMs,
    dispute.status,
    dispute.closedMs,
  ]
}
