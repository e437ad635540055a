import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { testSignatureHeader } from '@penstock/providers/test-provider.ts'
import { signBody } from '@penstock/providers/webhook-signature.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { expectStatus, footprint, holdBody, openDrop, poll, present, readDrop, takeHold } from './shop.ts'
import type { Answer } from '../client.ts'
import type { WireBalance, WireDispute, WireDrop, WireHold, WireList, WirePayment, WireRefund } from '../wire-types.ts'

const stripeSecret = 'whsec_0123456789abcdefghij'
const oldStripeSecret = 'whsec_before_it_was_rolled'
const testSecret = 'test_0123456789abcdefghijkl'
const environment = {
  STRIPE_WEBHOOK_SECRET: `${stripeSecret},${oldStripeSecret}`,
  PENSTOCK_TEST_WEBHOOK_SECRET: testSecret,
}

/** Every answer in these tests is in the document. */
const { check } = new AnswerChecker(currentDocument())

interface Webhook {
  readonly outcome: string
}

interface Sending {
  readonly id?: string
  readonly secret?: string
  readonly timeMs?: number
  readonly header?: string
}

function stripeEvent(type: string, object: object, id = `evt_${randomUUID()}`): string {
  return JSON.stringify({ id, object: 'event', type, created: 1_800_000_000, data: { object } })
}

function intent(hold: WireHold, change: object = {}): { id: string } & Record<string, unknown> {
  const { id: penstock_hold, amount, currency } = hold
  const facts = { object: 'payment_intent', amount_received: amount, currency, metadata: { penstock_hold } }
  return { id: `pi_${randomUUID()}`, ...facts, ...change }
}

