import { orderOf, unchangedOrder } from '@penstock/domain/order.ts'
import { paidHoldId } from '@penstock/domain/payment.ts'
import { lineRefundKey } from '@penstock/domain/refund.ts'
import { demandBySku } from '@penstock/domain/units.ts'
import { found } from './found.ts'
import type { Order, OrderChange, OrderFacts } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { LineRefund } from '@penstock/domain/refund.ts'
import type { OrderSaved } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** A payment by the id we gave it, or undefined. */
export function findPayment(set: WorkingSet, paymentId: string): Payment | undefined {
  const key = set.findPaymentKey(paymentId)
  return key === undefined ? undefined : set.payments.find(key)
}

/** The payment another row points to. */
export function paymentOf(set: WorkingSet, { paymentId }: { readonly paymentId: string }): Payment {
  const payment = findPayment(set, paymentId)
  if (payment === undefined) throw new Error(`payment ${paymentId} is missing although another row points to it`)
  return payment
}

export function findOrder(set: WorkingSet, orderId: string): Order | undefined {
  const key = set.findOrderPaymentKey(orderId)
  const payment = key === undefined ? undefined : set.payments.find(key)
  if (payment === undefined || payment.orderId !== orderId) return undefined
  return orderOf(payment, found(set.holds, paidHoldId(payment)), set.orderChanges.find(payment.id)) ?? undefined
}

/** The order with the change, which is saved. */
export function changeOrder(
  set: WorkingSet,
  order: Order,
  change: Partial<Pick<OrderChange, 'cancelledMs' | 'fulfilledMs'>>,
): Order {
  const { paymentId } = order
  const before = set.orderChanges.find(paymentId)
  if (before === undefined) set.orderChanges.insert(paymentId, { ...unchangedOrder(paymentId), ...change })
  else set.orderChanges.update(paymentId, { ...before, ...change })
  return { ...order, ...change }
}

/**
 * What of each SKU of a payment's order was paid, refunded and restocked: zeros where nothing was refunded yet. Empty when
 * there is no order.
 */
export function lineRefundsOf(set: WorkingSet, payment: Payment): LineRefund[] {
  const { orderId } = payment
  if (orderId === null) return []
  const { lines } = found(set.holds, paidHoldId(payment))
  return [...demandBySku(lines)].map(
    ([skuId, paidQuantity]) =>
      set.lineRefunds.find(lineRefundKey(orderId, skuId)) ?? {
        orderId,
        skuId,
        paidQuantity,
        refundedQuantity: 0,
        restockedQuantity: 0,
      },
  )
}

/** The answer of every command about an order: the order as it is now. */
export function orderSaved(set: WorkingSet, order: Order): OrderSaved {
  const payment = paymentOf(set, order)
  const facts: OrderFacts = {
    order,
    hold: found(set.holds, order.holdId),
    refundedMinor: payment.refundedMinor,
    lineRefunds: lineRefundsOf(set, payment).filter((line) => line.refundedQuantity > 0),
  }
  return { outcome: 'order_saved', ...facts, replayed: false }
}
