import { setTimeout as delay } from 'node:timers/promises'
import { providerAttemptMs, providerAttemptsMax, providerBackoffMinMs } from '@penstock/domain/limits.ts'
import { ProviderError } from './provider.ts'
import type { CallOptions } from './provider.ts'

export interface AttemptDeps {
  readonly clock: () => number
  /** 0 to 1, for jitter. */
  readonly random: () => number
}

/**
 * Calls a provider until it answers, `providerAttemptsMax` times at most and never beyond the deadline; only what is
 * `retryable` is tried again, after a wait that doubles and has jitter. `run` must be safe to repeat: it sends an
 * idempotency key. It gets the time of its attempt and must reject with ProviderError.
 */
export async function withAttempts<Value>(
  run: (attemptMs: number) => Promise<Value>,
  { deadlineMs, signal }: CallOptions,
  { clock, random }: AttemptDeps,
): Promise<Value> {
  const endMs = clock() + deadlineMs
  for (let attempt = 1; ; attempt++) {
    const leftMs = endMs - clock()
    if (leftMs <= 0 || signal?.aborted === true) throw new ProviderError('timeout', 'The provider took too long.')
    try {
      return await run(Math.min(leftMs, providerAttemptMs))
    } catch (error) {
      if (!(error instanceof ProviderError) || !error.retryable || attempt === providerAttemptsMax) throw error
      const waitMs = providerBackoffMinMs * 2 ** (attempt - 1) * (1 + random() / 2)
      if (clock() + waitMs >= endMs) throw error
      await delay(waitMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined)
    }
  }
}
