import { webhookRetryAfterMaxMs } from '@penstock/domain/limits.ts'

/** How long a receiver wants to be left alone, in ms, 0 to `webhookRetryAfterMaxMs`; null when it does not say. */
export function readRetryAfter(text: string | undefined, nowMs: number): number | null {
  if (text === undefined) return null
  const waitMs = /^\d{1,10}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs
  return Number.isNaN(waitMs) ? null : Math.min(Math.max(waitMs, 0), webhookRetryAfterMaxMs)
}
