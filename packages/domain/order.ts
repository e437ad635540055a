import { twinId } from './id.ts'
import { paidHoldId } from './payment.ts'
import type { Hold } from './hold.ts'
import type { Currency } from './money.ts'
import type { Payment } from './payment.ts'
import type { LineRefund } from './refund.ts'

/** What the API shows, derived by `orderStatus`. */
export const orderStatuses = ['paid', 'partially_refunded', 'refunded', 'cancelled', 'fulfilled'] as const

export type OrderStatus = (typeof orderStatuses)[number]

/** What a buyer owns: a captured payment (ADR 12). Lines and customer are those of its hold, which never change. */
export interface Order {
  readonly id: string
  readonly dropId: string
  readonly holdId: string
  readonly paymentId: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly createdMs: number
  readonly cancelledMs: number | null
  readonly fulfilledMs: number | null
}

/** What of an order does not follow from its payment and hold. Kept only where there is something to tell. */
export interface OrderChange {
  readonly paymentId: string
  /** When the payment was attached. Null: the order is as old as its payment. */
  readonly createdMs: number | null
  readonly cancelledMs: number | null
  readonly fulfilledMs: number | null
}

/** The id of the order that `paymentId` pays, should there be one. (Some orders of old databases have another.) */
export function orderIdOf(paymentId: string): string {
  return twinId('order', paymentId)
}

/** The payment whose order has the id `orderId`, should it have one. The reverse of `orderIdOf`. */
export function paymentIdOf(orderId: string): string {
  return twinId('payment', orderId)
}

export function unchangedOrder(paymentId: string): OrderChange {
  return { paymentId, createdMs: null, cancelledMs: null, fulfilledMs: null }
}

/** The order of a payment, or null where there is none. `hold` is that of `paidHoldId`. */
export function orderOf(payment: Payment, hold: Hold, change: OrderChange | undefined): Order | null {
  if (payment.orderId === null) return null
  return {
    id: payment.orderId,
    dropId: hold.dropId,
    holdId: paidHoldId(payment),
    paymentId: payment.id,
    amountMinor: payment.amountMinor,
    currency: payment.currency,
    createdMs: change?.createdMs ?? payment.createdMs,
    cancelledMs: change?.cancelledMs ?? null,
    fulfilledMs: change?.fulfilledMs ?? null,
  }
}

/** An order with everything its public form is made of. */
export interface OrderFacts {
  readonly order: Order
  readonly hold: Hold
  /** That of its payment. */
  readonly refundedMinor: number
  readonly lineRefunds: readonly LineRefund[]
}

export function orderStatus({ order, refundedMinor, lineRefunds }: OrderFacts): OrderStatus {
  if (order.cancelledMs !== null) return 'cancelled'
  const isTouched = refundedMinor > 0 || lineRefunds.some((line) => line.refundedQuantity > 0)
  if (!isTouched) return order.fulfilledMs === null ? 'paid' : 'fulfilled'
  return refundedMinor > 0 && refundedMinor === order.amountMinor ? 'refunded' : 'partially_refunded'
}

/** Refunded units of each line of the hold: two lines of one SKU are filled one after the other. */
export function refundedByLine({ hold, lineRefunds }: Pick<OrderFacts, 'hold' | 'lineRefunds'>): number[] {
  const left = new Map(lineRefunds.map((line) => [line.skuId, line.refundedQuantity]))
  return hold.lines.map(({ skuId, quantity }) => {
    const refunded = Math.min(quantity, left.get(skuId) ?? 0)
    left.set(skuId, (left.get(skuId) ?? 0) - refunded)
    return refunded
  })
}
