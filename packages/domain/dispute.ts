import type { Currency } from './money.ts'

/** open: the provider took the money back until it has decided. won: it came back. lost: it is gone. */
export const disputeStatuses = ['open', 'won', 'lost'] as const

export type DisputeStatus = (typeof disputeStatuses)[number]

/** A buyer's bank took money back (a chargeback). Unique per (provider, providerDisputeId). */
export interface Dispute {
  readonly id: string
  readonly paymentId: string
  /** That of the payment. */
  readonly provider: string
  readonly providerDisputeId: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly reason: string | null
  readonly createdMs: number
  readonly status: DisputeStatus
  /** Null while open. */
  readonly closedMs: number | null
}

/** The natural key of a dispute; provider names have no `/` (schema). */
export function disputeKey(provider: string, providerDisputeId: string): string {
  return `${provider}/${providerDisputeId}`
}
