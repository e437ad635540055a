import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { requestDeadlineMs, retryAfterSeconds } from '@penstock/domain/limits.ts'
import { CommandError, exitCodes, usageError } from './exit-code.ts'
import { baseUrl, dataOption, settingsOf } from './settings.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { Call, Context, Option } from './command.ts'
import type { ExitCode } from './exit-code.ts'

export type Json = Readonly<Record<string, unknown>>

/** How often a request is sent at most, when the server is busy or the answer is lost. */
const attemptsMax = 3

/** Options of every command that talks to a server. */
export const serverOptions: readonly Option[] = [
  { flags: '--url <url>', summary: 'where the server answers (http://PENSTOCK_HOST:PENSTOCK_PORT)' },
  dataOption,
]

export const serverNotes =
  'Asks a running box, with the secret key of PENSTOCK_SECRET_KEY or else of bootstrap-keys.json in the data folder.'

/** A server's answer that is an error. */
export class ApiRefusal extends CommandError {
  readonly status: number
  /** The field at fault, as `skus[0].stock`; null when no field is. */
  readonly param: string | null
  constructor(method: string, status: number, problem: Json) {
    super(
      exitCodeOf(method, status),
      `the server refused (${status} ${String(problem['code'])}): ${String(problem['detail'])}`,
      { problem },
    )
    this.name = 'ApiRefusal'
    this.status = status
    this.param = typeof problem['param'] === 'string' ? problem['param'] : null
  }
}

function exitCodeOf(method: string, status: number): ExitCode {
  if (status === 503 || status === 504) return exitCodes.unavailable
  if (status >= 500) return exitCodes.failed
  // Of a read only what was asked for can be wrong. A write may be the second of a command, or wrong at this moment only.
  return status === 400 && method === 'GET' ? exitCodes.usage : exitCodes.refused
}

interface Answer {
  readonly body: Json
  readonly isReplay: boolean
}

/** The API of a running box, with one secret key. */
export class Api {
  readonly url: string
  readonly #key: string
  /** The newest commit seen: reads ask for it, whichever process answers. */
  #seq = 0

  constructor(url: string, secretKey: string) {
    this.url = url
    this.#key = secretKey
  }

  async get(path: string): Promise<Json> {
    return (await this.#send('GET', path, undefined, {})).body
  }

  /** Repeating the call with the same `idempotencyKey` has no second effect; absent: a new one. */
  async post(path: string, body: object = {}, idempotencyKey: string = randomUUID()): Promise<Json> {
    return (await this.postOnce(path, body, idempotencyKey)).body
  }

  /** Changes the fields of `body`; twice is as once. */
  async patch(path: string, body: object): Promise<Json> {
    return (await this.#send('PATCH', path, body, { 'idempotency-key': randomUUID() })).body
  }

  async delete(path: string): Promise<Json> {
    return (await this.#send('DELETE', path, undefined, { 'idempotency-key': randomUUID() })).body
  }

  /** As `post`; `isReplay`: the server has answered this key before, and gave the same answer again. */
  postOnce(path: string, body: object, idempotencyKey: string): Promise<Answer> {
    return this.#send('POST', path, body, { 'idempotency-key': idempotencyKey })
  }

  /** Every item of a list, page after page, newest first; at most `max`. */
  async list(path: string, query: URLSearchParams, max = Infinity): Promise<{ data: Json[]; hasMore: boolean }> {
    const data: Json[] = []
    for (;;) {
      query.set('limit', String(Math.min(100, max - data.length)))
      const page = await this.get(`${path}?${query.toString()}`)
      data.push(...(page['data'] as Json[]))
      const hasMore = page['has_more'] === true
      if (!hasMore || data.length >= max) return { data, hasMore }
      // A page that ran out of time says how far it looked.
      query.set('starting_after', String(page['scanned_to'] ?? data.at(-1)?.['id']))
    }
  }

  async #send(method: string, path: string, body: object | undefined, extra: Record<string, string>): Promise<Answer> {
    const headers = {
      authorization: `Bearer ${this.#key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(method === 'GET' && this.#seq > 0 ? { 'penstock-min-seq': String(this.#seq) } : {}),
      ...extra,
    }
    const content = body === undefined ? {} : { body: JSON.stringify(body) }
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#sendOnce(path, { method, headers, ...content })
      } catch (error) {
        const isLater = error instanceof CommandError && error.exitCode === exitCodes.unavailable
        // Repeating is harmless: a read, or a write with a key.
        if (!isLater || attempt === attemptsMax || isRefusedConnection(error)) throw error
        await sleep(retryAfterSeconds * 1_000)
      }
    }
  }

  async #sendOnce(path: string, init: RequestInit & { readonly method: string }): Promise<Answer> {
    const { response, text } = await this.#fetchText(path, init)
    this.#seq = Math.max(this.#seq, Number(response.headers.get('penstock-seq') ?? 0))
    const answer = parseObject(text)
    if (answer === null) {
      const start = text.slice(0, 60).replaceAll('\n', ' ')
      throw new CommandError(exitCodes.failed, `${this.url} is not Penstock: it answered ${response.status} "${start}"`)
    }
    if (!response.ok) throw new ApiRefusal(init.method, response.status, answer)
    return { body: answer, isReplay: response.headers.get('idempotent-replayed') === 'true' }
  }

  async #fetchText(path: string, init: RequestInit): Promise<{ response: Response; text: string }> {
    try {
      const response = await fetch(this.url + path, { ...init, signal: AbortSignal.timeout(requestDeadlineMs * 2) })
      return { response, text: await response.text() }
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      const reason = cause instanceof Error ? cause.message : String(cause)
      const advice = 'Is it running (npm start, or penstock start)? Is --url right?'
      throw new CommandError(exitCodes.unavailable, `no answer from ${this.url}: ${reason}. ${advice}`, {}, cause)
    }
  }
}

/** Nobody listens: waiting a second will not help. */
function isRefusedConnection({ cause }: CommandError): boolean {
  return cause instanceof Error && 'code' in cause && (cause.code === 'ECONNREFUSED' || cause.code === 'ENOTFOUND')
}

function parseObject(text: string): Json | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : null
  } catch {
    return null
  }
}

/** The API that the options of `call` name. Throws when there is no key or the URL is none. */
export function openApi(call: Call, context: Context): Api {
  const settings = settingsOf(call, context)
  const url = call.text('url') ?? baseUrl(settings.host, settings.port)
  if (!/^https?:\/\/[^\s/]/.test(url) || !URL.canParse(url)) {
    throw usageError(`--url is "${url}", expected a URL such as http://127.0.0.1:8080`)
  }
  if (call.text('url') === undefined && settings.port === 0) {
    throw usageError('PENSTOCK_PORT is 0, so the server listens on a port of its own choice: name it with --url')
  }
  return new Api(url.replace(/\/+$/, ''), readSecretKey(settings))
}

export interface KeyFile {
  readonly secret_key: string
  readonly publishable_key: string
}

/** What the writer keeps in the data folder. Throws when it is not there. */
export function readBootstrapKeys(dataFolder: string): KeyFile {
  return JSON.parse(readFileSync(join(dataFolder, 'bootstrap-keys.json'), 'utf8')) as KeyFile
}

function readSecretKey({ secretKey, dataFolder }: Settings): string {
  if (secretKey !== null) return secretKey
  try {
    return readBootstrapKeys(dataFolder).secret_key
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw usageError(
      `no secret key: set PENSTOCK_SECRET_KEY, or name the data folder of the box with --data (${reason})`,
    )
  }
}
