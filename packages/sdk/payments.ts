import { path } from './path.ts'
import type { CreatedParams, Listing, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type PaymentStatus = 'captured' | 'partially_refunded' | 'refunded' | 'refund_due' | 'unmatched' | 'disputed'

/** Why money came without goods. */
export type PaymentReason =
  | 'unknown_hold'
  | 'amount_mismatch'
  | 'currency_mismatch'
  | 'hold_already_captured'
  | 'hold_expired'
  | 'hold_released'
  | 'sold_out'
  | 'limit_reached'

export interface Payment {
  readonly id: string
  readonly object: 'payment'
  readonly status: PaymentStatus
  readonly reason: PaymentReason | null
  readonly hold: string
  readonly order: string | null
  readonly provider: string
  readonly provider_payment_id: string
  readonly amount: number
  /** Of refunds that are pending or succeeded. */
  readonly amount_refunded: number
  /** Of disputes that are open or lost. */
  readonly amount_disputed: number
  readonly currency: string
  readonly created: number
}

export interface PaymentCreate {
  readonly hold: string
  /** `manual`, or the provider that took the money. */
  readonly provider: string
  readonly provider_payment_id: string
  readonly amount: number
  readonly currency: string
}

export interface PaymentListParams extends ListParams, CreatedParams {
  readonly status?: PaymentStatus | undefined
  readonly hold?: string | undefined
  readonly order?: string | undefined
  /** Search. */
  readonly q?: string | undefined
}

export class Payments {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. */
  list(params?: PaymentListParams, options?: RequestOptions): Listing<Payment> {
    return this.#transport.list(path`payments`, { ...params }, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<Payment> {
    return this.#transport.get(path`payments/${id}`, options)
  }

  /**
   * Money arrived. Resolves with a `captured` payment and its order; the same payment again gives the same order. Money
   * that no goods are left for resolves too, as `refund_due` or `unmatched` with a `reason`: look at `status`.
   */
  create(body: PaymentCreate, options?: RequestOptions): Promise<Payment> {
    return this.#transport.post(path`payments`, body, options)
  }

  /** Gives an unmatched payment the hold it belongs to. */
  attach(id: string, body: { readonly hold: string }, options?: RequestOptions): Promise<Payment> {
    return this.#transport.post(path`payments/${id}/attach`, body, options)
  }
}
