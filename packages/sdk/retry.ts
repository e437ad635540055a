import { ConnectionError, ProblemError, TimeoutError } from './errors.ts'
import type { PenstockError } from './errors.ts'

/** The wait before the second attempt is below this; the bound doubles with each attempt up to `backoffMaxMs`. */
export const backoffBaseMs = 200
export const backoffMaxMs = 5_000

/** Answers of proxies, which bring no problem document, that say "not now". */
const passingStatuses = [429, 502, 503, 504]

/**
 * Whether asking again within seconds makes sense: no answer came, or the server said it could not take the request
 * now. A refusal by the sale itself (409 `sold_out`, `not_live`) is final here although `retryable` is true: it stands for
 * minutes, and thousands of clients that repeat it at once would be a second flood.
 */
export function isRetried(error: PenstockError): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true
  if (!(error instanceof ProblemError)) return false
  if (error.code === 'unexpected_response') return passingStatuses.includes(error.status)
  return error.retryable && (error.status === 429 || error.status >= 500)
}

/**
 * How long to wait after attempt number `attempt` (from 1). Full jitter, `random` being in [0, 1): clients that failed
 * together come back apart. What the server asks for with Retry-After is waited for first.
 */
export function retryWaitMs(attempt: number, retryAfterMs: number | null, random: number): number {
  const boundMs = Math.min(backoffMaxMs, backoffBaseMs * 2 ** (attempt - 1))
  return (retryAfterMs ?? 0) + random * boundMs
}

/** A Retry-After header, in seconds or as a date; null when absent or malformed. Never negative. */
export function parseRetryAfter(header: string | null, nowMs: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? null : Math.max(0, atMs - nowMs)
}
