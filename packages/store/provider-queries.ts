import type { Checkout } from '@penstock/domain/checkout.ts'
import type { ProviderName } from '@penstock/domain/provider-fact.ts'
import type { Refund } from '@penstock/domain/refund.ts'

/**
 * How the courier finds what providers are to be asked. Every call is one short statement over an index that ordinary
 * payments have no entry in, at most `limit` rows; the next page is behind the last row of the one before.
 */
export interface ProviderQueries {
  /** Money that came without goods, in the order in which it came, whatever became of it since. */
  listRefundDue(afterSeq: number, limit: number): readonly RefundDue[]
  /** Whether anybody began to give money of this payment back, whatever came of it. */
  hasRefund(paymentId: string): boolean
  /** Refunds that are pending, at whichever provider, the oldest first. */
  listPendingRefunds(after: Place, limit: number): readonly Refund[]
  /**
   * Checkouts of one provider that are open and were made before `createdBeforeMs`, the oldest first. Closing one takes it
   * off this list.
   */
  listOpenCheckouts(provider: ProviderName, after: Place, createdBeforeMs: number, limit: number): readonly Checkout[]
  close(): void
}

export interface RefundDue {
  /** Of the event `payment.refund_due`. */
  readonly seq: number
  readonly paymentId: string
}

/** Where a row is in a list by time. */
export interface Place {
  readonly createdMs: number
  /** Of the refund, or of the hold of a checkout. */
  readonly id: string
}

/** In front of every row. */
export const firstPlace: Place = { createdMs: 0, id: '' }
