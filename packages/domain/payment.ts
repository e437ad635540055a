import type { Currency } from './money.ts'

/**
 * captured: goods were assigned. refund_due: money came, goods did not, it goes back. unmatched: money for a hold we
 * do not know; a seller decides.
 */
export type PaymentStatus = 'captured' | 'refund_due' | 'unmatched'

export const paymentStatuses: readonly PaymentStatus[] = ['captured', 'refund_due', 'unmatched']

/** Why money came without goods, in the order in which `capture_payment` checks. */
export type PaymentReason =
  | 'unknown_hold'
  | 'currency_mismatch'
  | 'amount_mismatch'
  | 'hold_already_captured'
  | 'hold_expired'
  | 'hold_released'
  | 'sold_out'
  | 'limit_reached'

/** Money that arrived. Unique per (provider, providerPaymentId). */
export interface Payment {
  readonly id: string
  readonly provider: string
  readonly providerPaymentId: string
  readonly holdId: string
  readonly orderId: string | null
  readonly amountMinor: number
  readonly currency: Currency
  readonly status: PaymentStatus
  readonly reason: PaymentReason | null
  readonly createdMs: number
}

/** The natural key of a payment; provider names have no `/` (schema). */
export function paymentKey(provider: string, providerPaymentId: string): string {
  return `${provider}/${providerPaymentId}`
}
