import { providerCallMs, providerCallsMax } from '@penstock/domain/limits.ts'
import { ProviderError } from '@penstock/providers/provider.ts'
import { problem } from './problem.ts'
import type { CallOptions } from '@penstock/providers/provider.ts'
import type { Problem } from './problem.ts'

/** The calls to providers that this process has under way: `providerCallsMax` at most, each within `providerCallMs`. */
export class ProviderCalls {
  #underWay = 0
  readonly #log: (message: string, error?: unknown) => void

  constructor(log: (message: string, error?: unknown) => void) {
    this.#log = log
  }

  /** What `call` resolves with, or why it did not. */
  async run<Value>(
    name: string,
    call: (options: CallOptions) => Promise<Value>,
  ): Promise<{ readonly value: Value } | { readonly problem: Problem }> {
    if (this.#underWay >= providerCallsMax) {
      return { problem: problem('overloaded', `Too many requests wait for ${name}; nothing was done.`) }
    }
    this.#underWay += 1
    try {
      return { value: await call({ deadlineMs: providerCallMs }) }
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      this.#log(`a call to ${name} failed`, error)
      const code = error.retryable ? 'provider_unavailable' : 'provider_refused'
      return { problem: problem(code, error.message) }
    } finally {
      this.#underWay -= 1
    }
  }
}
