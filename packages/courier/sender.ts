import { Agent as HttpAgent, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { webhookAnswerBytesMax, webhookKeepAliveMs } from '@penstock/domain/limits.ts'
import { findUrlFault, hostOf, isPrivateHost } from '@penstock/domain/webhook-url.ts'
import { AddressRefused, guardedLookup } from './guarded-lookup.ts'
import { readRetryAfter } from './retry-after.ts'
import type { ClientRequest, IncomingMessage, RequestOptions } from 'node:http'
import type { LookupFunction } from 'node:net'
import type { WebhookUrlRules } from '@penstock/domain/webhook-url.ts'
import type { WebhookFault } from '@penstock/domain/webhook.ts'

export interface SenderDeps {
  readonly rules: WebhookUrlRules
  readonly timeoutMs: number
  readonly clock: () => number
}

/** What a receiver made of a request. */
export interface Answer {
  /** Of HTTP; null when none came. */
  readonly status: number | null
  /** Null: a status from 200 to 299. */
  readonly fault: WebhookFault | null
  /** How long the receiver wants to be left alone; null: it does not say. */
  readonly retryAfterMs: number | null
}

const noAnswer = (fault: WebhookFault): Answer => ({ status: null, fault, retryAfterMs: null })

/**
 * Sends requests to receivers, over connections that are kept. One deadline covers name, connection and answer.
 * Redirects are not followed. Of the body of an answer nothing is kept.
 */
export class Sender {
  readonly #deps: SenderDeps
  readonly #agents: { readonly 'http:': HttpAgent; readonly 'https:': HttpsAgent }
  readonly #lookup: LookupFunction

  constructor(deps: SenderDeps, lookup = guardedLookup(deps.rules.allowPrivate ? () => true : undefined)) {
    this.#deps = deps
    this.#lookup = lookup
    const options = { keepAlive: true, timeout: webhookKeepAliveMs }
    this.#agents = { 'http:': new HttpAgent(options), 'https:': new HttpsAgent(options) }
  }

  /** Never rejects. `abort` ends it early, as `connection`. */
  async send(
    target: string,
    headers: Readonly<Record<string, string>>,
    body: string,
    abort: AbortSignal,
  ): Promise<Answer> {
    const url = new URL(target)
    // An address in the URL is connected to without a lookup.
    if (!this.#deps.rules.allowPrivate && isPrivateHost(hostOf(url))) return noAnswer('address_refused')
    // The rules may have changed since the endpoint was made.
    if (findUrlFault(target, this.#deps.rules) !== null) return noAnswer('address_refused')
    const timeout = AbortSignal.timeout(this.#deps.timeoutMs)
    const signal = AbortSignal.any([abort, timeout])
    const bytes = Buffer.from(body)
    const sent = { ...headers, 'content-length': String(bytes.length) }
    try {
      return await this.#exchange(url, sent, bytes, signal)
    } catch (error) {
      if (timeout.aborted) return noAnswer('timeout')
      return noAnswer(isRefusal(error) ? 'address_refused' : 'connection')
    }
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy()
  }

  /** A kept connection may have been closed by the other side meanwhile: then once more, on a new one. */
  async #exchange(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
    signal: AbortSignal,
  ): Promise<Answer> {
    const isSecure = url.protocol === 'https:'
    const options: RequestOptions = { method: 'POST', headers, lookup: this.#lookup, signal }
    const start = (agent: HttpAgent | false): ClientRequest =>
      (isSecure ? httpsRequest : httpRequest)(url, { ...options, agent })
    const first = start(this.#agents[isSecure ? 'https:' : 'http:'])
    try {
      return this.#answerOf(await finish(first, body))
    } catch (error) {
      if (!first.reusedSocket || signal.aborted) throw error
      return this.#answerOf(await finish(start(false), body))
    }
  }

  #answerOf({ statusCode: status = 0, headers }: IncomingMessage): Answer {
    const retryAfterMs =
      status === 429 || status === 503 ? readRetryAfter(headers['retry-after'], this.#deps.clock()) : null
    if (status >= 200 && status < 300) return { status, fault: null, retryAfterMs }
    return { status, fault: status >= 300 && status < 400 ? 'redirect' : 'status', retryAfterMs }
  }
}

/**
 * Sends the body, and reads the answer to its end, so that the connection can be used again. One that is too long is cut
 * off: its head has said all there is to know. Rejects when it breaks off before.
 */
function finish(outgoing: ClientRequest, body: Buffer): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.on('error', reject)
    // Behind the others, but for an answer that switches protocols (101), which is neither a response nor an error.
    outgoing.on('close', () => reject(new Error('the connection ended without an answer')))
    outgoing.on('response', (response) => {
      let size = 0
      const done = (): void => resolve(response)
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= webhookAnswerBytesMax) return
        done()
        response.destroy()
      })
      response.on('end', done)
      response.on('error', reject)
      // Behind one of the others, but for an answer that is broken off without an error.
      response.on('close', () => reject(new Error('the answer was broken off')))
    })
    outgoing.end(body)
  })
}

/** Tried address by address, Node gives one error for all of them. */
function isRefusal(error: unknown): boolean {
  if (error instanceof AggregateError) return error.errors.some(isRefusal)
  return error instanceof AddressRefused
}
