import type { Currency } from './money.ts'
import type { ProviderName } from './provider-fact.ts'

/**
 * A payment that was opened at a provider for a hold, kept so that the provider can be asked about it when it never
 * reports. One for each hold and provider. Whether it was paid is not here but follows from the payment.
 */
export interface Checkout {
  readonly holdId: string
  readonly provider: ProviderName
  readonly providerPaymentId: string
  readonly amountMinor: number
  readonly currency: Currency
  /** The page to send the buyer to, or null. */
  readonly url: string | null
  /** For the provider's own library in the buyer's browser, or null. */
  readonly clientSecret: string | null
  readonly createdMs: number
  readonly expiresMs: number
  /** closed: the provider said that nobody can pay it any more, or nothing is to be asked about it. */
  readonly state: 'open' | 'closed'
}

/** The key of a checkout; hold ids have no space. */
export function checkoutKey(holdId: string, provider: string): string {
  return `${holdId} ${provider}`
}
