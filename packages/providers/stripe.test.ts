import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createNetServer } from 'node:net'
import { once } from 'node:events'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { ProviderError } from './provider.ts'
import { StripeProvider } from './stripe.ts'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { PaymentProvider } from './provider.ts'

/**
 * The calls of this provider as the official mock of Stripe's API, stripe-mock, answered them: it checks each request
 * against Stripe's OpenAPI description. `RECORD_STRIPE=1` writes the file anew; it needs stripe-mock.
 */
const contractPath = new URL('./stripe-contract.json', import.meta.url)
const mockPath = [process.env['STRIPE_MOCK'] ?? '', '/tmp/gobin/stripe-mock', '/usr/local/bin/stripe-mock'].find(
  (path) => existsSync(path),
)
const isRecording = process.env['RECORD_STRIPE'] === '1'

interface Exchange {
  readonly request: { readonly method: string; readonly path: string; readonly body: string; readonly key: string }
  readonly response: { readonly status: number; readonly body: unknown }
}

interface Reply {
  readonly status: number
  readonly body: unknown
  /** Before the answer; Infinity: never. */
  readonly delayMs?: number
}

const closers: (() => void)[] = []
afterEach(() => {
  for (const close of closers.splice(0)) close()
})

/** A server that answers as it is told, and keeps what it was asked. */
async function serve(answer: (request: Exchange['request'], number: number) => Reply | Promise<Reply>) {
  const requests: Exchange['request'][] = []
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request
      const seen = {
        method,
        path,
        body: Buffer.concat(chunks).toString(),
        key: String(headers['idempotency-key'] ?? ''),
      }
      requests.push(seen)
      void Promise.resolve(answer(seen, requests.length)).then(({ status, body, delayMs = 0 }) => {
        if (delayMs === Infinity) return
        response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
      })
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closers.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { requests, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

function provider(apiBase: string): PaymentProvider {
  return new StripeProvider({
    secretKey: 'sk_test_0123456789abcdef',
    webhookSecrets: [],
    apiBase,
    clock: Date.now,
    random: () => 0,
  })
}

const call = { deadlineMs: 10_000 }
const request = {
  holdId: 'hold_01fwhe4ydgfk1shh6w1g60eecf',
  amountMinor: 4_999,
  currency: 'usd',
  description: 'Friday drop',
  email: 'ada@example.com',
  returnUrl: null,
  expiresMs: 1_800_000_000_000,
  holdSecret: 'cs_secret',
  idempotencyKey: 'penstock-payment-hold_1',
} as const
const refund = {
  providerPaymentId: 'pi_1',
  refundId: 'rfnd_1',
  amountMinor: 500,
  currency: 'usd',
  reason: 'Too small',
  idempotencyKey: 'penstock-refund-rfnd_1',
} as const

/** Every call, once. */
async function useAll(stripe: PaymentProvider): Promise<unknown[]> {
  return [
    await stripe.createPayment(request, call),
    await stripe.cancelPayment('pi_1', call),
    await stripe.cancelPayment('cs_test_1', call),
    await stripe.findPayment('pi_1', call),
    await stripe.refund(refund, call),
  ]
}

const results = [
  { providerPaymentId: expect.stringMatching(/^pi_/), clientSecret: expect.any(String), url: null },
  'cancelled',
  'cancelled',
  { status: expect.stringMatching(/^open|paid|cancelled$/), facts: expect.any(Array) },
  { providerRefundId: expect.stringMatching(/^re_/), status: 'succeeded', detail: null },
]

async function freePort(): Promise<number> {
  const server = createNetServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function startMock(path: string): Promise<string> {
  const port = await freePort()
  const child = spawn(path, ['-http-addr', `127.0.0.1:${port}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  closers.push(() => child.kill('SIGKILL'))
  await new Promise<void>((resolve, reject) => {
    let seen = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        seen += chunk.toString()
        if (/listening/i.test(seen)) resolve()
      })
    }
    child.once('exit', (code) => reject(new Error(`stripe-mock ended with ${code}: ${seen}`)))
  })
  return `http://127.0.0.1:${port}`
}

if (mockPath === undefined) {
  console.warn('stripe-mock is not here: the recorded contract is checked, and the mock itself is NOT.')
}

describe.skipIf(mockPath === undefined)('StripeProvider against stripe-mock', () => {
  it('makes requests that Stripe understands', async () => {
    const mock = await startMock(mockPath ?? '')
    const exchanges: Exchange[] = []
    const { url } = await serve(async (seen) => {
      const answer = await fetch(mock + seen.path, {
        method: seen.method,
        headers: { authorization: 'Bearer sk_test_123', 'content-type': 'application/x-www-form-urlencoded' },
        ...(seen.body === '' ? {} : { body: seen.body }),
      })
      const response = { status: answer.status, body: await answer.json() }
      exchanges.push({ request: seen, response })
      return response
    })
    expect(await useAll(provider(url))).toMatchObject(results)
    expect(exchanges.map(({ response }) => response.status)).toEqual(exchanges.map(() => 200))
    if (isRecording) writeFileSync(contractPath, `${JSON.stringify(exchanges, null, 2)}\n`)
  })
})

it('StripeProvider makes the requests of the recorded contract, and understands its answers', async () => {
  const contract = JSON.parse(readFileSync(contractPath, 'utf8')) as Exchange[]
  const { url, requests } = await serve((_, number) => {
    return contract[number - 1]?.response ?? { status: 500, body: {} }
  })
  expect(await useAll(provider(url))).toMatchObject(results)
  expect(requests).toEqual(contract.map((exchange) => exchange.request))
})

const stripeError = (code: string, type = 'invalid_request_error'): object => ({ error: { type, code, message: code } })

it('StripeProvider tries again with the same key after an error of Stripe, and after none came at all', async () => {
  const replies: Reply[] = [
    { status: 500, body: {} },
    { status: 200, body: {}, delayMs: Infinity },
    { status: 200, body: { id: 'pi_1', client_secret: 'pi_1_secret' } },
  ]
  const { url, requests } = await serve((_, number) => replies[number - 1] ?? { status: 500, body: {} })
  expect(await provider(url).createPayment(request, call)).toMatchObject({ providerPaymentId: 'pi_1' })
  expect(requests.map(({ key }) => key)).toEqual(Array(3).fill(request.idempotencyKey))
})

it('StripeProvider gives up at the deadline, and after providerAttemptsMax attempts', async () => {
  const silent = await serve(() => ({ status: 200, body: {}, delayMs: Infinity }))
  const startMs = Date.now()
  await expect(provider(silent.url).createPayment(request, { deadlineMs: 300 })).rejects.toThrow(ProviderError)
  expect(Date.now() - startMs).toBeLessThan(2_000)
  const broken = await serve(() => ({ status: 503, body: {} }))
  const failure = provider(broken.url).createPayment(request, call)
  await expect(failure).rejects.toMatchObject({ code: 'unreachable', retryable: true })
  expect(broken.requests).toHaveLength(3)
})

it.each<[string, Reply, object]>([
  ['a wrong key', { status: 401, body: stripeError('x') }, { code: 'misconfigured', retryable: false }],
  ['a bad request', { status: 400, body: stripeError('amount_too_small') }, { code: 'refused', retryable: false }],
  ['a rate limit', { status: 429, body: stripeError('rate_limit') }, { code: 'rate_limited', retryable: true }],
])('StripeProvider says what went wrong: %s', async (_, reply, error) => {
  const { url, requests } = await serve(() => reply)
  await expect(provider(url).createPayment(request, call)).rejects.toMatchObject(error)
  expect(requests.length).toBe('retryable' in error && error.retryable === true ? 3 : 1)
})

it('StripeProvider never repeats its key in an error', async () => {
  const key = 'sk_test_0123456789abcdef'
  const { url } = await serve(() => ({ status: 401, body: { error: { message: `Invalid API Key provided: ${key}` } } }))
  await expect(provider(url).createPayment(request, call)).rejects.toThrow(/^(?!.*0123456789abcdef)/)
})

it('StripeProvider leaves the payment and its buyer out of an error, which is logged', async () => {
  const payment_intent = { id: 'pi_1', client_secret: 'pi_1_secret_2', receipt_email: 'ada@example.com' }
  const error = { type: 'invalid_request_error', code: 'amount_too_small', message: 'No.', payment_intent }
  const { url } = await serve(() => ({ status: 400, body: { error } }))
  const failure = await provider(url)
    .createPayment(request, call)
    .catch((reason: unknown) => reason)
  expect(inspect(failure, { depth: Infinity })).toMatch(/amount_too_small/)
  expect(inspect(failure, { depth: Infinity })).not.toMatch(/pi_1_secret_2|ada@example\.com/)
})

it.each<[string, unknown]>([
  ['nothing', {}],
  ['a number for an id', { id: 1, client_secret: 'x' }],
  ['an object for a secret', { id: 'pi_1', client_secret: {} }],
])('StripeProvider takes no payment that has %s: the writer would not either', async (_, body) => {
  const { url } = await serve(() => ({ status: 200, body }))
  const failure = provider(url).createPayment(request, call)
  await expect(failure).rejects.toMatchObject({ name: 'ProviderError', code: 'unreachable' })
})

it.each([
  ['succeeded', 'already_paid'],
  ['canceled', 'already_cancelled'],
])('StripeProvider cancelPayment of one that has %s answers %s', async (status, outcome) => {
  const { url } = await serve(({ method }) =>
    method === 'POST'
      ? { status: 400, body: stripeError('payment_intent_unexpected_state') }
      : { status: 200, body: { id: 'pi_1', status } },
  )
  expect(await provider(url).cancelPayment('pi_1', call)).toBe(outcome)
})

it.each([
  ['complete', 'already_paid'],
  ['expired', 'already_cancelled'],
])('StripeProvider cancelPayment of a session that is %s answers %s', async (status, outcome) => {
  const { url } = await serve(({ method }) =>
    method === 'POST' ? { status: 400, body: stripeError('x') } : { status: 200, body: { id: 'cs_1', status } },
  )
  expect(await provider(url).cancelPayment('cs_1', call)).toBe(outcome)
})

it('StripeProvider findPayment tells the capture, then refunds and disputes, as webhooks do', async () => {
  const metadata = { penstock_hold: 'hold_1' }
  const bodies: Record<string, unknown> = {
    payment_intents: { id: 'pi_1', status: 'succeeded', amount_received: 300, currency: 'usd', metadata },
    refunds: {
      data: [
        {
          id: 're_1',
          amount: 100,
          currency: 'usd',
          payment_intent: 'pi_1',
          status: 'succeeded',
          created: 1,
          metadata: {},
        },
      ],
    },
    disputes: {
      data: [
        { id: 'dp_1', amount: 200, currency: 'usd', payment_intent: 'pi_1', status: 'lost', created: 1, reason: 'x' },
      ],
    },
  }
  const { url } = await serve(({ path }) => ({ status: 200, body: bodies[path.split(/[/?]/)[2] ?? ''] }))
  const { status, facts } = await provider(url).findPayment('pi_1', call)
  expect(status).toBe('paid')
  expect(facts.map(({ kind }) => kind)).toEqual(['payment_captured', 'refund_updated', 'dispute_closed'])
})

it.each([
  ['unknown', { status: 404, body: stripeError('resource_missing') }],
  ['cancelled', { status: 200, body: { id: 'pi_1', status: 'canceled' } }],
  ['open', { status: 200, body: { id: 'pi_1', status: 'processing' } }],
] as const)('StripeProvider findPayment: %s', async (status, reply) => {
  const { url } = await serve(() => reply)
  expect(await provider(url).findPayment('pi_1', call)).toEqual({ status, facts: [] })
})

it.each([
  [
    'is pending',
    { status: 200, body: { id: 're_1', amount: 500, currency: 'usd', status: 'pending', created: 1 } },
    'pending',
  ],
  ['is refused for good', { status: 400, body: stripeError('charge_already_refunded') }, 'failed'],
] as const)('StripeProvider refund that %s', async (_, reply, status) => {
  const { url } = await serve(() => reply)
  expect(await provider(url).refund(refund, call)).toMatchObject({ status })
})

it.each<[string, object]>([
  ['id', { id: undefined }],
  ['id', { id: 7 }],
  ['status', { status: undefined }],
  ['status', { status: null }],
  ['status', { status: 'reversed' }],
  ['amount', { amount: undefined }],
  ['amount', { amount: '500' }],
  ['amount', { amount: 499 }],
  ['currency', { currency: undefined }],
  ['currency', { currency: 'eur' }],
  ['created', { created: null }],
])(
  'StripeProvider refund names %s of an answer with %j, and calls it neither done nor failed',
  async (field, change) => {
    const answer = {
      id: 're_1',
      amount: 500,
      currency: 'usd',
      status: 'succeeded',
      created: 1,
      metadata: {},
      ...change,
    }
    const { url } = await serve(() => ({ status: 200, body: answer }))
    await expect(provider(url).refund(refund, call)).rejects.toMatchObject({
      name: 'ProviderError',
      retryable: true,
      message: expect.stringMatching(new RegExp(`: ${field} `)) as unknown,
    })
  },
)
