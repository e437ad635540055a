import { orderIdOf } from './order.ts'
import type { CapturePayment } from './command.ts'
import type { Payment, PaymentReason } from './payment.ts'

/** Money as it comes. `reason` null: it gets goods. */
export function newPayment(command: CapturePayment, reason: PaymentReason | null, createdMs: number): Payment {
  return {
    id: command.paymentId,
    provider: command.provider,
    providerPaymentId: command.providerPaymentId,
    holdId: command.holdId,
    orderId: reason === null ? orderIdOf(command.paymentId) : null,
    amountMinor: command.amountMinor,
    currency: command.currency,
    status: reason === null ? 'captured' : reason === 'unknown_hold' ? 'unmatched' : 'refund_due',
    reason,
    createdMs,
    attachedHoldId: null,
    refundedMinor: 0,
    disputedMinor: 0,
    lostMinor: 0,
  }
}
