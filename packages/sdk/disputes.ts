import { path } from './path.ts'
import type { CreatedParams, Listing, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type DisputeStatus = 'open' | 'won' | 'lost'

export interface Dispute {
  readonly id: string
  readonly object: 'dispute'
  readonly status: DisputeStatus
  readonly payment: string
  readonly provider_dispute_id: string
  readonly amount: number
  readonly currency: string
  readonly reason: string | null
  readonly created: number
  readonly closed_at: number | null
}

export interface DisputeCreate {
  readonly payment: string
  readonly provider_dispute_id: string
  /** All that is left of the payment when absent. */
  readonly amount?: number
  readonly reason?: string | null
}

export interface DisputeListParams extends ListParams, CreatedParams {
  readonly status?: DisputeStatus | undefined
  readonly payment?: string | undefined
}

export class Disputes {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. */
  list(params?: DisputeListParams, options?: RequestOptions): Listing<Dispute> {
    return this.#transport.list(path`disputes`, { ...params }, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<Dispute> {
    return this.#transport.get(path`disputes/${id}`, options)
  }

  /** A bank took money back. The same dispute again gives the same object. */
  create(body: DisputeCreate, options?: RequestOptions): Promise<Dispute> {
    return this.#transport.post(path`disputes`, body, options)
  }

  close(id: string, body: { readonly status: 'won' | 'lost' }, options?: RequestOptions): Promise<Dispute> {
    return this.#transport.post(path`disputes/${id}/close`, body, options)
  }
}