describe.each(['uws', 'node'] as const)('webhooks, on %s', (transport) => {
  let box: Box
  let seller: Client
  /** A provider has no key, and a new connection for every event. */
  let stripe: Client

  beforeAll(async () => {
    box = await Box.start({ transport, environment })
    const session = { seq: 0 }
    seller = new Client(box.url, box.secretKey, { session, check })
    stripe = new Client(box.url, '', { session, connections: 0, check })
  })
  afterAll(async () => {
    seller.close()
    stripe.close()
    await box.stop()
  })
  afterEach(() => {
    expect(auditDatabase(box.databasePath)).toEqual([])
  })

  function send(body: string, { secret = stripeSecret, timeMs = Date.now(), header }: Sending = {}) {
    const signature = header ?? signBody(body, secret, timeMs)
    return stripe.send<Webhook>('POST', '/v1/webhooks/stripe', body, { 'stripe-signature': signature })
  }

  function sendPaid(hold: WireHold, change: object = {}): Promise<Answer<Webhook>> {
    return send(stripeEvent('payment_intent.succeeded', intent(hold, change)))
  }

  async function paymentsOf(hold: WireHold): Promise<readonly WirePayment[]> {
    return expectStatus(await seller.get<WireList<WirePayment>>(`/v1/payments?hold=${hold.id}`), 200).body.data
  }

  async function onePayment(hold: WireHold): Promise<WirePayment> {
    const payments = await paymentsOf(hold)
    expect(payments).toHaveLength(1)
    return present(payments[0], 'the payment')
  }

  async function balances(): Promise<Record<string, number>> {
    const { data } = expectStatus(await seller.get<WireList<WireBalance>>('/v1/ledger/balances'), 200).body
    return Object.fromEntries(data.filter((row) => row.currency === 'usd').map((row) => [row.account, row.balance]))
  }

  it('100 parallel copies of one webhook have one effect, and all are answered with it', async () => {
    const drop = await openDrop(seller)
    const hold = await takeHold(seller, drop)
    const event = stripeEvent('payment_intent.succeeded', intent(hold))
    const answers = await Promise.all(Array.from({ length: 100 }, () => send(event)))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['200 {"object":"webhook","outcome":"captured"}']),
    )
    expect(answers.filter(({ headers }) => headers['idempotent-replayed'] !== 'true')).toHaveLength(1)
    expect(await onePayment(hold)).toMatchObject({ status: 'captured', provider: 'stripe', amount: hold.amount })
    expect((await readDrop(seller, drop.id)).skus[0]).toMatchObject({ held: 0, sold: 1 })
  })

  it('the same payment told by two events, and reported by the seller, is one payment', async () => {
    const hold = await takeHold(seller, await openDrop(seller))
    const paid = intent(hold)
    const { amount: amount_total, currency } = hold
    const session = { id: 'cs_1', payment_intent: paid.id, payment_status: 'paid', amount_total, currency }
    await send(stripeEvent('checkout.session.completed', { ...session, metadata: paid['metadata'] }))
    expectStatus(await send(stripeEvent('payment_intent.succeeded', paid)), 200)
    const body = { hold: hold.id, provider: 'stripe', provider_payment_id: paid.id, amount: hold.amount, currency }
    expectStatus(await seller.post('/v1/payments', body), 200)
    expect(await onePayment(hold)).toMatchObject({ status: 'captured' })
  })

  it.each([
    ['a wrong amount', { amount_received: 4_998 }, 'amount_mismatch'],
    ['a wrong currency', { currency: 'eur' }, 'currency_mismatch'],
  ])('%s is owed back to the buyer, and the hold stays', async (_, change, reason) => {
    const hold = await takeHold(seller, await openDrop(seller))
    expect((await sendPaid(hold, change)).body).toMatchObject({ outcome: 'refund_due' })
    expect(await onePayment(hold)).toMatchObject({ status: 'refund_due', reason, order: null })
    expect((await seller.get<WireHold>(`/v1/holds/${hold.id}`)).body.status).toBe('active')
  })

  it('money for a hold that is not there is unmatched, and the provider is content', async () => {
    const id = 'hold_00000000000000000000000000'
    const hold = { ...(await takeHold(seller, await openDrop(seller))), id }
    expect(expectStatus(await sendPaid(hold), 200).body).toMatchObject({ outcome: 'unmatched' })
  })

  it('two payments for one hold: goods for the first, the second is owed back', async () => {
    const hold = await takeHold(seller, await openDrop(seller))
    expect([(await sendPaid(hold)).body, (await sendPaid(hold)).body]).toMatchObject([
      { outcome: 'captured' },
      { outcome: 'refund_due' },
    ])
    const reasons = (await paymentsOf(hold)).map(({ reason }) => reason)
    expect(new Set(reasons)).toEqual(new Set(['hold_already_captured', null]))
  })

  it.each([
    ['with stock left', 2, 'captured', null],
    ['without stock left', 1, 'refund_due', 'sold_out'],
  ] as const)('payment after expiry %s', async (_, stock, outcome, reason) => {
    const drop = await openDrop(seller, { hold_ttl: 1, skus: [{ name: 'One size', unit_amount: 4_999, stock }] })
    const hold = await takeHold(seller, drop)
    expectStatus(await seller.patch(`/v1/drops/${drop.id}`, { hold_ttl: 600 }), 200)
    // Where there is one unit, somebody else gets it once the hold has ended.
    const taken = (): Promise<boolean> => seller.post('/v1/holds', holdBody(drop)).then(({ status }) => status === 201)
    const ended = async (): Promise<boolean> =>
      (await seller.get<WireHold>(`/v1/holds/${hold.id}`)).body.status === 'expired'
    await poll('the hold ends', 5_000, stock === 1 ? taken : ended)
    expect((await sendPaid(hold)).body).toEqual({ object: 'webhook', outcome })
    expect(await onePayment(hold)).toMatchObject({ status: outcome, reason })
  })

  it.each(['pause', 'end', 'cancel'])(
    '%s of the drop between payment and webhook does not punish the payer',
    async (action) => {
      const drop = await openDrop(seller)
      const hold = await takeHold(seller, drop)
      expectStatus(await seller.post(`/v1/drops/${drop.id}/${action}`), 200)
      expect((await sendPaid(hold)).body).toMatchObject({ outcome: 'captured' })
      expect(await onePayment(hold)).toMatchObject({ status: 'captured' })
    },
  )

  it('accepts either secret while one is being rolled', async () => {
    const hold = await takeHold(seller, await openDrop(seller))
    const body = stripeEvent('payment_intent.succeeded', intent(hold))
    expectStatus(await send(body, { secret: oldStripeSecret }), 200)
  })

  it.each<[string, Sending, string]>([
    ['another secret', { secret: 'whsec_of_somebody_else_entirely' }, 'invalid_signature'],
    ['no signature', { header: '' }, 'invalid_signature'],
    ['a signature that is no signature', { header: 't=1,v1=zz' }, 'invalid_signature'],
    ['a time 301 s ago', { timeMs: Date.now() - 330_000 }, 'webhook_expired'],
    ['a time 301 s ahead', { timeMs: Date.now() + 330_000 }, 'webhook_expired'],
  ])('refuses %s with 400, and writes nothing', async (_, sending, code) => {
    const hold = await takeHold(seller, await openDrop(seller))
    const before = footprint(box.databasePath)
    const answer = await send(stripeEvent('payment_intent.succeeded', intent(hold)), sending)
    expect(answer).toMatchObject({ status: 400, body: { code, retryable: false } })
    expect(footprint(box.databasePath)).toEqual(before)
  })

  it.each<[string, string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['an event without an id', '{"type":"payment_intent.succeeded","data":{"object":{}}}'],
    [
      'half an amount',
      stripeEvent('payment_intent.succeeded', {
        id: 'pi_1',
        amount_received: 0.5,
        currency: 'usd',
        metadata: { penstock_hold: 'hold_1' },
      }),
    ],
  ])('refuses what is signed and yet malformed: %s', async (_, body) => {
    const before = footprint(box.databasePath)
    expect(await send(body)).toMatchObject({ status: 400, body: { code: 'invalid_webhook' } })
    expect(footprint(box.databasePath)).toEqual(before)
  })

  it.each([
    ['payment_intent.processing', {}],
    ['payment_intent.payment_failed', {}],
    ['customer.created', { id: 'cus_1' }],
  ])('takes %s, which changes nothing', async (type, object) => {
    const hold = await takeHold(seller, await openDrop(seller))
    const before = footprint(box.databasePath)
    const answer = await send(stripeEvent(type, { ...intent(hold), ...object }))
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'ignored' } })
    expect(footprint(box.databasePath)).toEqual(before)
  })

  it('a body that is too large is refused, an unknown provider is not found, one without secrets is not configured', async () => {
    expect(await send('x'.repeat(300_000))).toMatchObject({ status: 413 })
    expect(await stripe.post('/v1/webhooks/paypal')).toMatchObject({ status: 404, body: { code: 'route_not_found' } })
    const answer = await stripe.post('/v1/webhooks/payos')
    expect(answer).toMatchObject({ status: 404, body: { code: 'provider_not_configured' } })
  })

  it('refunds and disputes set what the provider says, whether the payment is known or not', async () => {
    const before = await balances()
    const hold = await takeHold(seller, await openDrop(seller))
    const paid = intent(hold)
    const facts = { payment_intent: paid.id, currency: 'usd', created: 1_800_000_000, metadata: {} }
    const refund = { id: `re_${randomUUID()}`, amount: 999, status: 'succeeded', ...facts }
    const dispute = { id: `dp_${randomUUID()}`, amount: 1_000, status: 'lost', reason: 'fraudulent', ...facts }
    expect((await send(stripeEvent('refund.updated', refund))).body).toMatchObject({ outcome: 'waiting' })
    expect((await send(stripeEvent('charge.dispute.closed', dispute))).body).toMatchObject({ outcome: 'waiting' })
    expect((await send(stripeEvent('payment_intent.succeeded', paid))).body).toMatchObject({ outcome: 'captured' })
    const late = [
      stripeEvent('refund.created', { ...refund, status: 'pending' }),
      stripeEvent('charge.dispute.created', { ...dispute, status: 'needs_response' }),
      stripeEvent('charge.refunded', { id: 'ch_1', payment_intent: paid.id, amount_refunded: 999, metadata: {} }),
    ]
    for (const event of late) expectStatus(await send(event), 200)
    const payment = await onePayment(hold)
    expect(payment).toMatchObject({ status: 'disputed', amount_refunded: 999, amount_disputed: 1_000 })
    const list = async <Row>(path: string): Promise<readonly Row[]> =>
      expectStatus(await seller.get<WireList<Row>>(`${path}?payment=${payment.id}`), 200).body.data
    expect(await list<WireRefund>('/v1/refunds')).toMatchObject([{ status: 'succeeded', amount: 999 }])
    expect(await list<WireDispute>('/v1/disputes')).toMatchObject([{ status: 'lost', amount: 1_000 }])
    const after = await balances()
    expect((after['cash:stripe'] ?? 0) - (before['cash:stripe'] ?? 0)).toBe(3_000)
  })
})

