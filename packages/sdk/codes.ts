import { path } from './path.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

export type CodeStatus = 'valid' | 'used' | 'void'

/** A code that was just used. */
export interface VerifiedCode {
  readonly object: 'code'
  readonly code: string
  readonly order: string
  readonly sku: string
  readonly status: 'used'
  readonly used_at: number
}

export class Codes {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /** Uses a code up: it succeeds once. Then ProblemError `code_used`; `code_void` after a refund; `not_found`. */
  verify(code: string, options?: RequestOptions): Promise<VerifiedCode> {
    return this.#transport.post(path`codes/${code}/verify`, {}, options)
  }
}
