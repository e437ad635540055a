import { path } from './path.ts'
import type { CodeStatus } from './codes.ts'
import type { Customer } from './customer.ts'
import type { Fee, HoldLine } from './holds.ts'
import type { CreatedParams, Listing, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type OrderStatus = 'paid' | 'fulfilled' | 'partially_refunded' | 'refunded' | 'cancelled'

export interface OrderLine extends HoldLine {
  readonly quantity_refunded: number
}

/** One unit of an order, as its buyer can prove it. */
export interface OrderCode {
  readonly code: string
  readonly sku: string
  readonly status: CodeStatus
  readonly used_at: number | null
}

export interface Order {
  readonly id: string
  readonly object: 'order'
  readonly status: OrderStatus
  readonly drop: string
  readonly hold: string
  readonly payment: string
  readonly lines: readonly OrderLine[]
  readonly fees: readonly Fee[]
  readonly amount: number
  readonly amount_refunded: number
  readonly currency: string
  /** Null once it was erased. */
  readonly customer: Customer | null
  readonly created: number
  readonly cancelled_at: number | null
  readonly fulfilled_at: number | null
}

export interface OrderWithCodes extends Order {
  readonly codes: readonly OrderCode[]
}

export interface OrderListParams extends ListParams, CreatedParams {
  readonly status?: OrderStatus | undefined
  readonly drop?: string | undefined
  readonly payment?: string | undefined
  readonly customer_email?: string | undefined
  /** Search. */
  readonly q?: string | undefined
}

export interface OrderCancel {
  /** Puts the units back on sale. False when absent. */
  readonly restock?: boolean
  readonly reason?: string | null
}

export class Orders {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first, without codes. */
  list(params?: OrderListParams, options?: RequestOptions): Listing<Order> {
    return this.#transport.list(path`orders`, { ...params }, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<OrderWithCodes> {
    return this.#transport.get(path`orders/${id}`, options)
  }

  /** Refunds what is left of the payment. */
  cancel(id: string, body: OrderCancel = {}, options?: RequestOptions): Promise<Order> {
    return this.#transport.post(path`orders/${id}/cancel`, body, options)
  }

  fulfil(id: string, options?: RequestOptions): Promise<Order> {
    return this.#transport.post(path`orders/${id}/fulfil`, {}, options)
  }

  /** Removes who the customer is, for good. */
  erase(id: string, options?: RequestOptions): Promise<Order> {
    return this.#transport.post(path`orders/${id}/erase`, {}, options)
  }
}
