import type { DisputeStatus } from './dispute.ts'
import type { Currency } from './money.ts'
import type { RefundStatus } from './refund.ts'

/** Providers that report by webhook. Payments of other names are reported by the seller (`POST /v1/payments`). */
export const providerNames = ['stripe', 'payos', 'test'] as const

export type ProviderName = (typeof providerNames)[number]

/**
 * What a provider says is so, taken from its own object: amounts are what the object has, never a difference. So facts
 * may come late, twice and in any order.
 */
export type ProviderFact =
  | PaymentCapturedFact
  | PaymentFailedFact
  | PaymentCancelledFact
  | RefundFact
  | DisputeFact
  | IgnoredFact

/** The money is there. */
export interface PaymentCapturedFact {
  readonly kind: 'payment_captured'
  readonly providerPaymentId: string
  /** From the metadata `penstock_hold`, as it is there: it may name no hold. */
  readonly holdId: string
  readonly amountMinor: number
  readonly currency: Currency
}

/** An attempt failed; the buyer may try again, so it changes nothing. */
export interface PaymentFailedFact {
  readonly kind: 'payment_failed'
  readonly providerPaymentId: string
}

/** Nobody can pay this one any more. */
export interface PaymentCancelledFact {
  readonly kind: 'payment_cancelled'
  readonly providerPaymentId: string
  /** From the metadata `penstock_hold`. */
  readonly holdId: string
}

/** How a refund stands. `failed` is final, also after `succeeded`: a bank may send money back. */
export interface RefundFact {
  readonly kind: 'refund_updated'
  readonly providerPaymentId: string
  readonly providerRefundId: string
  /** From the metadata `penstock_refund`. Null: it was made at the provider, and not by us. */
  readonly refundId: string | null
  readonly amountMinor: number
  readonly currency: Currency
  readonly status: RefundStatus
  /** When the provider made it. */
  readonly createdMs: number
}

/** How a dispute stands: `dispute_opened` with status open, `dispute_closed` with won or lost, which are final. */
export interface DisputeFact {
  readonly kind: 'dispute_opened' | 'dispute_closed'
  readonly providerPaymentId: string
  readonly providerDisputeId: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly reason: string | null
  readonly status: DisputeStatus
  /** When the provider made it. */
  readonly createdMs: number
}

/** Nothing of ours. */
export interface IgnoredFact {
  readonly kind: 'ignored'
  /** One sentence for people. */
  readonly why: string
}

/** What of a payment comes after it, and may come before it is known. */
export type LaterFact = RefundFact | DisputeFact

/** A fact that cannot be applied yet: its payment is unknown, or the payment has no room for it now. */
export interface WaitingFact {
  readonly provider: string
  readonly fact: LaterFact
  /** The id our refund or dispute gets when it is applied. */
  readonly objectId: string
  readonly createdMs: number
  /** False: it was applied since. */
  readonly isWaiting: boolean
}

/** The provider's own id of the refund or dispute, unique for the provider. The key of a `WaitingFact`. */
export function factKey(provider: string, fact: LaterFact): string {
  return `${provider}/${fact.kind === 'refund_updated' ? fact.providerRefundId : fact.providerDisputeId}`
}

const ranks = { pending: 0, succeeded: 1, failed: 2, open: 0, won: 1, lost: 1 } as const

/** How far a refund or dispute has come. Nothing goes back: of two facts about one object the further one is true. */
export function factRank(status: RefundStatus | DisputeStatus): number {
  return ranks[status]
}
