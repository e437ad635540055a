import { path } from './path.ts'
import type { Listing, ListParams, CreatedParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type WebhookDeliveryStatus = 'pending' | 'succeeded' | 'failed'

/** Why an attempt did not succeed. */
export type WebhookAttemptFault = 'status' | 'redirect' | 'timeout' | 'connection' | 'address_refused'

export interface WebhookAttempt {
  readonly created: number
  readonly duration_ms: number
  /** Of HTTP; null when no answer came. */
  readonly status: number | null
  /** Null: it succeeded. */
  readonly fault: WebhookAttemptFault | null
}

/** One event on its way to one endpoint, from its first attempt on. */
export interface WebhookDelivery {
  readonly id: string
  readonly object: 'webhook_delivery'
  readonly status: WebhookDeliveryStatus
  readonly endpoint: string
  readonly event: string
  /** Of the event, such as `payment.captured`. New ones may come. */
  readonly type: string
  /** The header `webhook-id` of every attempt. */
  readonly webhook_id: string
  /** Failed attempts since the first, or since `retry`. */
  readonly failures: number
  readonly next_attempt_at: number | null
  /** The last ones, oldest first. */
  readonly attempts: readonly WebhookAttempt[]
  readonly created: number
}

export interface WebhookDeliveryListParams extends ListParams, CreatedParams {
  readonly endpoint?: string | undefined
  readonly event?: string | undefined
  readonly status?: WebhookDeliveryStatus | undefined
}

export class WebhookDeliveries {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. */
  list(params?: WebhookDeliveryListParams, options?: RequestOptions): Listing<WebhookDelivery> {
    return this.#transport.list(path`webhook_deliveries`, { ...params }, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<WebhookDelivery> {
    return this.#transport.get(path`webhook_deliveries/${id}`, options)
  }

  /** Tries it at once, also one that succeeded or was given up. */
  retry(id: string, options?: RequestOptions): Promise<WebhookDelivery> {
    return this.#transport.post(path`webhook_deliveries/${id}/retry`, {}, options)
  }
}
