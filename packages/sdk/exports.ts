import { path } from './path.ts'
import type { CreatedParams } from './listing.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type ExportedNoun =
  | 'orders'
  | 'holds'
  | 'payments'
  | 'refunds'
  | 'disputes'
  | 'ledger_entries'
  | 'events'
  | 'webhook_deliveries'

/** The filters of the noun's list. */
export interface ExportParams extends CreatedParams {
  readonly format: 'csv' | 'ndjson'
  readonly status?: string | undefined
  readonly drop?: string | undefined
  readonly hold?: string | undefined
  readonly order?: string | undefined
  readonly payment?: string | undefined
  readonly customer_email?: string | undefined
  readonly account?: string | undefined
  readonly type?: string | undefined
  readonly object_id?: string | undefined
  readonly endpoint?: string | undefined
  readonly event?: string | undefined
  readonly q?: string | undefined
}

export class Exports {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * All rows, as bytes of UTF-8 while the server writes them. Only the start is repeated when it fails: a stream that
   * breaks rejects with ConnectionError, or with TimeoutError when nothing came for `timeoutMs`, and what came before is
   * incomplete.
   */
  stream(noun: ExportedNoun, params: ExportParams, options?: RequestOptions): Promise<ReadableStream<Uint8Array>> {
    return this.#transport.stream(path`exports/${noun}`, { ...params }, options)
  }
}
