import { parseJson, problemOf } from './answer.ts'
import { readStream, readText, sendOnce } from './attempt.ts'
import { PenstockError, ProblemError } from './errors.ts'
import { Listing } from './listing.ts'
import { boundsOf } from './options.ts'
import { isRetried, retryWaitMs } from './retry.ts'
import { mintIdempotencyKey } from './web-crypto.ts'
import type { Deadline, Sending } from './attempt.ts'
import type { FailedRequest } from './errors.ts'
import type { Listed, ListPage, ListParams } from './listing.ts'
import type { HoldOptions, PenstockOptions, RequestOptions } from './options.ts'

/** Query parameters; those that are undefined are left out. */
export type Query = Readonly<Record<string, string | number | undefined>>

interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Of `path`. */
  readonly path: string
  readonly query?: Query
  readonly body?: object
  readonly etag?: string | null
  /** JSON when absent. */
  readonly accept?: string
  readonly options: HoldOptions
}

/** A read that was answered only if something changed. */
export interface Change<Body> {
  /** Null: nothing changed since `etag`. */
  readonly body: Body | null
  readonly etag: string | null
}

const idempotencyKeyLengthMax = 255

/** Takes what is wanted of an answer, and closes the deadline. */
type Read<Answer> = (response: Response, deadline: Deadline, sending: Sending) => Promise<Answer>

/** Calls with one key to one server: repeats what may be repeated, and remembers the newest commit it has seen. */
export class Transport {
  readonly #baseUrl: string
  readonly #authorization: string
  readonly #options: PenstockOptions
  readonly #fetch: typeof fetch
  #seqSeen = 0

  constructor(options: PenstockOptions) {
    const { baseUrl, apiKey } = options
    const { protocol, origin, pathname } = parseBaseUrl(baseUrl)
    if (!/^https?:$/.test(protocol)) throw new TypeError(`baseUrl must start with http:// or https://, not ${protocol}`)
    if (typeof apiKey !== 'string' || !/^[!-~]+$/.test(apiKey))
      throw new TypeError('apiKey is missing, or has other than visible ASCII characters')
    boundsOf(options)
    this.#baseUrl = origin + pathname.replace(/\/+$/, '')
    this.#authorization = `Bearer ${apiKey}`
    this.#options = options
    this.#fetch = options.fetch ?? globalThis.fetch
  }

  get<Body>(path: string, options: HoldOptions = {}, query: Query = {}): Promise<Body> {
    return this.#call({ method: 'GET', path, options, query }, readJson<Body>)
  }

  post<Body>(path: string, body: object = {}, options: HoldOptions = {}): Promise<Body> {
    return this.#call({ method: 'POST', path, body, options }, readJson<Body>)
  }

  patch<Body>(path: string, body: object, options: RequestOptions = {}): Promise<Body> {
    return this.#call({ method: 'PATCH', path, body, options }, readJson<Body>)
  }

  delete<Body>(path: string, options: HoldOptions = {}): Promise<Body> {
    return this.#call({ method: 'DELETE', path, options }, readJson<Body>)
  }

  list<Item extends Listed>(
    path: string,
    params: ListParams & Query = {},
    options: RequestOptions = {},
  ): Listing<Item> {
    return new Listing((query) => this.get<ListPage<Item>>(path, options, { ...query }), params)
  }

