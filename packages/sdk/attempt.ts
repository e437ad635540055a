import { ConnectionError, TimeoutError } from './errors.ts'
import type { FailedRequest } from './errors.ts'

/** What one attempt sends, and what an error says of it should no answer come. */
export interface Sending {
  readonly url: string
  readonly method: string
  readonly headers: Headers
  readonly body: string | null
  readonly fetch: typeof fetch
  readonly signal: AbortSignal | undefined
  readonly failed: FailedRequest
}

/** Sends once. Whoever takes the response reads it under `deadline` and closes that. Rejects as `Deadline.guard` does. */
export async function sendOnce(
  sending: Sending,
  timeoutMs: number,
): Promise<{ response: Response; deadline: Deadline }> {
  const deadline = new Deadline(sending.signal, timeoutMs, sending.failed)
  const { fetch, url, method, headers, body } = sending
  // A redirect is not followed: fetch would turn a POST into a GET.
  const init: RequestInit = { method, headers, body, redirect: 'manual', signal: deadline.signal }
  return { response: await deadline.guard(fetch(url, init)), deadline }
}

/** The whole body as text. Closes the deadline. */
export async function readText(response: Response, deadline: Deadline): Promise<string> {
  try {
    return await deadline.guard(response.text())
  } finally {
    deadline.close()
  }
}

/** The body as it comes; each chunk has `chunkTimeoutMs`. The deadline is closed at the end, by an error or by `cancel`. */
export function readStream(response: Response, deadline: Deadline, chunkTimeoutMs: number): ReadableStream<Uint8Array> {
  const reader = response.body?.getReader()
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      deadline.restart(chunkTimeoutMs)
      const chunk = reader === undefined ? undefined : await deadline.guard(reader.read())
      deadline.pause()
      if (chunk?.value !== undefined) return controller.enqueue(chunk.value)
      deadline.close()
      controller.close()
    },
    async cancel(reason) {
      deadline.close()
      await reader?.cancel(reason)
    },
  })
}

/** Ends a fetch when its time is up or when the caller's signal says so, and tells these from a broken connection. */
export class Deadline {
  readonly #controller = new AbortController()
  readonly #caller: AbortSignal | undefined
  readonly #failed: FailedRequest
  readonly #onAbort = (): void => this.#controller.abort(this.#caller?.reason)
  #timer: ReturnType<typeof setTimeout> | undefined
  #timeoutMs = 0
  #isOver = false

  constructor(caller: AbortSignal | undefined, timeoutMs: number, failed: FailedRequest) {
    this.#caller = caller
    this.#failed = failed
    caller?.addEventListener('abort', this.#onAbort, { once: true })
    this.restart(timeoutMs)
    // One that was aborted while the request was made ready tells nobody any more.
    if (caller?.aborted === true) this.#onAbort()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  restart(timeoutMs: number): void {
    this.pause()
    this.#timeoutMs = Math.max(1, Math.round(timeoutMs))
    this.#timer = setTimeout(() => {
      this.#isOver = true
      this.#controller.abort()
    }, this.#timeoutMs)
  }

  pause(): void {
    clearTimeout(this.#timer)
  }

  close(): void {
    this.pause()
    this.#caller?.removeEventListener('abort', this.#onAbort)
  }

  /** Rejects with the reason of the caller's signal, with TimeoutError or with ConnectionError; then it is closed. */
  async guard<Value>(work: Promise<Value>): Promise<Value> {
    try {
      return await work
    } catch (error) {
      this.close()
      this.#caller?.throwIfAborted()
      if (this.#isOver)
        throw new TimeoutError(describe(`No answer within ${this.#timeoutMs} ms`, this.#failed), this.#failed)
      throw new ConnectionError(describe('The connection failed', this.#failed), this.#failed, error)
    }
  }
}

function describe(what: string, { outcomeUnknown, idempotencyKey }: FailedRequest): string {
  if (!outcomeUnknown) return `${what}.`
  return `${what}. The outcome is unknown: ask again with the Idempotency-Key ${idempotencyKey}.`
}
