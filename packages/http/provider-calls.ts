import { providerCallMs, providerCallsMax } from '@penstock/domain/limits.ts'
import { ProviderError } from '@penstock/providers/provider.ts'
import { problem } from './problem.ts'
import type { PaymentProvider, ProviderPayment, ProviderPaymentRequest } from '@penstock/providers/provider.ts'
import type { Problem } from './problem.ts'

type Made = { readonly value: ProviderPayment } | { readonly problem: Problem }

/**
 * The payments that this process has providers open: `providerCallsMax` at most, each within `providerCallMs`, and one for
 * a hold: who asks for it meanwhile gets the same answer, so that one buyer cannot take the places of all.
 */
export class ProviderCalls {
  readonly #underWay = new Map<string, Promise<Made>>()
  readonly #log: (message: string, error?: unknown) => void

  constructor(log: (message: string, error?: unknown) => void) {
    this.#log = log
  }

  /** The payment that `provider` opens, or why it did not. */
  open(provider: PaymentProvider, request: ProviderPaymentRequest): Promise<Made> {
    const key = `${provider.name} ${request.holdId}`
    const known = this.#underWay.get(key)
    if (known !== undefined) return known
    if (this.#underWay.size >= providerCallsMax) {
      const detail = `Too many requests wait for ${provider.name}; nothing was done.`
      return Promise.resolve({ problem: problem('overloaded', detail) })
    }
    const made = this.#open(provider, request).finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, made)
    return made
  }

  async #open(provider: PaymentProvider, request: ProviderPaymentRequest): Promise<Made> {
    try {
      return { value: await provider.createPayment(request, { deadlineMs: providerCallMs }) }
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      this.#log(`a call to ${provider.name} failed`, error)
      const code = error.retryable ? 'provider_unavailable' : 'provider_refused'
      return { problem: problem(code, error.message) }
    }
  }
}
