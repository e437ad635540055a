import { createServer } from 'node:http'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { providerCallsMax } from '@penstock/domain/limits.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { firstPlace } from '@penstock/store/provider-queries.ts'
import { SqliteProviderQueries } from '@penstock/store-sqlite/sqlite-provider-queries.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { expectStatus, footprint, openDrop, poll, takeHold } from './shop.ts'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { WireCheckout, WireHold, WireList, WirePayment } from '../wire-types.ts'

/** Every answer in these tests is in the document. */
const { check } = new AnswerChecker(currentDocument())

/** Answers as Stripe's API would: one payment for each idempotency key. */
class StripeStub {
  readonly keys: string[] = []
  status = 200
  #server: Server | null = null
  #mayAnswer: Promise<void> = Promise.resolve()

  /** Nothing is answered until `release`. */
  pause(): { release: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#mayAnswer = promise
    return { release: resolve }
  }

  async listen(): Promise<string> {
    const server = createServer((request, response) => {
      request.resume().on('end', () => {
        const key = String(request.headers['idempotency-key'])
        this.keys.push(key)
        const number = [...new Set(this.keys)].indexOf(key)
        const body = { id: `pi_${number}`, object: 'payment_intent', client_secret: `pi_${number}_secret` }
        const error = { error: { type: 'invalid_request_error', message: 'The amount is too small.' } }
        void this.#mayAnswer.then(() => {
          response.writeHead(this.status, { 'content-type': 'application/json' })
          response.end(JSON.stringify(this.status === 200 ? body : error))
        })
      })
    })
    this.#server = server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server?.closeAllConnections()
    this.#server?.close()
  }
}

