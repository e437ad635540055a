import { path } from './path.ts'
import type { CreatedParams, Listing, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** Something that happened, in order of `seq`. */
export interface PenstockEvent {
  readonly id: string
  readonly object: 'event'
  readonly seq: number
  /** Such as `payment.captured`. New ones may come. */
  readonly type: string
  readonly object_id: string
  readonly created: number
}

export interface EventListParams extends ListParams, CreatedParams {
  readonly type?: string | undefined
  readonly object_id?: string | undefined
}

export class Events {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. */
  list(params?: EventListParams, options?: RequestOptions): Listing<PenstockEvent> {
    return this.#transport.list(path`events`, { ...params }, options)
  }
}