describe('webhooks while there is no writer', () => {
  it('are answered in time with 503 and Retry-After, and nothing is lost when they are sent again', async () => {
    const box = await Box.start({ httpProcesses: 1, environment })
    const seller = new Client(box.url, box.secretKey)
    const provider = new Client(box.url, '', { connections: 0 })
    try {
      const drop: WireDrop = await openDrop(seller)
      const hold = await takeHold(seller, drop)
      const { id, amount, currency } = hold
      const data = { payment: 'tpay_1', hold: id, amount, currency }
      const body = JSON.stringify({ id: 'tevt_1', type: 'payment.captured', created: 1, data })
      const send = () =>
        provider.send<Webhook>('POST', '/v1/webhooks/test', body, {
          [testSignatureHeader]: signBody(body, testSecret, Date.now()),
        })
      const pid = present(box.pids.writer, 'the writer')
      process.kill(pid, 'SIGSTOP')
      const startMs = performance.now()
      const answer = await send()
      expect(performance.now() - startMs).toBeLessThan(8_000)
      expect(answer).toMatchObject({ status: 503, body: { code: 'webhook_not_taken', retryable: true } })
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      process.kill(pid, 'SIGCONT')
      expect(expectStatus(await send(), 200).body).toMatchObject({ outcome: 'captured' })
      expect((await readDrop(seller, drop.id)).skus[0]).toMatchObject({ held: 0, sold: 1 })
    } finally {
      seller.close()
      provider.close()
      await box.stop()
    }
  })
})

