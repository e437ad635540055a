import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RequestKind, Tally } from './tally.ts'

/** Tries of one request, with a pause between them, before it counts as never answered. */
const triesMax = 8
const pauseMs = 150
const answerMs = 15_000

export interface Answer {
  readonly status: number
  readonly json: Readonly<Record<string, unknown>>
}

export interface Call {
  readonly kind: RequestKind
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly key: string
  readonly body?: object
  readonly idempotencyKey?: string
  readonly clientSecret?: string
}

/**
 * The shop's side of HTTP: keep-alive connections, at most `connections` requests under way, first come, first served;
 * latency is measured from the moment a connection is free. A request without an answer, or refused as overloaded, is
 * sent again with the same Idempotency-Key, as promise P7 allows.
 */
export class ShopClient {
  readonly #url: string
  readonly #tally: Tally
  readonly #agent: http.Agent
  readonly #line: (() => void)[] = []
  #free: number

  constructor(url: string, connections: number, tally: Tally) {
    this.#url = url
    this.#tally = tally
    this.#free = connections
    this.#agent = new http.Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections })
  }

  async call(call: Call): Promise<Answer> {
    for (let left = triesMax; ; left--) {
      const answer = await this.#try(call)
      if (answer !== null && answer.status < 500) return answer
      if (left === 1)
        throw new Error(`${call.method} ${call.path}: ${answer?.status ?? 'no answer'}, ${triesMax} times`)
      this.#tally.resent += 1
      await sleep(pauseMs * (1 + Math.random()))
    }
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Null when the connection broke. */
  async #try(call: Call): Promise<Answer | null> {
    await this.#takeConnection()
    const sentMs = performance.now()
    try {
      const { status, text } = await this.#send(call)
      this.#tally.answered(call.kind, performance.now() - sentMs)
      return { status, json: JSON.parse(text) as Answer['json'] }
    } catch {
      return null
    } finally {
      this.#giveBack()
    }
  }

  #send({ method, path, key, body, idempotencyKey, clientSecret }: Call): Promise<{ status: number; text: string }> {
    const bytes = body === undefined ? null : Buffer.from(JSON.stringify(body))
    const headers: Record<string, string> = { authorization: `Bearer ${key}` }
    if (idempotencyKey !== undefined) headers['idempotency-key'] = idempotencyKey
    if (clientSecret !== undefined) headers['penstock-client-secret'] = clientSecret
    if (bytes !== null) {
      headers['content-type'] = 'application/json'
      headers['content-length'] = String(bytes.byteLength)
    }
    return new Promise((resolve, reject) => {
      const request = http.request(
        `${this.#url}${path}`,
        { method, headers, agent: this.#agent, timeout: answerMs },
        (response) => {
          const chunks: Buffer[] = []
          response.on('data', (chunk: Buffer) => chunks.push(chunk))
          response.once('error', reject)
          response.once('end', () => {
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') })
          })
        },
      )
      request.once('timeout', () => request.destroy(new Error(`no answer within ${answerMs} ms`)))
      request.once('error', reject)
      request.end(bytes)
    })
  }

  #takeConnection(): Promise<void> {
    if (this.#free > 0) {
      this.#free -= 1
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      this.#line.push(resolve)
    })
  }

  #giveBack(): void {
    const next = this.#line.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
