import { expect, it } from 'vitest'
import { orderIdOf, orderOf, orderStatus, paymentIdOf, refundedByLine, unchangedOrder } from './order.ts'
import { testHold } from './test-hold.ts'
import type { Order, OrderChange, OrderFacts, OrderStatus } from './order.ts'
import type { Payment } from './payment.ts'

const hold = testHold({
  lines: [
    { skuId: 'sku_a', quantity: 2, unitAmountMinor: 10 },
    { skuId: 'sku_b', quantity: 1, unitAmountMinor: 70 },
    { skuId: 'sku_a', quantity: 1, unitAmountMinor: 10 },
  ],
  createdMs: 0,
  expiresMs: 1,
  status: 'captured',
})

function facts(refundedMinor: number, unitsRefunded: number, change: Partial<Order> = {}): OrderFacts {
  const order: Order = {
    id: 'ord_1',
    dropId: 'drop_1',
    holdId: 'hold_1',
    paymentId: 'pay_1',
    amountMinor: 100,
    currency: 'usd',
    createdMs: 0,
    cancelledMs: null,
    fulfilledMs: null,
    ...change,
  }
  const line = { orderId: 'ord_1', skuId: 'sku_a', paidQuantity: 3, restockedQuantity: 0 }
  return { order, hold, refundedMinor, lineRefunds: [{ ...line, refundedQuantity: unitsRefunded }] }
}

it.each<[string, OrderFacts, OrderStatus]>([
  ['cancelled, whatever else', facts(100, 3, { cancelledMs: 1 }), 'cancelled'],
  ['untouched', facts(0, 0), 'paid'],
  ['fulfilled', facts(0, 0, { fulfilledMs: 1 }), 'fulfilled'],
  ['fulfilled and partly refunded', facts(1, 0, { fulfilledMs: 1 }), 'partially_refunded'],
  ['refunded in part', facts(99, 0), 'partially_refunded'],
  ['without some of its units', facts(0, 1), 'partially_refunded'],
  ['refunded in full', facts(100, 0, { fulfilledMs: 1 }), 'refunded'],
  ['free and without its units', facts(0, 3, { amountMinor: 0 }), 'partially_refunded'],
])('orderStatus of an order that is %s', (_, order, expected) => {
  expect(orderStatus(order)).toBe(expected)
})

it.each([
  [0, [0, 0, 0]],
  [1, [1, 0, 0]],
  [2, [2, 0, 0]],
  [3, [2, 0, 1]],
])('refundedByLine fills two lines of one SKU one after the other: %i', (units, expected) => {
  expect(refundedByLine(facts(0, units))).toEqual(expected)
})

it('orderIdOf gives the id of the payment another prefix, and paymentIdOf takes it back', () => {
  const paymentId = 'pay_01fwhe4ydgfk1shh6w1g60eecf'
  expect(orderIdOf(paymentId)).toBe('ord_01fwhe4ydgfk1shh6w1g60eecf')
  expect(paymentIdOf(orderIdOf(paymentId))).toBe(paymentId)
})

const payment: Payment = {
  id: 'pay_1',
  provider: 'manual',
  providerPaymentId: 'p',
  holdId: 'hold_1',
  orderId: 'ord_1',
  amountMinor: 100,
  currency: 'usd',
  status: 'captured',
  reason: null,
  createdMs: 5,
  attachedHoldId: null,
  refundedMinor: 0,
  disputedMinor: 0,
  lostMinor: 0,
}

it.each<[string, Partial<Payment>, Partial<OrderChange> | undefined, Partial<Order>]>([
  ['a payment', {}, undefined, {}],
  ['a payment of a time when orders had ids of their own', { orderId: 'ord_x' }, undefined, { id: 'ord_x' }],
  [
    'a payment that was attached later',
    { holdId: 'hold_x', attachedHoldId: 'hold_1' },
    { createdMs: 9 },
    { createdMs: 9 },
  ],
  ['an order that changed', {}, { cancelledMs: 7, fulfilledMs: 6 }, { cancelledMs: 7, fulfilledMs: 6 }],
])('orderOf follows from %s', (_, paid, change, expected) => {
  const { order } = facts(0, 0, { createdMs: 5, ...expected })
  expect(orderOf({ ...payment, ...paid }, hold, change && { ...unchangedOrder('pay_1'), ...change })).toEqual(order)
})

it('orderOf gives null for money without goods', () => {
  const due: Payment = { ...payment, orderId: null, status: 'refund_due', reason: 'sold_out' }
  expect(orderOf(due, hold, undefined)).toBeNull()
})
