import { path } from './path.ts'
import { watchDrop } from './watch-drop.ts'
import type { CreatedParams, Listing, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'
import type { DropHandlers, SubscribeOptions } from './watch-drop.ts'

export type DropStatus = 'draft' | 'scheduled' | 'live' | 'paused' | 'sold_out' | 'ended' | 'cancelled'

/** Money that came after its hold ended: take the units again if any are left, or always give it back. */
export type LatePayment = 'reacquire' | 'refund'

export type FeeKind = 'shipping' | 'tax' | 'service'

/** What a buyer pays besides the goods: an amount, or hundredths of a percent of the goods, rounded half up. */
export type DropFee =
  | { readonly name: string; readonly kind: FeeKind; readonly amount: number }
  | { readonly name: string; readonly kind: FeeKind; readonly basis_points: number }

/** Amounts are integers in minor units, times are Unix seconds, throughout. */
export interface Sku {
  readonly id: string
  readonly object: 'sku'
  readonly name: string
  readonly unit_amount: number
  readonly stock: number
  readonly held: number
  readonly sold: number
  /** `stock - held - sold` */
  readonly available: number
  readonly max_per_order: number | null
}

export interface Drop {
  readonly id: string
  readonly object: 'drop'
  readonly status: DropStatus
  readonly name: string
  readonly description: string | null
  readonly image: string | null
  /** Lower-case ISO 4217. */
  readonly currency: string
  readonly starts_at: number
  readonly ends_at: number | null
  /** Seconds. */
  readonly hold_ttl: number
  readonly max_per_customer: number | null
  readonly late_payment: LatePayment
  readonly fees: readonly DropFee[]
  readonly metadata: Readonly<Record<string, string>>
  readonly created: number
  readonly skus: readonly Sku[]
  /** Count down against this clock, not the buyer's. */
  readonly server_time: number
}

interface DropOptions {
  readonly starts_at?: number | null
  readonly ends_at?: number | null
  readonly hold_ttl?: number
  readonly max_per_customer?: number | null
  readonly late_payment?: LatePayment
  readonly description?: string | null
  readonly image?: string | null
  readonly fees?: readonly DropFee[]
  readonly metadata?: Readonly<Record<string, string>>
}

export interface SkuCreate {
  readonly name: string
  readonly unit_amount: number
  readonly stock: number
  readonly max_per_order?: number | null
}

export interface DropCreate extends DropOptions {
  readonly name: string
  readonly currency: string
  readonly skus: readonly SkuCreate[]
}

/** With `id` a SKU is changed, without it one is added. */
export type SkuUpdate = SkuCreate | (Partial<SkuCreate> & { readonly id: string })

export interface DropUpdate extends Omit<DropOptions, 'starts_at'> {
  readonly name?: string
  readonly starts_at?: number
  readonly skus?: readonly SkuUpdate[]
}

export interface DropListParams extends ListParams, CreatedParams {
  readonly status?: DropStatus | undefined
  /** Search. */
  readonly q?: string | undefined
}

export class Drops {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. Drafts only with a secret key. */
  list(params?: DropListParams, options?: RequestOptions): Listing<Drop> {
    return this.#transport.list(path`drops`, { ...params }, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<Drop> {
    return this.#transport.get(path`drops/${id}`, options)
  }

  /** A draft, which buyers do not see until it is published. */
  create(body: DropCreate, options?: RequestOptions): Promise<Drop> {
    return this.#transport.post(path`drops`, body, options)
  }

  update(id: string, body: DropUpdate, options?: RequestOptions): Promise<Drop> {
    return this.#transport.patch(path`drops/${id}`, body, options)
  }

  publish(id: string, options?: RequestOptions): Promise<Drop> {
    return this.#transport.post(path`drops/${id}/publish`, {}, options)
  }

  pause(id: string, options?: RequestOptions): Promise<Drop> {
    return this.#transport.post(path`drops/${id}/pause`, {}, options)
  }

  resume(id: string, options?: RequestOptions): Promise<Drop> {
    return this.#transport.post(path`drops/${id}/resume`, {}, options)
  }

  end(id: string, options?: RequestOptions): Promise<Drop> {
    return this.#transport.post(path`drops/${id}/end`, {}, options)
  }

  /** Ends the sale for good. */
  cancel(id: string, options?: RequestOptions): Promise<Drop> {
    return this.#transport.post(path`drops/${id}/cancel`, {}, options)
  }

  /** Adds units, or takes unsold ones away when `quantity` is negative. */
  restock(
    id: string,
    body: { readonly sku: string; readonly quantity: number },
    options?: RequestOptions,
  ): Promise<Drop> {
    return this.#transport.post(path`drops/${id}/restock`, body, options)
  }

  /**
   * Live where the server and the way to it allow, by polling elsewhere. Calls `onDrop` with the drop now and whenever something of it has changed, until `signal` is aborted. Resolves then;
   * rejects with what a handler throws and with an error that will not pass (no such drop, wrong key). `onError` is
   * told of errors that may pass; reading goes on.
   */
  subscribe(id: string, handlers: DropHandlers, options: SubscribeOptions): Promise<void> {
    return watchDrop(this.#transport, path`drops/${id}`, handlers, options)
  }
}
