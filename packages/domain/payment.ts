import type { Currency } from './money.ts'

/**
 * What became of the money when it came. captured: goods were assigned. refund_due: money came, goods did not, it goes
 * back. unmatched: money for a hold we do not know; a seller decides (`attach_payment`, or a refund).
 */
export type PaymentFate = 'captured' | 'refund_due' | 'unmatched'

/** What the API shows, derived by `paymentStatus`. */
export const paymentStatuses = [
  'captured',
  'refund_due',
  'unmatched',
  'partially_refunded',
  'refunded',
  'disputed',
] as const

export type PaymentStatus = (typeof paymentStatuses)[number]

/** Why money came without goods, in the order in which `capture_payment` checks. */
export const paymentReasons = [
  'unknown_hold',
  'currency_mismatch',
  'amount_mismatch',
  'hold_already_captured',
  'hold_expired',
  'hold_released',
  'sold_out',
  'limit_reached',
] as const

export type PaymentReason = (typeof paymentReasons)[number]

/** Money that arrived. Unique per (provider, providerPaymentId). */
export interface Payment {
  readonly id: string
  readonly provider: string
  readonly providerPaymentId: string
  /** As the provider reported it. */
  readonly holdId: string
  /** Follows from `id` (`orderIdOf`), but for some orders of old databases. Null: there is none. */
  readonly orderId: string | null
  readonly amountMinor: number
  readonly currency: Currency
  /** `captured` exactly when there is an order. */
  readonly status: PaymentFate
  /** Null exactly when there is an order. */
  readonly reason: PaymentReason | null
  readonly createdMs: number
  /** The hold a seller attached an unmatched payment to, or null. */
  readonly attachedHoldId: string | null
  /** Refunds that are pending or succeeded. `refundedMinor + disputedMinor <= amountMinor`, always. */
  readonly refundedMinor: number
  /** Disputes that are open or lost. */
  readonly disputedMinor: number
  /** Of `disputedMinor`, what is lost for good. */
  readonly lostMinor: number
}

/** The natural key of a payment; provider names have no `/` (schema). */
export function paymentKey(provider: string, providerPaymentId: string): string {
  return `${provider}/${providerPaymentId}`
}

/** The hold this money is for, as far as we know. */
export function paidHoldId({ holdId, attachedHoldId }: Pick<Payment, 'holdId' | 'attachedHoldId'>): string {
  return attachedHoldId ?? holdId
}

/** What may still be refunded or disputed. */
export function amountLeft({ amountMinor, refundedMinor, disputedMinor }: Payment): number {
  return amountMinor - refundedMinor - disputedMinor
}

/** A dispute, open or lost, outshines refunds: the seller has to look. Money that is due stays so until all is back. */
export function paymentStatus({ status, amountMinor, refundedMinor, disputedMinor }: Payment): PaymentStatus {
  if (disputedMinor > 0) return 'disputed'
  if (refundedMinor === 0) return status
  if (refundedMinor === amountMinor) return 'refunded'
  return status === 'captured' ? 'partially_refunded' : status
}
