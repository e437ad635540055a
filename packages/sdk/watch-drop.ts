import { readEvents } from './drop-events.ts'
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
  /** The wait between two reads where the drop has to be polled, and before watching again: 100 ms or more, 2,000 when absent. */
  readonly intervalMs?: number | undefined
}

const intervalDefaultMs = 2_000
/** The server tells of a drop no more often than this. */
const intervalMinMs = 100
/** The server says something every 10 s. */
const silenceMaxMs = 25_000

/** How watching ended: after an event at least; before one, which may be better next time; or for good. */
type Watched = 'told' | 'failed' | 'impossible'

/**
 * Reads the events of the server, again whenever they end. Where there are none it polls with the ETag of what was read
 * last: while nothing changes, an answer is a few bytes.
 */
export async function watchDrop(
  transport: Transport,
  path: string,
  { onDrop, onError }: DropHandlers,
  { signal, intervalMs = intervalDefaultMs }: SubscribeOptions,
): Promise<void> {
  if (!(intervalMs >= intervalMinMs)) throw new RangeError(`intervalMs must be at least ${intervalMinMs}`)
  const tell = onlyChanges(onDrop)
  let etag: string | null = null
  let watched: Watched = 'failed'
  while (!signal.aborted) {
    if (watched !== 'impossible') watched = await watchEvents(transport, path, tell, signal)
    if (watched !== 'told') {
      const change = await readChange(transport, path, etag, signal)
      if (change === null) return
      if (change instanceof PenstockError) onError?.(change)
      else {
        etag = change.etag
        if (change.body !== null) tell(change.body)
      }
    }
    // Half to one and a half times the interval: pages that were opened together come back apart.
    await sleep(intervalMs * (0.5 + Math.random()), signal).catch(() => undefined)
  }
}

/** Throws what `tell` throws, and errors that will not pass. */
async function watchEvents(
  transport: Transport,
  path: string,
  tell: (drop: Drop) => void,
  signal: AbortSignal,
): Promise<Watched> {
  const body = await openEvents(transport, path, signal)
  if (typeof body === 'string') return body
  const events = readEvents(body)
  let watched: Watched = 'failed'
  for (;;) {
    const event = await nextEvent(events)
    if (event === null) return watched
    watched = 'told'
    try {
      tell(event)
    } catch (error) {
      await events.return()
      throw error
    }
  }
}

async function openEvents(
  transport: Transport,
  path: string,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | Watched> {
  try {
    return (await transport.events(`${path}/live`, silenceMaxMs, signal)) ?? 'impossible'
  } catch (error) {
    if (signal.aborted) return 'failed'
    // A server that has no such route.
    if (error instanceof ProblemError && /^(route_not_found|method_not_allowed)$/.test(error.code)) return 'impossible'
    // The read that follows tells what is wrong.
    if (error instanceof PenstockError) return 'failed'
    throw error
  }
}

/** Null when they ended, however. */
async function nextEvent(events: AsyncGenerator<string, void, void>): Promise<Drop | null> {
  try {
    const { value, done } = await events.next()
    return done === true ? null : (JSON.parse(value) as Drop)
  } catch {
    return null
  }
}

/** Watching again begins with the whole drop, which may be what was told last; only its clock is new. */
function onlyChanges(onDrop: (drop: Drop) => void): (drop: Drop) => void {
  let told = ''
  return (drop) => {
    const state = JSON.stringify({ ...drop, server_time: 0 })
    if (state === told) return
    told = state
    onDrop(drop)
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
