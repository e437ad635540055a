import { path } from './path.ts'
import type { Listing, ListParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

type Resource =
  | 'drops'
  | 'holds'
  | 'payments'
  | 'refunds'
  | 'disputes'
  | 'orders'
  | 'ledger'
  | 'api_keys'
  | 'events'
  | 'codes'
  | 'webhooks'

/** What a secret key may do; `*` is everything. */
export type Scope = '*' | `${Resource}:${'read' | 'write'}`

export interface ApiKey {
  readonly id: string
  readonly object: 'api_key'
  readonly kind: 'secret' | 'publishable'
  readonly name: string | null
  readonly scopes: readonly Scope[]
  /** Its beginning and its end, to tell keys apart. */
  readonly hint: string
  readonly created: number
  readonly expires_at: number | null
  readonly revoked_at: number | null
  readonly last_used_at: number | null
}

export interface ApiKeyWithSecret extends ApiKey {
  /** The key itself, shown this once: absent when the answer is a repeated one, as after a lost connection. */
  readonly secret?: string
}

export interface ApiKeyCreate {
  readonly kind: 'secret' | 'publishable'
  readonly name?: string | null
  readonly scopes?: readonly Scope[]
  readonly expires_at?: number | null
}

export class ApiKeys {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Newest first. */
  list(params?: ListParams, options?: RequestOptions): Listing<ApiKey> {
    return this.#transport.list(path`api_keys`, { ...params }, options)
  }

  retrieve(id: string, options?: RequestOptions): Promise<ApiKey> {
    return this.#transport.get(path`api_keys/${id}`, options)
  }

  create(body: ApiKeyCreate, options?: RequestOptions): Promise<ApiKeyWithSecret> {
    return this.#transport.post(path`api_keys`, body, options)
  }

  /** A new key in place of this one, which works for `overlap` seconds more: 0 to 604,800, 86,400 when absent. */
  roll(id: string, body: { readonly overlap?: number } = {}, options?: RequestOptions): Promise<ApiKeyWithSecret> {
    return this.#transport.post(path`api_keys/${id}/roll`, body, options)
  }

  revoke(id: string, options?: RequestOptions): Promise<ApiKey> {
    return this.#transport.post(path`api_keys/${id}/revoke`, {}, options)
  }
}
