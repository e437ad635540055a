import { lineRefundKey } from '@penstock/domain/refund.ts'
import { demandBySku } from './stock.ts'
import { found } from './found.ts'
import type { Order, OrderFacts } from '@penstock/domain/order.ts'
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

/** What of each SKU of an order was paid, refunded and restocked: zeros where nothing was refunded yet. */
export function lineRefundsOf(set: WorkingSet, order: Order): LineRefund[] {
  const { lines } = found(set.holds, order.holdId)
  return [...demandBySku(lines)].map(
    ([skuId, paidQuantity]) =>
      set.lineRefunds.find(lineRefundKey(order.id, skuId)) ?? {
        orderId: order.id,
        skuId,
        paidQuantity,
        refundedQuantity: 0,
        restockedQuantity: 0,
      },
  )
}

/** The answer of every command about an order: the order as it is now. */
export function orderSaved(set: WorkingSet, order: Order): OrderSaved {
  const facts: OrderFacts = {
    order,
    hold: found(set.holds, order.holdId),
    refundedMinor: paymentOf(set, order).refundedMinor,
    lineRefunds: lineRefundsOf(set, order).filter((line) => line.refundedQuantity > 0),
  }
  return { outcome: 'order_saved', ...facts, replayed: false }
}