  /** Reads again what was read with `etag`; null reads it anyway. */
  getIfChanged<Body>(path: string, etag: string | null, options: RequestOptions = {}): Promise<Change<Body>> {
    return this.#call({ method: 'GET', path, etag, options }, async (response, deadline, { failed }) => {
      const text = await readText(response, deadline)
      const body = response.status === 304 ? null : (parseJson(response, text, failed) as Body)
      return { body, etag: response.headers.get('etag') }
    })
  }

  stream(path: string, query: Query, options: RequestOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { timeoutMs } = boundsOf(options, this.#options)
    return this.#call({ method: 'GET', path, query, options }, async (response, deadline) =>
      readStream(response, deadline, timeoutMs),
    )
  }

  /** Server-sent events as bytes, tried once. Null: what came are no events. */
  events(path: string, chunkTimeoutMs: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
    const call = { method: 'GET', path, accept: 'text/event-stream', options: { signal, maxAttempts: 1 } } as const
    return this.#call(call, async (response, deadline) => {
      const type = response.headers.get('content-type') ?? ''
      const body = readStream(response, deadline, chunkTimeoutMs)
      if (type.startsWith('text/event-stream') && response.body !== null) return body
      await body.cancel()
      return null
    })
  }

  async #call<Answer>(call: Call, read: Read<Answer>): Promise<Answer> {
    const { signal } = call.options
    signal?.throwIfAborted()
    const { timeoutMs, totalTimeoutMs, maxAttempts } = boundsOf(call.options, this.#options)
    const sending = await this.#prepare(call)
    const endMs = performance.now() + totalTimeoutMs
    let doubt = false
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#attempt(sending, Math.min(timeoutMs, endMs - performance.now()), doubt, read)
      } catch (error) {
        if (!(error instanceof PenstockError) || attempt >= maxAttempts || !isRetried(error)) throw error
        doubt = error.outcomeUnknown
        const waitMs = retryWaitMs(attempt, error instanceof ProblemError ? error.retryAfterMs : null, Math.random())
        if (performance.now() + waitMs >= endMs) throw error
        await sleep(waitMs, signal)
      }
    }
  }

  /** All that every attempt sends alike. Throws TypeError for what no request can carry. */
  async #prepare({
    method,
    path,
    query = {},
    body,
    etag,
    accept = 'application/json',
    options,
  }: Call): Promise<Sending> {
    const isWrite = method !== 'GET'
    const key = isWrite ? checkKey(options.idempotencyKey ?? (await mintIdempotencyKey())) : null
    const headers = new Headers({ authorization: this.#authorization, accept })
    if (key !== null) headers.set('idempotency-key', key)
    if (body !== undefined) headers.set('content-type', 'application/json')
    if (etag !== undefined && etag !== null) headers.set('if-none-match', etag)
    if (options.clientSecret !== undefined) headers.set('penstock-client-secret', options.clientSecret)
    // With writes, too: without it a process that has not heard of a release may say that there is nothing to hold.
    if (this.#seqSeen > 0 && this.#options.readYourWrites !== false) {
      headers.set('penstock-min-seq', String(this.#seqSeen))
    }
    const failed: FailedRequest = { idempotencyKey: key, outcomeUnknown: isWrite }
    return {
      url: this.#baseUrl + path + queryString(query),
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      fetch: this.#fetch,
      signal: options.signal,
      failed,
    }
  }

  async #attempt<Answer>(sending: Sending, timeoutMs: number, doubt: boolean, read: Read<Answer>): Promise<Answer> {
    const { response, deadline } = await sendOnce(sending, timeoutMs)
    const seq = Number(response.headers.get('penstock-seq'))
    if (Number.isSafeInteger(seq)) this.#seqSeen = Math.max(this.#seqSeen, seq)
    if (response.ok || response.status === 304) return read(response, deadline, sending)
    throw problemOf(response, await readText(response, deadline), sending.failed, { doubt, nowMs: Date.now() })
  }
}

async function readJson<Body>(response: Response, deadline: Deadline, { failed }: Sending): Promise<Body> {
  return parseJson(response, await readText(response, deadline), failed) as Body
}

/** Other characters would be cut off on the way, and two keys become one. */
function checkKey(key: string): string {
  if (key.length <= idempotencyKeyLengthMax && /^[!-~]+(?: +[!-~]+)*$/.test(key)) return key
  throw new TypeError(`idempotencyKey must be 1 to ${idempotencyKeyLengthMax} visible ASCII characters`)
}

function queryString(query: Query): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined) params.set(name, String(value))
  const text = params.toString()
  return text === '' ? '' : `?${text}`
}

/** Rejects with the signal's reason as soon as it is aborted. */
export function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
  })
}

/** Without `URL.canParse`, which Node.js has since 18.17 only. */
function parseBaseUrl(baseUrl: string): URL {
  try {
    return new URL(baseUrl)
  } catch (cause) {
    throw new TypeError('baseUrl is missing or no URL: expected http://host or https://host', { cause })
  }
}
