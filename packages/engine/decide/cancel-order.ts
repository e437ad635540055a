import { amountLeft } from '@penstock/domain/payment.ts'
import { rejected } from '@penstock/domain/result.ts'
import { changeOrder, findOrder, lineRefundsOf, orderSaved, paymentOf } from '../order-facts.ts'
import { planRefund, startRefund } from '../refund.ts'
import type { CancelOrder } from '@penstock/domain/command.ts'
import type { Order } from '@penstock/domain/order.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Ends an order and refunds what is left of it: money that is neither refunded nor disputed, and all units not
 * refunded yet. One that was cancelled before is answered as it is; one that was fulfilled can only be refunded.
 */
export function cancelOrder(set: WorkingSet, command: CancelOrder, nowMs: number): Result {
  const order = findOrder(set, command.orderId)
  if (order === undefined) return rejected('not_found', 'id', `There is no order ${command.orderId}.`)
  if (order.cancelledMs !== null) return orderSaved(set, order)
  if (order.fulfilledMs !== null) {
    return rejected('invalid_transition', 'id', 'A fulfilled order cannot be cancelled. Refund it instead.')
  }

  // Point of no return.
  refundTheRest(set, order, command, nowMs)
  const cancelled = changeOrder(set, order, { cancelledMs: nowMs })
  set.events.append({ type: 'order.cancelled', objectId: order.id, createdMs: nowMs })
  return orderSaved(set, cancelled)
}

function refundTheRest(set: WorkingSet, order: Order, command: CancelOrder, nowMs: number): void {
  const payment = paymentOf(set, order)
  const hasUnits = lineRefundsOf(set, payment).some((line) => line.refundedQuantity < line.paidQuantity)
  if (amountLeft(payment) === 0 && !hasUnits) return
  const { refundId, reason } = command
  const wish = { refundId, amountMinor: null, lines: null, restock: command.restock && hasUnits, reason }
  const planned = planRefund(set, payment, wish, nowMs)
  if ('outcome' in planned) throw new Error(`what is left of ${order.id} cannot be refunded: ${planned.detail}`)
  startRefund(set, payment, planned, nowMs)
}
