/** Who takes the money. `test` only on a server in test mode. */
export type CheckoutProvider = 'stripe' | 'payos' | 'test'

/** A payment that was opened at a provider for a hold: the same one each time it is asked for. */
export interface Checkout {
  readonly object: 'checkout'
  readonly provider: CheckoutProvider
  readonly provider_payment_id: string
  readonly hold: string
  readonly amount: number
  readonly currency: string
  /** The page to send the buyer to; null where the provider has none. */
  readonly url: string | null
  /** For the provider's library in the browser; null where it needs none. Not the hold's. */
  readonly client_secret: string | null
  readonly expires_at: number
}

export interface CheckoutCreate {
  readonly provider: CheckoutProvider
  /** Where the provider's page sends the buyer afterwards. */
  readonly return_url?: string
}
