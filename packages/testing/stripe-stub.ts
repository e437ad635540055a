import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'

interface StubRefund {
  readonly id: string
  readonly payment: string
  readonly amount: number
  readonly penstockRefund: string
  readonly status: 'succeeded' | 'pending'
}

/** Stripe's API as far as refunds go: a real server with its own books, one refund for each idempotency key. */
export class StripeStub {
  readonly url: string
  /** By idempotency key. */
  readonly refunds = new Map<string, StubRefund>()
  /** Payments that were looked up. */
  readonly looked: string[] = []
  /** Requests for refunds, repeats included. */
  asked = 0
  /** refuse: as if the charge was refunded already, also under a known key. dead: connections end without an answer. */
  mode: 'succeed' | 'pending' | 'refuse' | 'dead' = 'succeed'
  /** Asked before a refund is made, and again before it is answered. False: not made; not answered. */
  onRefund: (at: 'asked' | 'made') => boolean | Promise<boolean> = () => true
  readonly #server: Server

  private constructor(server: Server, port: number) {
    this.#server = server
    this.url = `http://127.0.0.1:${port}`
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      const chunks: Buffer[] = []
      request.on('error', () => {})
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => void this.#answer(request, Buffer.concat(chunks).toString('utf8'), response))
    })
  }

  static async listen(): Promise<StripeStub> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('the stub has no port')
    return new StripeStub(server, address.port)
  }

  /** One that was pending has succeeded once others do. */
  #statusOf({ status }: StubRefund): StubRefund['status'] {
    return this.mode === 'pending' ? status : 'succeeded'
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  async #answer(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '', this.url)
    if (request.method === 'POST' && pathname === '/v1/refunds') return this.#refund(request, body, response)
    if (this.mode === 'dead') return void response.destroy()
    const of = searchParams.get('payment_intent')
    if (pathname === '/v1/refunds') {
      const all = [...this.refunds.values()].filter(({ payment }) => payment === of)
      return send(response, 200, { object: 'list', data: all.map((refund) => show(refund, this.#statusOf(refund))) })
    }
    if (pathname === '/v1/disputes') return send(response, 200, { object: 'list', data: [] })
    const [, id = ''] = /^\/v1\/payment_intents\/(\w+)$/.exec(pathname) ?? []
    this.looked.push(id)
    const facts = { amount_received: 5_000, currency: 'usd', metadata: { penstock_hold: 'hold_of_the_stub' } }
    return send(response, 200, { id, object: 'payment_intent', status: 'succeeded', ...facts })
  }

  async #refund(request: IncomingMessage, body: string, response: ServerResponse): Promise<void> {
    this.asked += 1
    if (this.mode === 'dead' || !(await this.onRefund('asked'))) return void response.destroy()
    if (this.mode === 'refuse') {
      const error = { type: 'invalid_request_error', code: 'charge_already_refunded', message: 'Already refunded.' }
      return send(response, 400, { error })
    }
    const key = String(request.headers['idempotency-key'])
    const form = new URLSearchParams(body)
    const refund: StubRefund = this.refunds.get(key) ?? {
      id: `re_${this.refunds.size + 1}`,
      payment: form.get('payment_intent') ?? '',
      amount: Number(form.get('amount')),
      penstockRefund: form.get('metadata[penstock_refund]') ?? '',
      status: this.mode === 'pending' ? 'pending' : 'succeeded',
    }
    this.refunds.set(key, refund)
    // A key that is known has its first answer, whatever became of the refund.
    if (await this.onRefund('made')) return send(response, 200, show(refund, refund.status))
    response.destroy()
  }
}

function show({ id, payment, amount, penstockRefund }: StubRefund, status: StubRefund['status']): object {
  const facts = { amount, currency: 'usd', created: 1_800_000_000, status }
  return { id, object: 'refund', payment_intent: payment, ...facts, metadata: { penstock_refund: penstockRefund } }
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
