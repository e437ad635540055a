import { path } from './path.ts'
import type { RequestOptions } from './options.ts'
import type { Transport } from './transport.ts'

/** What one call of the server did. */
interface CustomerErasure {
  readonly object: 'customer_erasure'
  /** Holds. */
  readonly erased: number
  readonly has_more: boolean
  readonly scanned_to: string | null
}

export class Customers {
  readonly #transport: Transport

  /** @internal */
  constructor(transport: Transport) {
    this.#transport = transport
  }

  /**
   * Removes who the customer is from every hold and order with this e-mail, for good, in as many calls as that takes.
   * Resolves with the number of holds. Repeating it is harmless; without an `idempotencyKey`, which is for one call.
   */
  async erase(email: string, options: Omit<RequestOptions, 'idempotencyKey'> = {}): Promise<number> {
    let erased = 0
    let after: string | null = null
    for (;;) {
      const body: { email: string; starting_after: string | null } = { email, starting_after: after }
      const step: CustomerErasure = await this.#transport.post<CustomerErasure>(path`customer_erasures`, body, options)
      erased += step.erased
      if (!step.has_more) return erased
      after = step.scanned_to
    }
  }
}
