import { path } from './path.ts'
import type { CreatedParams, Listing, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type RefundStatus = 'pending' | 'succeeded' | 'failed'

export interface RefundLine {
  readonly sku: string
  readonly quantity: number
}

export interface Refund {
  readonly id: string
  readonly object: 'refund'
  readonly status: RefundStatus
  readonly payment: string
  readonly order: string | null
  readonly amount: number
  readonly currency: string
  readonly reason: string | null
  readonly lines: readonly RefundLine[]
  /** Whether the units went back on sale. */
  readonly restock: boolean
  readonly created: number
  readonly settled_at: number | null
}

export interface RefundCreate {
  readonly payment: string
  /** When absent: the price of `lines`, or all that is left without lines either. */
  readonly amount?: number
  readonly lines?: readonly RefundLine[]
  /** False when absent. */
  readonly restock?: boolean
  readonly reason?: string | null
}

export interface RefundListParams extends ListParams, CreatedParams {
  readonly status?: RefundStatus | undefined
  readonly order?: string | undefined
  readonly payment?: string | undefined
}

export class Refunds {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. */
  list(params?: RefundListParams, options?: RequestOptions): Listing<Refund> {
    return this.#transport.list(path`refunds`, { ...params }, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<Refund> {
    return this.#transport.get(path`refunds/${id}`, options)
  }

  /** A manual payment's refund has `succeeded` at once, others are `pending`. ProblemError `refund_too_large` names the field. */
  create(body: RefundCreate, options?: RequestOptions): Promise<Refund> {
    return this.#transport.post(path`refunds`, body, options)
  }

  /** Says how a pending refund ended. */
  settle(id: string, body: { readonly status: 'succeeded' | 'failed' }, options?: RequestOptions): Promise<Refund> {
    return this.#transport.post(path`refunds/${id}/settle`, body, options)
  }
}
