import { PenstockError, ProblemError } from './errors.ts'
import { sleep } from './transport.ts'
import type { Drop } from './drops.ts'
import type { Change, Transport } from './transport.ts'

export interface DropHandlers {
  readonly onDrop: (drop: Drop) => void
  readonly onError?: ((error: PenstockError) => void) | undefined
}

export interface SubscribeOptions {
  /** Ends the subscription. */
  readonly signal: AbortSignal
  /** The wait between two reads, on average: 100 ms or more, 2,000 when absent. */
  readonly intervalMs?: number | undefined
}

const intervalDefaultMs = 2_000
/** The server tells of a drop no more often than this. */
const intervalMinMs = 100

/** Polls with the ETag of what was read last: while nothing changes, an answer is a few bytes. */
export async function watchDrop(
  transport: Transport,
  path: string,
  { onDrop, onError }: DropHandlers,
  { signal, intervalMs = intervalDefaultMs }: SubscribeOptions,
): Promise<void> {
  if (!(intervalMs >= intervalMinMs)) throw new RangeError(`intervalMs must be at least ${intervalMinMs}`)
  let etag: string | null = null
  while (!signal.aborted) {
    const change = await readChange(transport, path, etag, signal)
    if (change === null) return
    if (change instanceof PenstockError) onError?.(change)
    else {
      etag = change.etag
      if (change.body !== null) onDrop(change.body)
    }
    // Half to one and a half times the interval: pages that were opened together come back apart.
    await sleep(intervalMs * (0.5 + Math.random()), signal).catch(() => undefined)
  }
}

/** Gives back an error that may pass, and throws any other. */
async function readChange(
  transport: Transport,
  path: string,
  etag: string | null,
  signal: AbortSignal,
): Promise<Change<Drop> | PenstockError | null> {
  try {
    return await transport.getIfChanged<Drop>(path, etag, { signal })
  } catch (error) {
    if (signal.aborted) return null
    if (error instanceof PenstockError && !(error instanceof ProblemError && !error.retryable)) return error
    throw error
  }
}
