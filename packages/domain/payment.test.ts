import { expect, it } from 'vitest'
import { amountLeft, paymentStatus } from './payment.ts'
import type { Payment, PaymentFate, PaymentStatus } from './payment.ts'

function payment(status: PaymentFate, refundedMinor: number, disputedMinor: number): Payment {
  return {
    id: 'pay_1',
    provider: 'manual',
    providerPaymentId: 'p',
    holdId: 'hold_1',
    orderId: null,
    amountMinor: 100,
    currency: 'usd',
    status,
    reason: null,
    createdMs: 0,
    attachedHoldId: null,
    refundedMinor,
    disputedMinor,
    lostMinor: 0,
  }
}

it.each<[PaymentFate, number, number, PaymentStatus]>([
  ['captured', 99, 1, 'disputed'],
  ['refund_due', 0, 1, 'disputed'],
  ['captured', 0, 0, 'captured'],
  ['captured', 99, 0, 'partially_refunded'],
  ['captured', 100, 0, 'refunded'],
  ['refund_due', 0, 0, 'refund_due'],
  ['refund_due', 99, 0, 'refund_due'],
  ['refund_due', 100, 0, 'refunded'],
  ['unmatched', 0, 0, 'unmatched'],
  ['unmatched', 99, 0, 'unmatched'],
  ['unmatched', 100, 0, 'refunded'],
])('paymentStatus of %s with %i of 100 refunded and %i disputed is %s', (status, refunded, disputed, expected) => {
  expect(paymentStatus(payment(status, refunded, disputed))).toBe(expected)
})

it('paymentStatus of a payment of nothing is what became of it', () => {
  expect(paymentStatus({ ...payment('captured', 0, 0), amountMinor: 0 })).toBe('captured')
})

it('amountLeft is what is neither refunded nor disputed', () => {
  expect(amountLeft(payment('captured', 30, 20))).toBe(50)
})
