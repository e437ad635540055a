import { requestDeadlineMs, testWebhooksMax } from '@penstock/domain/limits.ts'
import { testSignatureHeader } from '@penstock/providers/test-provider.ts'
import type { PlannedWebhook } from '@penstock/providers/test-payment.ts'

export interface TestWebhooksDeps {
  readonly url: () => string
  readonly sign: (body: string, nowMs: number) => string
  readonly clock: () => number
  readonly log: (message: string, error?: unknown) => void
}

/** As real providers it tries again what was not answered with 2xx; for minutes, not days. */
const retryMs = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000]

/**
 * Sends the webhooks of the test provider to this box, over HTTP. What waits is in memory, `testWebhooksMax` at most, and is
 * lost when the process ends: the provider's books are not.
 */
export class TestWebhooks {
  readonly #deps: TestWebhooksDeps
  readonly #timers = new Set<NodeJS.Timeout>()
  #isClosed = false

  constructor(deps: TestWebhooksDeps) {
    this.#deps = deps
  }

  /** Null: too many wait; nothing will be sent. */
  send(webhooks: readonly PlannedWebhook[]): number | null {
    if (this.#timers.size + webhooks.length > testWebhooksMax) return null
    for (const { afterMs, event } of webhooks) this.#after(afterMs, JSON.stringify(event), 0)
    return webhooks.length
  }

  close(): void {
    this.#isClosed = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  #after(afterMs: number, body: string, attempt: number): void {
    if (this.#isClosed) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      void this.#deliver(body, attempt)
    }, afterMs)
    this.#timers.add(timer)
  }

  /** Each attempt is signed anew: one that comes late would be too old. */
  async #deliver(body: string, attempt: number): Promise<void> {
    const { url, sign, clock, log } = this.#deps
    try {
      const { ok, status } = await fetch(`${url()}/v1/webhooks/test`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', [testSignatureHeader]: sign(body, clock()) },
        body,
        signal: AbortSignal.timeout(2 * requestDeadlineMs),
      })
      if (ok) return
      log(`the webhook of the test provider was answered with ${status}`)
    } catch (error) {
      if (!this.#isClosed) log('the webhook of the test provider could not be sent', error)
    }
    const waitMs = retryMs[attempt]
    if (waitMs !== undefined) this.#after(waitMs, body, attempt + 1)
  }
}