describe('live mode', () => {
  const live = {
    PENSTOCK_MODE: 'live',
    PENSTOCK_SECRET_KEY: 'sk_live_0123456789abcdef',
    PENSTOCK_PUBLISHABLE_KEY: 'pk_live_0123456789abcdef',
    STRIPE_SECRET_KEY: 'sk_live_of_stripe_0123456789',
    STRIPE_WEBHOOK_SECRET: stripeSecret,
  }

  it('refuses to start without the secrets of a provider, and names what is missing', async () => {
    const start = Box.start({ environment: { PENSTOCK_MODE: 'live' } })
    await expect(start).rejects.toThrow(/ended with code 2[^]*STRIPE_SECRET_KEY is not set/)
  })

  it('takes webhooks of Stripe, and has no test provider', async () => {
    const box = await Box.start({ httpProcesses: 1, environment: live })
    const seller = new Client(box.url, box.secretKey, { check })
    const provider = new Client(box.url, '', { connections: 0 })
    try {
      const hold = await takeHold(seller, await openDrop(seller))
      const body = stripeEvent('payment_intent.succeeded', intent(hold))
      const header = { 'stripe-signature': signBody(body, stripeSecret, Date.now()) }
      const answer = await provider.send<Webhook>('POST', '/v1/webhooks/stripe', body, header)
      expect(answer.body).toMatchObject({ outcome: 'captured' })
      const test = await provider.post('/v1/webhooks/test')
      expect(test).toMatchObject({ status: 404, body: { code: 'provider_not_configured' } })
      expect(await provider.get(`/pay/test/tpay_${hold.id}`)).toMatchObject({ body: { code: 'route_not_found' } })
      const key = expectStatus(await seller.post<{ secret: string }>('/v1/api_keys', { kind: 'secret' }), 201)
      expect(key.body.secret).toMatch(/^sk_live_/)
    } finally {
      seller.close()
      provider.close()
      await box.stop()
    }
  })
})
