import { path } from './path.ts'
import type { Listing } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type WebhookEndpointStatus = 'enabled' | 'disabled'

/** You did it; the receiver answered 410; the receiver took nothing for days. */
export type WebhookDisabledReason = 'seller' | 'gone' | 'failing'

/** Where events are sent to. */
export interface WebhookEndpoint {
  readonly id: string
  readonly object: 'webhook_endpoint'
  readonly status: WebhookEndpointStatus
  /** Null while it is enabled. */
  readonly disabled_reason: WebhookDisabledReason | null
  readonly url: string
  /** Types such as `payment.captured`; `*` is all, also new ones. */
  readonly events: readonly string[]
  readonly description: string | null
  /** The first failed attempt after the last that did not fail. */
  readonly failing_since: number | null
  /** Ids of the events that are still to be sent again; null when there are none. */
  readonly replay: { readonly next: string; readonly to: string } | null
  readonly created: number
}

export interface WebhookEndpointWithSecret extends WebhookEndpoint {
  /** For `verifyWebhook`, shown this once: absent when the answer is a repeated one, as after a lost connection. */
  readonly secret?: string
}

export interface DeletedWebhookEndpoint {
  readonly id: string
  readonly object: 'webhook_endpoint'
  readonly deleted: true
}

export interface WebhookEndpointCreate {
  readonly url: string
  readonly events: readonly string[]
  readonly description?: string | null
}

/** What is absent stays. */
export interface WebhookEndpointUpdate {
  readonly url?: string
  readonly events?: readonly string[]
  readonly description?: string | null
  readonly status?: WebhookEndpointStatus
}

/** Both bounds included: ids of events, or Unix seconds. Up to the last event when `to` is absent. */
export interface WebhookReplay {
  readonly from: string | number
  readonly to?: string | number
}

export class WebhookEndpoints {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** All of them, oldest first: there are few. */
  list(options?: RequestOptions): Listing<WebhookEndpoint> {
    return this.#transport.list(path`webhook_endpoints`, {}, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<WebhookEndpoint> {
    return this.#transport.get(path`webhook_endpoints/${id}`, options)
  }

  /** ProblemError `too_many_endpoints` when there are 16. */
  create(body: WebhookEndpointCreate, options?: RequestOptions): Promise<WebhookEndpointWithSecret> {
    return this.#transport.post(path`webhook_endpoints`, body, options)
  }

  /** A disabled endpoint misses nothing: it gets its events once it is enabled again. */
  update(id: string, body: WebhookEndpointUpdate, options?: RequestOptions): Promise<WebhookEndpoint> {
    return this.#transport.patch(path`webhook_endpoints/${id}`, body, options)
  }

  /** For good. Its deliveries stay. Repeating it is harmless. */
  delete(id: string, options?: RequestOptions): Promise<DeletedWebhookEndpoint> {
    return this.#transport.delete(path`webhook_endpoints/${id}`, options)
  }

  /** A new secret; the old one signs along for `overlap` seconds more: 0 to 604,800, 86,400 when absent. */
  rotateSecret(
    id: string,
    body: { readonly overlap?: number } = {},
    options?: RequestOptions,
  ): Promise<WebhookEndpointWithSecret> {
    return this.#transport.post(path`webhook_endpoints/${id}/rotate_secret`, body, options)
  }

  /** Sends the events of a range again, those that the endpoint wants now. ProblemError `invalid_transition` while it is disabled. */
  replay(id: string, body: WebhookReplay, options?: RequestOptions): Promise<WebhookEndpoint> {
    return this.#transport.post(path`webhook_endpoints/${id}/replay`, body, options)
  }
}