describe.each(['uws', 'node'] as const)('checkouts, on %s', (transport) => {
  const stub = new StripeStub()
  let box: Box
  let seller: Client
  let browser: Client
  /** Without a key: a page for a person. */
  let visitor: Client

  beforeAll(async () => {
    const environment = {
      STRIPE_SECRET_KEY: 'sk_test_0123456789abcdef',
      STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdefghij',
      STRIPE_API_BASE: await stub.listen(),
      // What money without goods becomes by itself is for courier-refunds.test.ts.
      PENSTOCK_AUTO_REFUND: '0',
    }
    box = await Box.start({ transport, environment })
    const session = { seq: 0 }
    seller = new Client(box.url, box.secretKey, { session, check })
    browser = new Client(box.url, box.publishableKey, { session, check })
    visitor = new Client(box.url, '', { session, connections: 0 })
  })
  afterAll(async () => {
    for (const client of [seller, browser, visitor]) client.close()
    await box.stop()
    stub.close()
  })
  afterEach(() => {
    stub.status = 200
    expect(auditDatabase(box.databasePath)).toEqual([])
  })

  const open = (hold: WireHold, body: object) => seller.post<WireCheckout>(`/v1/holds/${hold.id}/checkout`, body)

  async function newHold(fields: object = {}): Promise<WireHold> {
    return takeHold(seller, await openDrop(seller, fields))
  }

  /** A hold with its payment at the test provider, and the way to its page. */
  async function newTestPayment(fields: object = {}, more: object = {}) {
    const hold = await newHold(fields)
    const { url } = expectStatus(await open(hold, { provider: 'test', ...more }), 201).body
    return { hold, path: String(url).slice(box.url.length) }
  }

  const press = (path: string, form: Record<string, string>) =>
    visitor.send('POST', path, new URLSearchParams(form).toString(), {
      'content-type': 'application/x-www-form-urlencoded',
    })

  async function paymentsOf(hold: WireHold): Promise<readonly WirePayment[]> {
    return (await seller.get<WireList<WirePayment>>(`/v1/payments?hold=${hold.id}`)).body.data
  }

  const payments = (hold: WireHold, count: number) =>
    poll(`${count} payments`, 10_000, async () => {
      const found = await paymentsOf(hold)
      return found.length === count && found
    })

  it('opens a payment at Stripe, once for a hold, however often it is asked', async () => {
    const hold = await newHold()
    const calls = stub.keys.length
    const first = expectStatus(await open(hold, { provider: 'stripe' }), 201)
    const facts = { object: 'checkout', provider: 'stripe', hold: hold.id, amount: hold.amount, currency: 'usd' }
    expect(first.body).toMatchObject({ ...facts, url: null, expires_at: hold.expires_at })
    expect(first.body.client_secret).toBe(`${first.body.provider_payment_id}_secret`)
    expect((await open(hold, { provider: 'stripe' })).body).toEqual(first.body)
    expect(stub.keys.slice(calls)).toEqual([`penstock-payment-${hold.id}`])
  })

  it('opens one payment for a hold that is asked for 20 times at once', async () => {
    const hold = await newHold()
    const answers = await Promise.all(Array.from({ length: 20 }, () => open(hold, { provider: 'stripe' })))
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
  })

  it('asks Stripe together for a hold that is asked for at once, so that it keeps no other buyer waiting', async () => {
    const [hold, other] = [await newHold(), await newHold()]
    const calls = stub.keys.length
    const { release } = stub.pause()
    const asked = Array.from({ length: 2 * providerCallsMax }, () => {
      const buyer = new Client(box.url, box.secretKey, { connections: 0 })
      return buyer.post(`/v1/holds/${hold.id}/checkout`, { provider: 'stripe' })
    })
    await poll('the calls', 3_000, () => stub.keys.length > calls)
    const others = open(other, { provider: 'stripe' })
    await poll('the call for the other hold', 3_000, () => stub.keys.at(-1) === `penstock-payment-${other.id}`)
    release()
    expectStatus(await others, 201)
    for (const answer of await Promise.all(asked)) expectStatus(answer, 201)
    // Two processes ask once each, and again for those who came after the answer; each for itself would be 128 calls.
    const made = stub.keys.slice(calls).filter((key) => key === `penstock-payment-${hold.id}`).length
    expect(made).toBeLessThanOrEqual(asked.length / 8)
  })

  it('takes the buyer’s client secret with a publishable key, and nothing less', async () => {
    const hold = await newHold()
    const ask = (secret: string) =>
      browser.post(`/v1/holds/${hold.id}/checkout`, { provider: 'test' }, { 'penstock-client-secret': secret })
    expect(await ask('')).toMatchObject({ status: 403, body: { code: 'invalid_client_secret' } })
    expect(await ask('cs_wrong')).toMatchObject({ status: 403, body: { code: 'invalid_client_secret' } })
    expect(await ask(hold.client_secret)).toMatchObject({ status: 201 })
  })

  it('is answered the same under one Idempotency-Key', async () => {
    const hold = await newHold()
    const ask = () =>
      seller.post(`/v1/holds/${hold.id}/checkout`, { provider: 'test' }, { 'idempotency-key': `of ${hold.id}` })
    const first = expectStatus(await ask(), 201)
    const again = await ask()
    expect([again.status, again.text, again.headers['idempotent-replayed']]).toEqual([201, first.text, 'true'])
  })

  it.each<[string, object, number, string]>([
    ['no provider', {}, 400, 'invalid_request'],
    ['an unknown provider', { provider: 'paypal' }, 400, 'invalid_request'],
    ['an unknown field', { provider: 'test', x: 1 }, 400, 'invalid_request'],
    ['a script as return_url', { provider: 'test', return_url: 'javascript:alert(1)' }, 400, 'invalid_request'],
    ['a return_url that is none', { provider: 'test', return_url: 'http://[' }, 400, 'invalid_request'],
    ['a provider that is not configured', { provider: 'payos' }, 404, 'provider_not_configured'],
  ])('refuses %s, and writes nothing', async (_, body, status, code) => {
    const hold = await newHold()
    const before = footprint(box.databasePath)
    expect(await open(hold, body)).toMatchObject({ status, body: { code } })
    expect(footprint(box.databasePath)).toEqual(before)
  })

  it('refuses a hold that is not there or not active', async () => {
    const unknown = await seller.post('/v1/holds/hold_00000000000000000000000000/checkout', { provider: 'test' })
    expect(unknown).toMatchObject({ status: 404, body: { code: 'not_found', param: 'id' } })
    const hold = await newHold()
    expectStatus(await seller.delete(`/v1/holds/${hold.id}`), 200)
    expect(await open(hold, { provider: 'test' })).toMatchObject({ status: 409, body: { code: 'hold_not_active' } })
  })

  it.each([
    [400, 502, 'provider_refused'],
    [503, 503, 'provider_unavailable'],
  ])('says so when Stripe answers %i: %i %s', async (stripeStatus, status, code) => {
    const hold = await newHold()
    stub.status = stripeStatus
    expect(await open(hold, { provider: 'stripe' })).toMatchObject({ status, body: { code } })
    stub.status = 200
    expectStatus(await open(hold, { provider: 'stripe' }), 201)
  })

  it('shows a payment page that works without JavaScript, and refuses an address that was changed', async () => {
    const { path } = await newTestPayment()
    const page = expectStatus(await visitor.get(path), 200)
    expect(page.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(page.headers['content-security-policy']).toContain("default-src 'none'")
    expect(page.text).toContain('49.99 USD')
    for (const action of ['succeed', 'decline', 'cancel', 'pay_late', 'pay_twice', 'wrong_amount']) {
      expect(page.text).toContain(`value="${action}"`)
    }
    for (const changed of [path.replace('token=', 'token=x'), `${path}&return_url=https://evil.example`]) {
      expect(await visitor.get(changed)).toMatchObject({ status: 404 })
      expect(await press(changed, { action: 'succeed' })).toMatchObject({ status: 404 })
    }
    expect(await press(path, { action: 'steal' })).toMatchObject({ status: 400 })
    expect(await press(path, { action: 'succeed', copies: '11' })).toMatchObject({ status: 400 })
    expect(await press(path, { action: 'succeed', delay: '601' })).toMatchObject({ status: 400 })
  })

  it.each([
    ['succeed', {}, [['captured', null]]],
    ['succeed', { copies: '10' }, [['captured', null]]],
    [
      'pay_twice',
      { copies: '3', reorder: '1' },
      [
        ['captured', null],
        ['refund_due', 'hold_already_captured'],
      ],
    ],
    ['wrong_amount', {}, [['refund_due', 'amount_mismatch']]],
  ] as const)('%s with %j on the page: %j', async (action, delivery, expected) => {
    const { hold, path } = await newTestPayment()
    expectStatus(await press(path, { action, ...delivery }), 200)
    const found = (await payments(hold, expected.length)).map(({ status, reason }) => `${status} ${reason}`)
    expect(new Set(found)).toEqual(new Set(expected.map(([status, reason]) => `${status} ${reason}`)))
  })

  it('pay late on the page comes when the hold has ended, and finds units', async () => {
    const { hold, path } = await newTestPayment({ hold_ttl: 1 })
    expectStatus(await press(path, { action: 'pay_late' }), 200)
    expect(await payments(hold, 1)).toMatchObject([{ status: 'captured' }])
  })

  it('cancel on the page gives the units back; decline leaves the hold to another attempt', async () => {
    const { hold, path } = await newTestPayment()
    expectStatus(await press(path, { action: 'decline' }), 200)
    expectStatus(await press(path, { action: 'cancel' }), 200)
    await poll('the hold is released', 5_000, async () => {
      return (await seller.get<WireHold>(`/v1/holds/${hold.id}`)).body.status === 'released'
    })
  })

  it('goes back to the shop after a button was pressed', async () => {
    const { hold, path } = await newTestPayment({}, { return_url: 'https://shop.example/thanks?x=1' })
    const answer = await press(path, { action: 'succeed' })
    expect([answer.status, answer.headers.location]).toEqual([
      303,
      `https://shop.example/thanks?x=1&penstock_hold=${hold.id}`,
    ])
    await payments(hold, 1)
  })

  it('a webhook that is lost leaves an open checkout to ask about, and the provider’s books say what happened', async () => {
    const { hold, path } = await newTestPayment()
    expectStatus(await press(path, { action: 'succeed', loss: '100' }), 200)
    const queries = new SqliteProviderQueries(box.databasePath)
    const left = queries.listOpenCheckouts('test', firstPlace, Date.now() + 1, 1_000)
    queries.close()
    expect(left.find(({ holdId }) => holdId === hold.id)).toMatchObject({ provider: 'test', state: 'open' })
    expect(await paymentsOf(hold)).toEqual([])
    expect(readFileSync(join(box.dataFolder, 'test-provider.ndjson'), 'utf8')).toContain(hold.id)
  })
})
