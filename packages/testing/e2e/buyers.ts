import { randomUUID } from 'node:crypto'
import { Client } from '../client.ts'
import { holdBody, paymentBody } from './shop.ts'
import type { Answer, Headers } from '../client.ts'
import type { WireDrop, WireHold, WirePayment } from '../wire-types.ts'

/** From the first try of a request to its answer, broken connections and all. */
const convergeMs = 30_000

export interface LoadOptions {
  readonly url: string
  readonly secretKey: string
  readonly drop: WireDrop
  readonly buyers: number
  /** Buyers at once, each on a connection of its own. */
  readonly connections: number
  /** Whether the n-th buyer sends Idempotency-Keys. Without one a broken connection is not tried again. */
  readonly hasKey: (buyer: number) => boolean
}

/**
 * A steady load: each buyer takes a hold and pays it. Remembers what was acknowledged, what went wrong and how long the
 * slowest answer took.
 */
export class Load {
  readonly holds: WireHold[] = []
  readonly payments: WirePayment[] = []
  /** Answers that were no success, as `504 deadline_exceeded`, and broken requests that could not be tried again. */
  readonly failures: string[] = []
  /** Requests that were sent again with their key because their connection broke. */
  retries = 0
  /** Answers that said they were a replay: the first try had its effect. */
  replays = 0
  slowestMs = 0
  readonly #options: LoadOptions
  readonly #waiters = new Set<() => void>()
  #next = 0

  constructor(options: LoadOptions) {
    this.#options = options
  }

  /** Resolves when every buyer is done. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.connections }, () => this.#runConnection()))
  }

  /** Resolves once so many payments are acknowledged. */
  whenPaid(count: number): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.payments.length < count) return
        this.#waiters.delete(check)
        resolve()
      }
      this.#waiters.add(check)
      check()
    })
  }

  /** No buyer comes any more; those who have begun finish. `run` resolves then. */
  stop(): void {
    this.#next = this.#options.buyers
  }

  async #runConnection(): Promise<void> {
    const { url, secretKey, buyers } = this.#options
    const client = new Client(url, secretKey, { connections: 1 })
    while (this.#next < buyers) await this.#buy(client, this.#next++)
    client.close()
  }

  async #buy(client: Client, buyer: number): Promise<void> {
    const { drop, hasKey } = this.#options
    const wanted = holdBody(drop, { customer: { email: `load-${buyer}@example.com` } })
    const hold = await this.#request<WireHold>(client, '/v1/holds', wanted, hasKey(buyer))
    if (hold === null) return
    this.holds.push(hold)
    const payment = await this.#request<WirePayment>(client, '/v1/payments', paymentBody(hold), hasKey(buyer))
    if (payment === null) return
    this.payments.push(payment)
    for (const check of this.#waiters) check()
  }

  async #request<Body>(client: Client, path: string, body: object, hasKey: boolean): Promise<Body | null> {
    const headers: Headers = hasKey ? { 'idempotency-key': randomUUID() } : {}
    const startMs = performance.now()
    for (;;) {
      try {
        const answer = await client.post<Body>(path, body, headers)
        this.slowestMs = Math.max(this.slowestMs, performance.now() - startMs)
        return this.#accept(path, answer)
      } catch (error) {
        if (!hasKey || performance.now() - startMs > convergeMs) {
          this.failures.push(`${path}: ${String(error)}`)
          return null
        }
        this.retries += 1
      }
    }
  }

  #accept<Body>(path: string, answer: Answer<Body>): Body | null {
    if (answer.status !== 201) {
      this.failures.push(`${path}: ${answer.status} ${answer.text}`)
      return null
    }
    if (answer.headers['idempotent-replayed'] === 'true') this.replays += 1
    return answer.body
  }
}
