import { path } from './path.ts'
import type { Checkout, CheckoutCreate } from './checkout.ts'
import type { Customer, CustomerCreate } from './customer.ts'
import type { FeeKind } from './drops.ts'
import type { CreatedParams, Listing, ListParams } from './listing.ts'
import type { HoldOptions, RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type HoldStatus = 'active' | 'captured' | 'released' | 'expired'

export interface HoldLine {
  readonly sku: string
  readonly quantity: number
  readonly unit_amount: number
}

/** A fee as it was when the hold was made. */
export interface Fee {
  readonly name: string
  readonly kind: FeeKind
  readonly amount: number
}

/** A buyer's claim on units until `expires_at`. */
export interface Hold {
  readonly id: string
  readonly object: 'hold'
  readonly status: HoldStatus
  readonly drop: string
  readonly lines: readonly HoldLine[]
  readonly fees: readonly Fee[]
  /** What is to be paid, fees included. */
  readonly amount: number
  readonly currency: string
  /** Null once it was erased. */
  readonly customer: Customer | null
  /** Proof of who made the hold, for calls with a publishable key. */
  readonly client_secret: string
  readonly created: number
  readonly expires_at: number
}

export interface HoldCreate {
  readonly drop: string
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[]
  readonly customer: CustomerCreate
  /** Gives this older hold back in the same commit. A secret key needs no `client_secret`. */
  readonly replace?: { readonly hold: string; readonly client_secret?: string } | null
}

export interface HoldListParams extends ListParams, CreatedParams {
  readonly status?: HoldStatus | undefined
  readonly drop?: string | undefined
  readonly customer_email?: string | undefined
  /** Search. */
  readonly q?: string | undefined
}

export class Holds {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first; with a secret key. */
  list(params?: HoldListParams, options?: RequestOptions): Listing<Hold> {
    return this.#transport.list(path`holds`, { ...params }, options)
  }

  /** All lines or none. ProblemError `not_live`, `sold_out` or `limit_reached` when the sale refuses. */
  create(body: HoldCreate, options?: RequestOptions): Promise<Hold> {
    return this.#transport.post(path`holds`, body, options)
  }

  retrieve(id: string, options?: HoldOptions): Promise<Hold> {
    return this.#transport.get(path`holds/${id}`, options)
  }

  /**
   * Opens a payment at a provider. The same provider again gives the same checkout. ProblemError `hold_not_active`,
   * `provider_not_configured`, `provider_refused` or `provider_unavailable`.
   */
  checkout(id: string, body: CheckoutCreate, options?: HoldOptions): Promise<Checkout> {
    return this.#transport.post(path`holds/${id}/checkout`, body, options)
  }

  /** Gives the units back. Resolves with the hold as it ended, whatever ended it. */
  release(id: string, options?: HoldOptions): Promise<Hold> {
    return this.#transport.delete(path`holds/${id}`, options)
  }

  /** Removes who the customer is, for good. */
  erase(id: string, options?: RequestOptions): Promise<Hold> {
    return this.#transport.post(path`holds/${id}/erase`, {}, options)
  }
}
