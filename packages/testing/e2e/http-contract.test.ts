import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { idPattern } from '@penstock/domain/id.ts'
import { collectionNames, collections } from '@penstock/http/collections.ts'
import { referencePage, referencePagePolicy } from '@penstock/http/openapi/reference-page.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker, operationsOf } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { expectProblem } from './expect-problem.ts'
import {
  createDrop,
  expectStatus,
  holdBody,
  minimalDrop,
  newEmail,
  nowSeconds,
  openDrop,
  pay,
  paymentBody,
  poll,
  present,
  readDrop,
  seqOf,
  skuOf,
  takeHold,
} from './shop.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { Answer } from '../client.ts'
import type {
  WireApiKey,
  WireWebhookEndpoint,
  WireBalance,
  WireDispute,
  WireDrop,
  WireHold,
  WireList,
  WireOrder,
  WirePayment,
  WireProblem,
  WireRefund,
} from '../wire-types.ts'

const document = currentDocument()

/** Enough new connections that both HTTP processes get some: all on one has a chance of 2^-23. */
const manyConnections = 24

const address = { line1: 'Hauptstr. 1', line2: null, city: 'Köln', state: null, postal_code: '50667', country: 'DE' }

function anId(kind: IdKind): unknown {
  return expect.stringMatching(new RegExp(idPattern(kind)))
}

const aTime: unknown = expect.toSatisfy(
  (time: unknown) => typeof time === 'number' && Number.isInteger(time) && Math.abs(time - nowSeconds()) < 3_600,
  'a time in whole Unix seconds, near now',
)
function aCode(orderId: string | null, unit: number): unknown {
  return expect.stringMatching(new RegExp(`^pc_${orderId?.slice(4)}_${unit}_[0-9a-hjkmnp-tv-z]{16}$`))
}

const aSecret: unknown = expect.stringMatching(/^cs_[\w-]{32}$/)

describe.each(['uws', 'node'] as const)('the API on %s', (transport) => {
  let box: Box
  let seller: Client
  let browser: Client
  /** A new connection for every request, so that they spread over the HTTP processes. */
  let scattered: Client
  /** Every answer in these tests is in the document. */
  const checker = new AnswerChecker(document)

  beforeAll(async () => {
    // Webhooks go to a port where nobody listens.
    const environment = { PENSTOCK_WEBHOOK_ALLOW_PRIVATE: '1' }
    box = await Box.start({ transport, httpProcesses: 2, environment })
    // One session: what one of them wrote, the others read, whichever process answers.
    const session = { seq: 0 }
    const { check } = checker
    seller = new Client(box.url, box.secretKey, { session, check })
    browser = new Client(box.url, box.publishableKey, { session, check })
    scattered = new Client(box.url, box.secretKey, { session, check, connections: 0 })
  })

  afterAll(async () => {
    for (const client of [seller, browser, scattered]) client.close()
    await box.stop()
  })

  const onAllProcesses = <Body>(path: string, headers = {}): Promise<Answer<Body>[]> =>
    Promise.all(Array.from({ length: manyConnections }, () => scattered.get<Body>(path, headers)))

  it('runs on the transport under test', () => {
    expect(box.output).toContain(`http ready: ${transport} on`)
    expect(box.pids.http).toHaveLength(2)
  })

  describe('drops', () => {
    it('are created in draft with every field of the shape', async () => {
      const startsAt = nowSeconds() + 600
      const body = {
        name: 'Zwölf Schuhe 👟',
        description: 'Ein "Test" mit \\ und\nZeilen',
        image: 'https://example.com/a.png?b=1&c=2',
        currency: 'eur',
        starts_at: startsAt,
        ends_at: startsAt + 600,
        hold_ttl: 120,
        max_per_customer: 3,
        late_payment: 'refund',
        fees: [
          { name: 'Versand', kind: 'shipping', amount: 490 },
          { name: 'MwSt.', kind: 'tax', basis_points: 1_900 },
          { name: 'Gebühr', kind: 'service', basis_points: 0 },
        ],
        metadata: { 'shop.id': '7', note: '' },
        skus: [
          { name: 'Size 41', unit_amount: 0, stock: 0, max_per_order: null },
          { name: 'Size 42', unit_amount: 1_000_000_000_000, stock: 100_000_000, max_per_order: 8_000 },
        ],
      }
      const answer = await seller.post<WireDrop>('/v1/drops', body)
      expect(answer.status).toBe(201)
      expect(answer.headers['content-type']).toBe('application/json')
      const sku = (index: number): unknown => ({
        id: anId('sku'),
        object: 'sku',
        ...body.skus[index],
        held: 0,
        sold: 0,
        available: body.skus[index]?.stock,
      })
      expect(answer.body).toStrictEqual({
        ...body,
        id: anId('drop'),
        object: 'drop',
        status: 'draft',
        created: aTime,
        server_time: aTime,
        skus: [sku(0), sku(1)],
      })
      const read = await readDrop(seller, answer.body.id, answer.headers['penstock-seq'] as string)
      expect(read).toStrictEqual({ ...answer.body, server_time: aTime })
    })

    it('have defaults for what is left out', async () => {
      const drop = await createDrop(seller)
      expect(drop).toMatchObject({
        description: null,
        image: null,
        ends_at: null,
        hold_ttl: 600,
        max_per_customer: null,
        late_payment: 'reacquire',
        fees: [],
        metadata: {},
        starts_at: aTime,
      })
      expect(drop.starts_at).toBeLessThanOrEqual(drop.server_time)
    })

    it('that are drafts do not exist for publishable keys', async () => {
      const { id } = await createDrop(seller)
      expectStatus(await seller.get(`/v1/drops/${id}`), 200)
      expectProblem(await browser.get(`/v1/drops/${id}`), 404, 'not_found', 'id')
      const listed = await browser.get<WireList<WireDrop>>('/v1/drops?limit=100')
      expect(listed.body.data.map((drop) => drop.id)).not.toContain(id)
      expect(listed.body.data.map((drop) => drop.status)).not.toContain('draft')
      expect((await browser.get<WireList<WireDrop>>('/v1/drops?status=draft')).body.data).toEqual([])
      expect((await seller.get<WireList<WireDrop>>('/v1/drops?status=draft')).body.data.map((d) => d.id)).toContain(id)
      expectStatus(await seller.post(`/v1/drops/${id}/publish`), 200)
      expectStatus(await browser.get(`/v1/drops/${id}`), 200)
    })

    it('are updated field by field, with new SKUs and prices', async () => {
      const drop = await createDrop(seller)
      const changes = {
        name: 'New name',
        description: 'New',
        image: 'http://example.com/x',
        starts_at: nowSeconds() - 60,
        ends_at: nowSeconds() + 600,
        hold_ttl: 60,
        max_per_customer: 9,
        late_payment: 'refund',
        fees: [{ name: 'Parcel', kind: 'shipping', amount: 1 }],
        metadata: { a: 'b' },
      }
      for (const [name, value] of Object.entries(changes)) {
        const answer = expectStatus(await seller.patch<WireDrop>(`/v1/drops/${drop.id}`, { [name]: value }), 200)
        expect(answer.body).toMatchObject({ [name]: value, object: 'drop' })
      }
      const skus = [
        { id: skuOf(drop).id, name: 'Renamed', unit_amount: 1 },
        { name: 'Added', unit_amount: 2, stock: 3 },
      ]
      const { body } = expectStatus(await seller.patch<WireDrop>(`/v1/drops/${drop.id}`, { skus }), 200)
      expect(body).toMatchObject({ ...changes, status: 'draft' })
      expect(body.skus).toMatchObject([
        { id: skuOf(drop).id, name: 'Renamed', unit_amount: 1, stock: 100, available: 100 },
        { id: anId('sku'), name: 'Added', unit_amount: 2, stock: 3, available: 3 },
      ])
      const cleared = { description: null, image: null, ends_at: null, max_per_customer: null }
      expect((await seller.patch(`/v1/drops/${drop.id}`, cleared)).body).toMatchObject(cleared)
    })

    it('refuse updates that contradict themselves or come too late', async () => {
      const drop = await openDrop(seller)
      const path = `/v1/drops/${drop.id}`
      const refused = async (body: object, status: number, code: string, param: string): Promise<void> =>
        expectProblem(await seller.patch(path, body), status, code, param)
      await refused({ ends_at: drop.starts_at }, 400, 'invalid_request', 'ends_at')
      await refused({ max_per_customer: 2 }, 409, 'invalid_transition', 'max_per_customer')
      await refused({ skus: [{ id: skuOf(drop).id, stock: 5 }] }, 400, 'invalid_request', 'skus[0].stock')
      await refused({ skus: [{ name: 'No price' }] }, 400, 'invalid_request', 'skus[0]')
      const other = await createDrop(seller)
      await refused({ skus: [{ id: skuOf(other).id, name: 'x' }] }, 404, 'not_found', 'skus')
      expectStatus(await seller.post(`${path}/end`), 200)
      await refused({ name: 'x' }, 409, 'invalid_transition', 'id')
    })

    it('go through their phases, and repeating an action is not an error', async () => {
      const { id } = await createDrop(seller)
      const act = (action: string): Promise<Answer<WireDrop>> => seller.post<WireDrop>(`/v1/drops/${id}/${action}`)
      const steps = [
        ['pause', 409, 'draft'],
        ['resume', 409, 'draft'],
        ['end', 409, 'draft'],
        ['cancel', 409, 'draft'],
        ['publish', 200, 'live'],
        ['publish', 200, 'live'],
        ['pause', 200, 'paused'],
        ['pause', 200, 'paused'],
        ['publish', 409, 'paused'],
        ['resume', 200, 'live'],
        ['resume', 200, 'live'],
        ['end', 200, 'ended'],
        ['end', 200, 'ended'],
        ['publish', 409, 'ended'],
        ['pause', 409, 'ended'],
        ['resume', 409, 'ended'],
        ['cancel', 200, 'cancelled'],
        ['cancel', 200, 'cancelled'],
        ['end', 409, 'cancelled'],
        ['publish', 409, 'cancelled'],
        ['resume', 409, 'cancelled'],
      ] as const
      for (const [action, status, after] of steps) {
        const answer = await act(action)
        if (status === 409) expectProblem(answer, 409, 'invalid_transition', 'id')
        else expect(answer.body).toMatchObject({ id, object: 'drop', status: after })
        expect(`${action}: ${answer.status}`).toBe(`${action}: ${status}`)
        expect((await readDrop(seller, id)).status).toBe(after)
      }
    })

    it('are restocked, never below what is held and sold', async () => {
      const drop = await openDrop(seller, { skus: [{ name: 'One', unit_amount: 5, stock: 10 }] })
      const restock = (quantity: number, sku = skuOf(drop).id): Promise<Answer<WireDrop>> =>
        seller.post<WireDrop>(`/v1/drops/${drop.id}/restock`, { sku, quantity })
      await takeHold(browser, drop, 3)
      await pay(seller, await takeHold(browser, drop, 2))
      expect(skuOf((await restock(5)).body)).toMatchObject({ stock: 15, held: 3, sold: 2, available: 10 })
      expect(skuOf((await restock(-10)).body)).toMatchObject({ stock: 5, held: 3, sold: 2, available: 0 })
      expectProblem(await restock(-1), 400, 'invalid_request', 'quantity')
      expectProblem(await restock(100_000_000), 400, 'invalid_request', 'quantity')
      const other = await createDrop(seller)
      expectProblem(await restock(1, skuOf(other).id), 404, 'not_found', 'sku')
      expectStatus(await seller.post(`/v1/drops/${drop.id}/end`), 200)
      expectProblem(await restock(1), 409, 'invalid_transition', 'id')
    })

    it('are sold out once everything is paid, and live again after a restock', async () => {
      const drop = await openDrop(seller, { skus: [{ name: 'Last', unit_amount: 5, stock: 1 }] })
      const hold = await takeHold(browser, drop)
      expect(await readDrop(seller, drop.id)).toMatchObject({ status: 'live', skus: [{ held: 1, available: 0 }] })
      expectProblem(await browser.post('/v1/holds', holdBody(drop)), 409, 'sold_out', 'lines[0].quantity')
      expectStatus(await pay(seller, hold), 201)
      expect(await readDrop(seller, drop.id)).toMatchObject({ status: 'sold_out', skus: [{ held: 0, sold: 1 }] })
      const refused = await browser.post<WireProblem>('/v1/holds', holdBody(drop))
      expectProblem(refused, 409, 'sold_out', 'drop')
      expect(refused.body.retryable).toBe(true)
      await seller.post(`/v1/drops/${drop.id}/restock`, { sku: skuOf(drop).id, quantity: 1 })
      expect((await readDrop(seller, drop.id)).status).toBe('live')
      await takeHold(browser, drop)
    })

    it('are watched as events', async () => {
      const drop = await openDrop(seller)
      const { headers, text } = expectStatus(await browser.get(`/v1/drops/${drop.id}/live?events=1`), 200)
      expect(headers['content-type']).toBe('text/event-stream')
      const [, seq, data] = /^id: (\d+)\nevent: drop\ndata: (.+)\n\n$/.exec(text) ?? []
      expect(Number(seq)).toBeGreaterThan(0)
      expect(JSON.parse(String(data))).toEqual({ ...drop, server_time: expect.any(Number) as number })
    })

    it('are listed newest first, in pages, by status', async () => {
      const made: string[] = []
      for (let index = 0; index < 5; index++) made.unshift((await openDrop(seller)).id)
      const list = async (query: string): Promise<WireList<WireDrop>> =>
        expectStatus(await browser.get<WireList<WireDrop>>(`/v1/drops?${query}`), 200).body
      const ids = (page: WireList<WireDrop>): string[] => page.data.map((drop) => drop.id)

      const first = await list('limit=2')
      expect(first).toStrictEqual({ object: 'list', data: first.data, has_more: true })
      expect(ids(first)).toEqual(made.slice(0, 2))
      expect(ids(await list(`limit=2&starting_after=${made[1]}`))).toEqual(made.slice(2, 4))
      expect(ids(await list(`limit=2&ending_before=${made[3]}`))).toEqual(made.slice(1, 3))
      expect(await list(`limit=2&ending_before=${made[1]}`)).toMatchObject({
        data: [{ id: made[0] }],
        has_more: false,
      })
      expect((await list('')).data.length).toBeLessThanOrEqual(10)
      const all = await list('limit=100')
      expect(all.has_more).toBe(false)
      const live = await list('limit=100&status=live')
      expect(ids(live)).toEqual(ids({ ...all, data: all.data.filter((drop) => drop.status === 'live') }))
    })
  })

  describe('holds', () => {
    it('have every field of the shape, for each audience', async () => {
      const drop = await openDrop(seller, { currency: 'jpy', hold_ttl: 3_000 })
      const customer = {
        email: newEmail(),
        phone: '+49 (221) 1-2.3',
        external_id: 'u/1',
        name: 'Jo',
        shipping_address: address,
      }
      const body = { drop: drop.id, lines: [{ sku: skuOf(drop).id, quantity: 2 }], customer }
      const expected = {
        id: anId('hold'),
        object: 'hold',
        status: 'active',
        drop: drop.id,
        lines: [{ sku: skuOf(drop).id, quantity: 2, unit_amount: 4_999 }],
        fees: [],
        amount: 9_998,
        currency: 'jpy',
        client_secret: aSecret,
        created: aTime,
        expires_at: aTime,
      }
      const contact = { email: customer.email, phone: customer.phone, external_id: customer.external_id }
      const mine = await browser.post<WireHold>('/v1/holds', body)
      expect(mine.status).toBe(201)
      expect(mine.body).toStrictEqual({ ...expected, customer: contact })
      expect(mine.body.expires_at - mine.body.created).toBeGreaterThanOrEqual(3_000)
      expect(mine.body.expires_at - mine.body.created).toBeLessThanOrEqual(3_001)
      const sellers = await seller.post<WireHold>('/v1/holds', body)
      expect(sellers.body).toStrictEqual({ ...expected, customer })
      const minSeq = { 'penstock-min-seq': sellers.headers['penstock-seq'] as string }
      expect((await seller.get(`/v1/holds/${mine.body.id}`, minSeq)).body).toStrictEqual({ ...mine.body, customer })
      expect((await seller.get(`/v1/holds/${sellers.body.id}`, minSeq)).body).toStrictEqual(sellers.body)
    })

    it('keep their price, and count two lines of one SKU together', async () => {
      const drop = await openDrop(seller, { skus: [{ name: 'One', unit_amount: 10, stock: 3 }] })
      const line = { sku: skuOf(drop).id, quantity: 2 }
      expectProblem(
        await browser.post('/v1/holds', holdBody(drop, { lines: [line, line] })),
        409,
        'sold_out',
        'lines[0].quantity',
      )
      const hold = await takeHold(browser, drop, 2)
      await seller.patch(`/v1/drops/${drop.id}`, { skus: [{ id: line.sku, unit_amount: 99 }] })
      expect((await pay(seller, hold)).body).toMatchObject({ status: 'captured', amount: 20 })
      expect((await takeHold(browser, drop)).amount).toBe(99)
    })

    it('of a browser are read and released with their client secret only', async () => {
      const drop = await openDrop(seller)
      const hold = await takeHold(browser, drop)
      const other = await takeHold(browser, drop)
      const path = `/v1/holds/${hold.id}`
      const secret = 'Penstock-Client-Secret'
      for (const method of ['GET', 'DELETE']) {
        expectProblem(await browser.send(method, path, undefined), 403, 'invalid_client_secret', secret)
        const foreign = await browser.send(method, path, undefined, { [secret]: other.client_secret })
        expectProblem(foreign, 403, 'invalid_client_secret', secret)
      }
      expect((await browser.get(path, { [secret]: hold.client_secret })).body).toStrictEqual(hold)
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 2 })
      const released = await browser.delete(path, { [secret]: hold.client_secret })
      expect(released.status).toBe(200)
      expect(released.body).toStrictEqual({ ...hold, status: 'released' })
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 1, available: 99 })
      const again = await browser.delete(path, { [secret]: hold.client_secret })
      expect([again.status, again.body]).toStrictEqual([200, { ...hold, status: 'released' }])
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 1 })
      expect((await seller.delete(`/v1/holds/${other.id}`)).body).toMatchObject({ id: other.id, status: 'released' })
    })

    it('are replaced in one step with proof, and never without', async () => {
      const drop = await openDrop(seller, { skus: [{ name: 'One', unit_amount: 10, stock: 2 }], max_per_customer: 2 })
      const customer = { email: newEmail() }
      const first = expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop, { customer }, 2)), 201).body
      const replace = (proof: object): object => holdBody(drop, { customer, replace: { hold: first.id, ...proof } }, 1)
      expectProblem(await browser.post('/v1/holds', replace({})), 400, 'invalid_request', 'replace.client_secret')
      const wrong = await browser.post('/v1/holds', replace({ client_secret: 'cs_wrong' }))
      expectProblem(wrong, 403, 'invalid_client_secret', 'replace.client_secret')
      const second = await browser.post<WireHold>('/v1/holds', replace({ client_secret: first.client_secret }))
      expect(second.status).toBe(201)
      expect((await seller.get(`/v1/holds/${first.id}`)).body).toMatchObject({ status: 'released' })
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 1, available: 1 })
      const third = await seller.post<WireHold>(
        '/v1/holds',
        holdBody(drop, { customer, replace: { hold: second.body.id } }, 2),
      )
      expect(third.status).toBe(201)
      expectStatus(await pay(seller, third.body), 201)
      const paid = await seller.post('/v1/holds', holdBody(drop, { customer, replace: { hold: third.body.id } }))
      expect(paid.status).toBe(409)
    })

    it('that are paid are not released', async () => {
      const drop = await openDrop(seller)
      const hold = await takeHold(browser, drop)
      await pay(seller, hold)
      expectProblem(await seller.delete(`/v1/holds/${hold.id}`), 409, 'hold_not_active', 'id')
      expect((await seller.get(`/v1/holds/${hold.id}`)).body).toMatchObject({ status: 'captured' })
    })

    it('count towards the limit of a buyer, by every key the buyer is known by', async () => {
      const drop = await openDrop(seller, { max_per_customer: 2 })
      const tryHold = (customer: object, quantity = 1): Promise<Answer<WireHold>> =>
        browser.post<WireHold>('/v1/holds', holdBody(drop, { customer }, quantity))
      expectProblem(await tryHold({ email: newEmail() }, 3), 409, 'limit_reached', 'lines')
      const [email, phone, externalId] = [newEmail(), '0049 221 77', 'ext-1']
      const hold = expectStatus(await tryHold({ email, phone, external_id: externalId }, 2), 201).body
      expectProblem(await tryHold({ email: email.toUpperCase() }), 409, 'limit_reached', 'lines')
      expectProblem(await tryHold({ email: email.replace('@', '+again@') }), 409, 'limit_reached', 'lines')
      expectProblem(await tryHold({ email: newEmail(), phone: '+49 (221) 77' }), 409, 'limit_reached', 'lines')
      expectProblem(await tryHold({ email: newEmail(), external_id: externalId }), 409, 'limit_reached', 'lines')
      expectStatus(await seller.delete(`/v1/holds/${hold.id}`), 200)
      expectStatus(await tryHold({ email }), 201)
    })
  })

  describe('payments', () => {
    it('make an order, with every field of the shapes', async () => {
      const drop = await openDrop(seller)
      const customer = { email: newEmail(), phone: null, external_id: null, name: 'Jo', shipping_address: address }
      const hold = expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop, { customer }, 2)), 201).body
      const body = paymentBody(hold)
      const answer = await seller.post<WirePayment>('/v1/payments', body)
      expect(answer.status).toBe(201)
      expect(answer.body).toStrictEqual({
        ...body,
        id: anId('payment'),
        object: 'payment',
        status: 'captured',
        reason: null,
        order: anId('order'),
        amount_refunded: 0,
        amount_disputed: 0,
        created: aTime,
      })
      const order = await seller.get(`/v1/orders/${answer.body.order}`, {
        'penstock-min-seq': answer.headers['penstock-seq'] as string,
      })
      expect(order.body).toStrictEqual({
        id: answer.body.order,
        object: 'order',
        status: 'paid',
        drop: drop.id,
        hold: hold.id,
        payment: answer.body.id,
        lines: hold.lines.map((line) => ({ ...line, quantity_refunded: 0 })),
        fees: [],
        amount: 9_998,
        amount_refunded: 0,
        currency: 'usd',
        customer,
        created: aTime,
        cancelled_at: null,
        fulfilled_at: null,
        codes: [0, 1].map((unit) => ({
          code: aCode(answer.body.order, unit),
          sku: skuOf(drop).id,
          status: 'valid',
          used_at: null,
        })),
      })
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 0, sold: 2, available: 98 })
    })

    it('reported again answer 200 with the same order, whatever they became', async () => {
      const drop = await openDrop(seller)
      const hold = await takeHold(browser, drop)
      for (const fields of [{}, { amount: 1 }, { hold: 'hold_00000000000000000000000000' }]) {
        const body = paymentBody(hold, fields)
        const first = await seller.post('/v1/payments', body)
        const again = await seller.post('/v1/payments', body)
        expect([first.status, again.status]).toEqual([201, 200])
        expect(again.text).toBe(first.text)
        expect(again.headers['idempotent-replayed']).toBeUndefined()
      }
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 0, sold: 1 })
    })

    it('with a known id and other facts conflict, before anything else is looked at', async () => {
      const drop = await openDrop(seller)
      const hold = await takeHold(browser, drop)
      const body = paymentBody(hold)
      expectStatus(await seller.post('/v1/payments', body), 201)
      const others = [
        { amount: 1 },
        { currency: 'eur' },
        { hold: 'hold_00000000000000000000000000' },
        { hold: (await takeHold(browser, drop)).id },
      ]
      for (const other of others) {
        const answer = await seller.post('/v1/payments', { ...body, ...other })
        expectProblem(answer, 409, 'payment_conflict', 'provider_payment_id')
      }
      // The same id at another provider is another payment.
      const elsewhere = await seller.post<WirePayment>('/v1/payments', { ...body, provider: 'elsewhere' })
      expect(elsewhere.body).toMatchObject({ status: 'refund_due', reason: 'hold_already_captured' })
    })

    it('without goods are kept, in the order of precedence, with the reason', async () => {
      const drop = await openDrop(seller)
      const free = await takeHold(browser, drop)
      const paid = await takeHold(browser, drop)
      expectStatus(await pay(seller, paid), 201)
      const unknown = 'hold_00000000000000000000000000'
      const rows: [string, WireHold, object, string, string][] = [
        ['unknown hold', free, { hold: unknown }, 'unmatched', 'unknown_hold'],
        ['unknown hold, wrong amount', free, { hold: unknown, amount: 1 }, 'unmatched', 'unknown_hold'],
        ['too little', free, { amount: free.amount - 1 }, 'refund_due', 'amount_mismatch'],
        ['too much', free, { amount: free.amount + 1 }, 'refund_due', 'amount_mismatch'],
        ['other currency', free, { currency: 'eur' }, 'refund_due', 'currency_mismatch'],
        ['both wrong', free, { amount: 1, currency: 'eur' }, 'refund_due', 'currency_mismatch'],
        ['wrong amount for a paid hold', paid, { amount: 1 }, 'refund_due', 'amount_mismatch'],
        ['a second payment', paid, {}, 'refund_due', 'hold_already_captured'],
      ]
      for (const [what, hold, fields, status, reason] of rows) {
        const body = paymentBody(hold, fields)
        const answer = await seller.post<WirePayment>('/v1/payments', body)
        expect([what, answer.status]).toEqual([what, 201])
        expect(answer.body).toStrictEqual({
          ...body,
          id: anId('payment'),
          object: 'payment',
          status,
          reason,
          order: null,
          amount_refunded: 0,
          amount_disputed: 0,
          created: aTime,
        })
      }
      // None of it touched the hold that is still active.
      expect((await seller.get(`/v1/holds/${free.id}`)).body).toMatchObject({ status: 'active' })
      expect((await pay(seller, free)).body).toMatchObject({ status: 'captured' })
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 0, sold: 2 })
    })

    it('are never punished for a drop that was paused, ended or cancelled meanwhile', async () => {
      for (const action of ['pause', 'end', 'cancel']) {
        const drop = await openDrop(seller)
        const hold = await takeHold(browser, drop)
        expectStatus(await seller.post(`/v1/drops/${drop.id}/${action}`), 200)
        expect((await pay(seller, hold)).body).toMatchObject({ status: 'captured', order: anId('order') })
      }
    })

    it('for a released hold follow the drop: reacquire or refund', async () => {
      const released = async (fields: object): Promise<[WireDrop, WireHold]> => {
        const drop = await openDrop(seller, { skus: [{ name: 'One', unit_amount: 10, stock: 1 }], ...fields })
        const hold = await takeHold(browser, drop)
        expectStatus(await seller.delete(`/v1/holds/${hold.id}`), 200)
        return [drop, hold]
      }
      const [soldDrop, reacquired] = await released({ late_payment: 'reacquire' })
      expect((await pay(seller, reacquired)).body).toMatchObject({ status: 'captured', order: anId('order') })
      expect(await readDrop(seller, soldDrop.id)).toMatchObject({ status: 'sold_out', skus: [{ held: 0, sold: 1 }] })
      const [, refunded] = await released({ late_payment: 'refund' })
      expect((await pay(seller, refunded)).body).toMatchObject({
        status: 'refund_due',
        reason: 'hold_released',
        order: null,
      })
      const [cancelled, afterCancel] = await released({ late_payment: 'reacquire' })
      expectStatus(await seller.post(`/v1/drops/${cancelled.id}/cancel`), 200)
      expect((await pay(seller, afterCancel)).body).toMatchObject({ status: 'refund_due', reason: 'hold_released' })
      const [gone, tooLate] = await released({ late_payment: 'reacquire' })
      await takeHold(browser, gone)
      expect((await pay(seller, tooLate)).body).toMatchObject({ status: 'refund_due', reason: 'sold_out', order: null })
      expect(skuOf(await readDrop(seller, gone.id))).toMatchObject({ held: 1, sold: 0 })
    })
  })

  describe('orders', () => {
    it('are listed newest first, in pages', async () => {
      const drop = await openDrop(seller)
      const made: string[] = []
      for (let index = 0; index < 5; index++) {
        const payment = await pay(seller, await takeHold(browser, drop))
        made.unshift(present(payment.body.order, 'the order'))
      }
      const list = async (query: string): Promise<WireList<WireOrder>> =>
        expectStatus(await seller.get<WireList<WireOrder>>(`/v1/orders?${query}`), 200).body
      const ids = (page: WireList<WireOrder>): string[] => page.data.map((order) => order.id)
      const first = await list('limit=2')
      expect(first).toStrictEqual({ object: 'list', data: first.data, has_more: true })
      expect(ids(first)).toEqual(made.slice(0, 2))
      const { codes, ...alone } = (await seller.get<WireOrder>(`/v1/orders/${made[0]}`)).body
      expect(codes).toHaveLength(1)
      expect(first.data[0]).toStrictEqual(alone)
      expect(ids(await list(`limit=2&starting_after=${made[1]}`))).toEqual(made.slice(2, 4))
      expect(await list(`limit=2&ending_before=${made[3]}`)).toMatchObject({
        data: [{ id: made[1] }, { id: made[2] }],
        has_more: true,
      })
      expect(await list(`limit=2&ending_before=${made[2]}`)).toMatchObject({
        data: [{ id: made[0] }, { id: made[1] }],
        has_more: false,
      })
      // Paged from one end to the other: everything once.
      const everything: string[] = []
      for (let page = await list('limit=3'); ; page = await list(`limit=3&starting_after=${everything.at(-1)}`)) {
        everything.push(...ids(page))
        if (!page.has_more) break
      }
      expect(everything).toEqual(ids(await list('limit=100')))
      expect(new Set(everything).size).toBe(everything.length)
    })
  })

  describe('webhooks', () => {
    it('have every field of the shape, with the secret once', async () => {
      const body = { url: 'http://127.0.0.1:9/hook', events: ['payment.captured'], description: 'Warehouse' }
      const made = expectStatus(await seller.post<WireWebhookEndpoint>('/v1/webhook_endpoints', body), 201).body
      const { secret, ...shown } = made as WireWebhookEndpoint & { secret: string }
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
      expect(shown).toStrictEqual({
        ...body,
        id: anId('webhook_endpoint'),
        object: 'webhook_endpoint',
        status: 'enabled',
        disabled_reason: null,
        failing_since: null,
        replay: null,
        created: aTime,
      })
      const path = `/v1/webhook_endpoints/${made.id}`
      expect(expectStatus(await seller.get(path), 200).body).toStrictEqual(shown)
      const list = expectStatus(await seller.get<WireList<WireWebhookEndpoint>>('/v1/webhook_endpoints'), 200).body
      expect(list.data.at(-1)).toStrictEqual(shown)
      const rotated = expectStatus(await seller.post<{ secret: string }>(`${path}/rotate_secret`), 200).body
      expect(rotated.secret).not.toBe(secret)

      expectStatus(await pay(seller, await takeHold(browser, await openDrop(seller))), 201)
      const [delivery] = await poll('a delivery', 10_000, async () => {
        const found = await seller.get<WireList<{ id: string }>>(`/v1/webhook_deliveries?endpoint=${made.id}`)
        return found.body.data.length > 0 && found.body.data
      })
      const deliveryPath = `/v1/webhook_deliveries/${delivery?.id}`
      expect(expectStatus(await seller.get(deliveryPath), 200).body).toMatchObject({
        status: 'pending',
        attempts: [{ status: null, fault: 'connection' }],
      })
      expectStatus(await seller.post(`${deliveryPath}/retry`), 200)
      const replayed = await seller.post<WireWebhookEndpoint>(`${path}/replay`, { from: 0 })
      expect(expectStatus(replayed, 200).body.replay).toMatchObject({ next: 'evt_1' })
      expectProblem(await seller.post(`${path}/replay`, { from: 'evt_2' }), 409, 'invalid_transition', 'id')

      const off = await seller.patch(path, { status: 'disabled', description: null })
      expect(expectStatus(off, 200).body).toMatchObject({
        status: 'disabled',
        disabled_reason: 'seller',
        description: null,
      })
      expectProblem(await seller.post(`${deliveryPath}/retry`), 409, 'invalid_transition', 'id')
      expectProblem(await seller.post(`${path}/replay`, { from: 'evt_1' }), 409, 'invalid_transition', 'id')
      const gone = expectStatus(await seller.delete(path), 200).body
      expect(gone).toStrictEqual({ id: made.id, object: 'webhook_endpoint', deleted: true })
      expectProblem(await seller.get(path), 404, 'not_found', 'id')
      expectProblem(await seller.patch(path, { status: 'enabled' }), 404, 'not_found', 'id')
    })

    it('are refused beyond sixteen', async () => {
      const body = { url: 'http://127.0.0.1:9/', events: ['order.cancelled'] }
      const made: string[] = []
      for (;;) {
        const answer = await seller.post<WireWebhookEndpoint>('/v1/webhook_endpoints', body)
        if (answer.status !== 201) {
          expectProblem(answer, 409, 'too_many_endpoints', null)
          break
        }
        made.push(answer.body.id)
      }
      for (const id of made) expectStatus(await seller.delete(`/v1/webhook_endpoints/${id}`), 200)
    })
  })

  describe('what comes after a payment', () => {
    /** Two units, paid. */
    const paid = async (fields: object = {}): Promise<WirePayment> => {
      const hold = await takeHold(browser, await openDrop(seller), 2)
      return expectStatus(await pay(seller, hold, fields), 201).body
    }
    const read = async <Body>(path: string): Promise<Body> => expectStatus(await seller.get<Body>(path), 200).body

    it('refunds: at once by hand, later by a provider', async () => {
      const byHand = await paid()
      const refund = await seller.post<WireRefund>('/v1/refunds', { payment: byHand.id })
      expectStatus(refund, 201)
      expect(refund.body).toMatchObject({ status: 'succeeded', amount: 9_998 })
      expect(await read(`/v1/refunds/${refund.body.id}`)).toStrictEqual(refund.body)
      const elsewhere = await paid({ provider: 'card' })
      const pending = await seller.post<WireRefund>('/v1/refunds', { payment: elsewhere.id, amount: 1 })
      expect(pending.body).toMatchObject({ status: 'pending', settled_at: null })
      const settled = await seller.post(`/v1/refunds/${pending.body.id}/settle`, { status: 'succeeded' })
      expect(expectStatus(settled, 200).body).toMatchObject({ status: 'succeeded', settled_at: aTime })
      expect(await read(`/v1/payments/${elsewhere.id}`)).toMatchObject({ amount_refunded: 1 })
    })

    it('disputes: reported once, closed once', async () => {
      const { id } = await paid()
      const facts = { payment: id, provider_dispute_id: `case_${randomUUID()}` }
      const opened = expectStatus(await seller.post<WireDispute>('/v1/disputes', facts), 201).body
      expect(expectStatus(await seller.post('/v1/disputes', facts), 200).body).toStrictEqual(opened)
      expect(await read(`/v1/disputes/${opened.id}`)).toStrictEqual(opened)
      const closed = await seller.post(`/v1/disputes/${opened.id}/close`, { status: 'lost' })
      expect(expectStatus(closed, 200).body).toMatchObject({ status: 'lost', closed_at: aTime })
    })

    it('money without a hold is attached to one', async () => {
      const hold = await takeHold(browser, await openDrop(seller))
      const lost = await pay(seller, hold, { hold: `hold_${'0'.repeat(26)}` })
      expect(lost.body).toMatchObject({ status: 'unmatched' })
      const attached = await seller.post(`/v1/payments/${lost.body.id}/attach`, { hold: hold.id })
      expect(expectStatus(attached, 200).body).toMatchObject({ status: 'captured', hold: hold.id })
    })

    it('orders are fulfilled or cancelled, their codes used, their buyers forgotten', async () => {
      const { order } = await paid()
      const { codes } = await read<WireOrder>(`/v1/orders/${order}`)
      const code = present(codes?.[0], 'a code').code
      expect(expectStatus(await seller.post(`/v1/codes/${code}/verify`), 200).body).toMatchObject({ status: 'used' })
      const fulfilled = await seller.post(`/v1/orders/${order}/fulfil`)
      expect(expectStatus(fulfilled, 200).body).toMatchObject({ status: 'fulfilled', fulfilled_at: aTime })
      const erased = await seller.post<WireOrder>(`/v1/orders/${order}/erase`)
      expect(expectStatus(erased, 200).body).toMatchObject({ customer: null })
      const hold = await seller.post<WireHold>(`/v1/holds/${erased.body.hold}/erase`)
      expect(expectStatus(hold, 200).body).toMatchObject({ customer: null })
      const other = await paid()
      const cancelled = await seller.post(`/v1/orders/${other.order}/cancel`, { restock: true })
      expect(expectStatus(cancelled, 200).body).toMatchObject({ status: 'cancelled', cancelled_at: aTime })
      expectStatus(await seller.post('/v1/customer_erasures', { email: 'nobody@example.com' }), 200)
    })

    it('the ledger has it all', async () => {
      const { data } = await read<WireList<WireBalance>>('/v1/ledger/balances')
      expect(new Set(data.map(({ account, currency }) => `${account} ${currency}`)).size).toBe(data.length)
      expect(data.map(({ account }) => account)).toEqual(
        expect.arrayContaining(['cash:card', 'cash:manual', 'refunds_due', 'sales']),
      )
    })

    it.each(collectionNames)('the export of %s has what the list has, in both formats', async (name) => {
      const listed = await read<WireList<{ id: string }>>(`${collections[name].path}?limit=100`)
      expect(listed.data.length).toBeGreaterThan(0)
      const ids = listed.data.map(({ id }) => id)
      const ndjson = expectStatus(await seller.get(`/v1/exports/${name}?format=ndjson`), 200).text
      const objects = ndjson.trimEnd().split('\n')
      expect(objects.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(expect.arrayContaining(ids))
      const csv = expectStatus(await seller.get(`/v1/exports/${name}`), 200).text
      expect(csv).toContain(`\r\n${ids[0]},`)
    })
  })

  describe('API keys', () => {
    it('have every field of the shape, with the secret once', async () => {
      const body = {
        kind: 'secret',
        name: 'Warehouse',
        scopes: ['orders:read', 'codes:write'],
        expires_at: nowSeconds() + 60,
      }
      const made = expectStatus(await seller.post<WireApiKey>('/v1/api_keys', body), 201).body
      const { secret = '', ...shown } = made
      const dates = { created: aTime, revoked_at: null, last_used_at: null }
      const hint = `sk_test_…${secret.slice(-4)}`
      expect(shown).toStrictEqual({ ...body, ...dates, id: anId('key'), object: 'api_key', hint })
      const path = `/v1/api_keys/${made.id}`
      expect(expectStatus(await seller.get(path), 200).body).toStrictEqual(shown)
      const rolled = expectStatus(await seller.post<WireApiKey>(`${path}/roll`, { overlap: 0 }), 201).body
      expect(rolled).toMatchObject({ kind: 'secret', name: 'Warehouse', scopes: body.scopes, expires_at: null })
      expectProblem(await seller.post(`${path}/roll`), 409, 'invalid_transition', 'id')
      const revoked = await seller.post(`/v1/api_keys/${rolled.id}/revoke`)
      expect(expectStatus(revoked, 200).body).toMatchObject({ id: rolled.id, revoked_at: aTime })
    })
  })

  describe('keys', () => {
    const none = '00000000000000000000000000'
    const hold = { drop: `drop_${none}`, lines: [{ sku: `sku_${none}`, quantity: 1 }], customer: { email: 'a@b' } }
    const payment = { hold: `hold_${none}`, provider: 'manual', amount: 1, currency: 'usd' }
    const empty = {}
    /** Method, path, body, status for a publishable key, status for a secret key. */
    const rights: [string, string, object | undefined, number, number][] = [
      ['GET', '/v1/drops', undefined, 200, 200],
      ['GET', `/v1/drops/drop_${none}`, undefined, 404, 404],
      ['POST', '/v1/drops', minimalDrop, 403, 201],
      ['PATCH', `/v1/drops/drop_${none}`, empty, 403, 404],
      ['POST', `/v1/drops/drop_${none}/publish`, empty, 403, 404],
      ['POST', `/v1/drops/drop_${none}/pause`, empty, 403, 404],
      ['POST', `/v1/drops/drop_${none}/resume`, empty, 403, 404],
      ['POST', `/v1/drops/drop_${none}/end`, empty, 403, 404],
      ['POST', `/v1/drops/drop_${none}/cancel`, empty, 403, 404],
      ['POST', `/v1/drops/drop_${none}/restock`, { sku: `sku_${none}`, quantity: 1 }, 403, 404],
      ['POST', '/v1/holds', hold, 404, 404],
      ['GET', `/v1/holds/hold_${none}`, undefined, 404, 404],
      ['DELETE', `/v1/holds/hold_${none}`, undefined, 404, 404],
      ['POST', '/v1/payments', payment, 403, 201],
      ['GET', '/v1/holds', undefined, 403, 200],
      ['GET', '/v1/payments', undefined, 403, 200],
      ['GET', '/v1/refunds', undefined, 403, 200],
      ['GET', '/v1/disputes', undefined, 403, 200],
      ['GET', '/v1/events', undefined, 403, 200],
      ['GET', '/v1/ledger/entries', undefined, 403, 200],
      ['GET', '/v1/exports/payments?format=ndjson&q=nothing', undefined, 403, 200],
      ['GET', `/v1/payments/pay_${none}`, undefined, 403, 404],
      ['POST', `/v1/payments/pay_${none}/attach`, { hold: `hold_${none}` }, 403, 404],
      ['POST', '/v1/refunds', { payment: `pay_${none}` }, 403, 404],
      ['GET', `/v1/refunds/rfnd_${none}`, undefined, 403, 404],
      ['POST', `/v1/refunds/rfnd_${none}/settle`, { status: 'failed' }, 403, 404],
      ['POST', '/v1/disputes', { payment: `pay_${none}`, provider_dispute_id: 'd' }, 403, 404],
      ['GET', `/v1/disputes/dsp_${none}`, undefined, 403, 404],
      ['POST', `/v1/disputes/dsp_${none}/close`, { status: 'won' }, 403, 404],
      ['POST', `/v1/orders/ord_${none}/cancel`, empty, 403, 404],
      ['POST', `/v1/orders/ord_${none}/fulfil`, empty, 403, 404],
      ['GET', '/v1/ledger/balances', undefined, 403, 200],
      ['GET', '/v1/orders', undefined, 403, 200],
      ['GET', `/v1/orders/ord_${none}`, undefined, 404, 404],
      ['POST', `/v1/holds/hold_${none}/erase`, empty, 403, 404],
      ['POST', `/v1/orders/ord_${none}/erase`, empty, 403, 404],
      ['POST', `/v1/codes/pc_${none}_0_${none.slice(0, 16)}/verify`, empty, 403, 404],
      ['GET', '/v1/api_keys', undefined, 403, 200],
      ['GET', `/v1/api_keys/key_${none}`, undefined, 403, 404],
      ['POST', '/v1/api_keys', { kind: 'publishable' }, 403, 201],
      ['POST', `/v1/api_keys/key_${none}/roll`, empty, 403, 404],
      ['POST', `/v1/api_keys/key_${none}/revoke`, empty, 403, 404],
      ['GET', '/v1/webhook_endpoints', undefined, 403, 200],
      ['POST', '/v1/webhook_endpoints', { url: 'http://127.0.0.1:9/', events: ['order.cancelled'] }, 403, 201],
      ['GET', `/v1/webhook_endpoints/whe_${none}`, undefined, 403, 404],
      ['PATCH', `/v1/webhook_endpoints/whe_${none}`, empty, 403, 404],
      ['DELETE', `/v1/webhook_endpoints/whe_${none}`, empty, 403, 404],
      ['POST', `/v1/webhook_endpoints/whe_${none}/rotate_secret`, empty, 403, 404],
      ['POST', `/v1/webhook_endpoints/whe_${none}/replay`, { from: 'evt_1' }, 403, 404],
      ['GET', '/v1/webhook_deliveries', undefined, 403, 200],
      ['GET', '/v1/webhook_deliveries/whd_999999', undefined, 403, 404],
      ['POST', '/v1/webhook_deliveries/whd_999999/retry', empty, 403, 404],
    ]

    it.each(rights)('%s %s: each key may do what it should', async (method, path, body, publishable, secret) => {
      const sent = body === payment ? { ...body, provider_payment_id: randomUUID() } : body
      const bytes = sent === undefined ? undefined : JSON.stringify(sent)
      const headers = { 'penstock-client-secret': 'cs_none' }
      const wrongKeys = [
        '',
        'Bearer',
        'Bearer ',
        'Basic abc',
        `Bearer ${box.secretKey}x`,
        `bearer${box.secretKey}`,
        box.secretKey,
      ]
      for (const authorization of wrongKeys) {
        const answer = await seller.send(method, path, bytes, { ...headers, authorization })
        expectProblem(answer, 401, 'unauthorized', null)
        expect(answer.headers['www-authenticate']).toBe('Bearer realm="penstock"')
      }
      const asBrowser = await browser.send(method, path, bytes, headers)
      expect(asBrowser.status).toBe(publishable)
      if (publishable === 403) expectProblem(asBrowser, 403, 'forbidden', null)
      expect((await seller.send(method, path, bytes, headers)).status).toBe(secret)
    })

    it('are not needed for health', async () => {
      const anybody = new Client(box.url, '', { check: checker.check })
      for (const path of ['/healthz', '/readyz']) {
        const answer = await anybody.get(path)
        expect([answer.status, answer.text]).toEqual([200, '{"status":"ok"}'])
      }
      anybody.close()
    })
  })

  describe('Idempotency-Key', () => {
    interface KeyedRoute {
      readonly name: string
      /** A request, and another one of the same route that differs. */
      readonly make: () => Promise<{ method: 'POST' | 'PATCH' | 'DELETE'; path: string; body: object; other: Other }>
    }
    type Other = { readonly path?: string; readonly body?: object }

    const action = (name: string, prepare: readonly string[]): KeyedRoute => ({
      name: `POST /v1/drops/{id}/${name}`,
      make: async () => {
        const [one, two] = [await createDrop(seller), await createDrop(seller)]
        for (const step of prepare) {
          for (const { id } of [one, two]) expectStatus(await seller.post(`/v1/drops/${id}/${step}`), 200)
        }
        const path = `/v1/drops/${one.id}/${name}`
        return { method: 'POST', path, body: {}, other: { path: `/v1/drops/${two.id}/${name}` } }
      },
    })
    const routes: KeyedRoute[] = [
      {
        name: 'POST /v1/drops',
        make: () =>
          Promise.resolve({
            method: 'POST',
            path: '/v1/drops',
            body: minimalDrop,
            other: { body: { ...minimalDrop, name: 'Other' } },
          }),
      },
      {
        name: 'PATCH /v1/drops/{id}',
        make: async () => {
          const { id } = await createDrop(seller)
          const body = { skus: [{ name: 'Added once', unit_amount: 1, stock: 1 }] }
          return { method: 'PATCH', path: `/v1/drops/${id}`, body, other: { body: { name: 'Other' } } }
        },
      },
      action('publish', []),
      action('pause', ['publish']),
      action('resume', ['publish', 'pause']),
      action('end', ['publish']),
      action('cancel', ['publish']),
      {
        name: 'POST /v1/drops/{id}/restock',
        make: async () => {
          const drop = await openDrop(seller)
          const body = { sku: skuOf(drop).id, quantity: 5 }
          const path = `/v1/drops/${drop.id}/restock`
          return { method: 'POST', path, body, other: { body: { ...body, quantity: 6 } } }
        },
      },
      {
        name: 'POST /v1/holds',
        make: async () => {
          const drop = await openDrop(seller)
          const body = holdBody(drop)
          return { method: 'POST', path: '/v1/holds', body, other: { body: holdBody(drop, {}, 2) } }
        },
      },
      {
        name: 'DELETE /v1/holds/{id}',
        make: async () => {
          const drop = await openDrop(seller)
          const [one, two] = [await takeHold(browser, drop), await takeHold(browser, drop)]
          return { method: 'DELETE', path: `/v1/holds/${one.id}`, body: {}, other: { path: `/v1/holds/${two.id}` } }
        },
      },
      {
        name: 'POST /v1/payments',
        make: async () => {
          const body = paymentBody(await takeHold(browser, await openDrop(seller)))
          return { method: 'POST', path: '/v1/payments', body, other: { body: { ...body, amount: 1 } } }
        },
      },
      {
        // Replays of creating and rolling keys lack the secret: api-keys.test.ts.
        name: 'POST /v1/api_keys/{id}/revoke',
        make: async () => {
          const make = (): Promise<Answer<WireApiKey>> => seller.post<WireApiKey>('/v1/api_keys', { kind: 'secret' })
          const [one, two] = [(await make()).body, (await make()).body]
          const [path, other] = [`/v1/api_keys/${one.id}/revoke`, `/v1/api_keys/${two.id}/revoke`]
          return { method: 'POST', path, body: {}, other: { path: other } }
        },
      },
    ]

    it.each(routes)('$name: again is the same answer, other facts are refused', async ({ make }) => {
      const { method, path, body, other } = await make()
      const key = `key ${randomUUID()}`
      const send = (idempotencyKey: string, at = path, what = body): Promise<Answer<unknown>> =>
        scattered.send(method, at, JSON.stringify(what), { 'idempotency-key': idempotencyKey })
      const first = await send(key)
      expect(first.status).toBeLessThan(300)
      expect(first.headers['idempotent-replayed']).toBeUndefined()
      const reordered = Object.fromEntries(Object.entries(body).toReversed())
      const repeats = await Promise.all([send(key), send(`"${key}"`), send(key, path, reordered), send(key), send(key)])
      for (const again of repeats) {
        expect([again.status, again.text]).toEqual([first.status, first.text])
        expect(again.headers['idempotent-replayed']).toBe('true')
        expect(seqOf(again)).toBeGreaterThanOrEqual(seqOf(first))
      }
      const reused = await send(key, other.path ?? path, other.body ?? body)
      expectProblem(reused, 422, 'key_reused', null)
      // The refusal consumed nothing: the other request under a key of its own is accepted, once.
      if (path !== '/v1/payments') {
        expect((await send(`other ${key}`, other.path ?? path, other.body ?? body)).status).toBeLessThan(300)
      }
    })

    it('shows a hold again only to who knows its client secret', async () => {
      const hold = (await browser.post<WireHold>('/v1/holds', holdBody(await openDrop(seller)))).body
      const path = `/v1/holds/${hold.id}`
      const key = { 'idempotency-key': randomUUID() }
      const own = await browser.delete(path, { ...key, 'penstock-client-secret': hold.client_secret })
      expect(own.status).toBe(200)
      const stranger = await browser.delete(path, { ...key, 'penstock-client-secret': 'cs_of_somebody_else' })
      expectProblem(stranger, 422, 'key_reused', null)
    })

    it('has an effect once: units move once', async () => {
      const drop = await openDrop(seller)
      const headers = { 'idempotency-key': randomUUID() }
      const body = { sku: skuOf(drop).id, quantity: 7 }
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => scattered.post(`/v1/drops/${drop.id}/restock`, body, headers)),
      )
      expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
      expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ stock: 107 })
    })

    it('answers a replay as it was, whatever happened since', async () => {
      const drop = await openDrop(seller)
      const [holdKey, paymentKey] = [{ 'idempotency-key': randomUUID() }, { 'idempotency-key': randomUUID() }]
      const wanted = holdBody(drop)
      const hold = await browser.post<WireHold>('/v1/holds', wanted, holdKey)
      const body = paymentBody(hold.body)
      const payment = await seller.post('/v1/payments', body, paymentKey)
      await seller.post(`/v1/drops/${drop.id}/end`)
      const heldAgain = await browser.post('/v1/holds', wanted, holdKey)
      expect([heldAgain.status, heldAgain.text]).toEqual([201, hold.text])
      const paidAgain = await seller.post('/v1/payments', body, paymentKey)
      expect([paidAgain.status, paidAgain.text]).toEqual([201, payment.text])
      // The same payment under another key is a duplicate, and that answer is kept as well.
      const otherKey = { 'idempotency-key': randomUUID() }
      const duplicate = await seller.post('/v1/payments', body, otherKey)
      const duplicateAgain = await seller.post('/v1/payments', body, otherKey)
      expect([duplicate.status, duplicateAgain.status, duplicateAgain.text]).toEqual([200, 200, duplicate.text])
    })

    it('belongs to one credential and one route', async () => {
      const drop = await openDrop(seller)
      const headers = { 'idempotency-key': randomUUID() }
      const body = holdBody(drop)
      const mine = await browser.post<WireHold>('/v1/holds', body, headers)
      const sellers = await seller.post<WireHold>('/v1/holds', body, headers)
      expect([mine.status, sellers.status]).toEqual([201, 201])
      expect(sellers.body.id).not.toBe(mine.body.id)
      const payment = await seller.post('/v1/payments', paymentBody(mine.body), headers)
      const created = await seller.post('/v1/drops', minimalDrop, headers)
      const published = await seller.post(`/v1/drops/${(created.body as WireDrop).id}/publish`, {}, headers)
      for (const answer of [payment, created, published]) {
        expect(answer.status).toBeLessThan(300)
        expect(answer.headers['idempotent-replayed']).toBeUndefined()
      }
    })

    it('is not consumed by a refusal', async () => {
      const drop = await openDrop(seller)
      await seller.post(`/v1/drops/${drop.id}/pause`)
      const headers = { 'idempotency-key': randomUUID() }
      const body = holdBody(drop)
      expectProblem(await browser.post('/v1/holds', body, headers), 409, 'not_live', 'drop')
      expectProblem(await browser.post('/v1/holds', { ...body, drop: 'x' }, headers), 400, 'invalid_request', 'drop')
      await seller.post(`/v1/drops/${drop.id}/resume`)
      // Not even the body is remembered.
      const other = await browser.post('/v1/holds', holdBody(drop, {}, 2), headers)
      expect([other.status, other.headers['idempotent-replayed']]).toEqual([201, undefined])
    })

    it('is refused when it is too long or not visible ASCII', async () => {
      const send = (key: string): Promise<Answer<unknown>> =>
        seller.post('/v1/drops', minimalDrop, { 'idempotency-key': key })
      expectStatus(await send('k'.repeat(255)), 201)
      expectStatus(await send(`"${'q'.repeat(255)}"`), 201)
      // Not at the end: uWebSockets.js takes bytes above 127 there for white space and trims them.
      for (const key of ['k'.repeat(256), `"${'q'.repeat(256)}"`, 'caf\u00e9s', 'a\tb']) {
        expectProblem(await send(key), 400, 'invalid_idempotency_key', 'Idempotency-Key')
      }
    })
  })

  describe('reads', () => {
    it('carry an ETag that all processes agree on and that changes with a sale', async () => {
      const drop = await openDrop(seller)
      for (const path of ['/v1/drops?limit=1', `/v1/drops/${drop.id}`]) {
        const before = await onAllProcesses(path)
        expect(new Set(before.map((answer) => answer.headers.etag)).size).toBe(1)
        const held = expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop)), 201)
        const after = await onAllProcesses(path, { 'penstock-min-seq': held.headers['penstock-seq'] as string })
        expect(new Set(after.map((answer) => answer.headers.etag)).size).toBe(1)
        expect(after[0]?.headers.etag).not.toBe(before[0]?.headers.etag)
        // The counters are part of it, the second of the clock is not.
        expect(present(before[0]?.headers.etag, 'ETag')).toMatch(/^W\/"[\w-]+"$/)
      }
    })

    it('answer 304 to the tag, to lists of tags and to *', async () => {
      const drop = await openDrop(seller)
      const path = `/v1/drops/${drop.id}`
      const etag = present((await browser.get(path)).headers.etag, 'ETag')
      const strong = etag.replace('W/', '')
      for (const tags of [etag, strong, `"a", ${etag}`, `W/"a",${strong} , "b"`, '*']) {
        const answer = await browser.get(path, { 'if-none-match': tags })
        expect([tags, answer.status, answer.text]).toEqual([tags, 304, ''])
        expect(answer.headers.etag).toBe(etag)
        expect(answer.headers['penstock-seq']).toMatch(/^\d+$/)
      }
      for (const tags of ['"a"', 'W/"b", "c"', etag.slice(0, -1), 'nonsense']) {
        expect((await browser.get(path, { 'if-none-match': tags })).status).toBe(200)
      }
      await takeHold(browser, drop)
      expect((await browser.get(path, { 'if-none-match': etag })).status).toBe(200)
      const list = await browser.get('/v1/drops')
      const known = { 'if-none-match': present(list.headers.etag, 'ETag') }
      expect((await browser.get('/v1/drops', known)).status).toBe(304)
    })

    it('and writes name the commit they include', async () => {
      const drop = await openDrop(seller)
      const hold = await browser.post<WireHold>('/v1/holds', holdBody(drop))
      const payment = await pay(seller, hold.body)
      const seqs = [seqOf(hold), seqOf(payment)]
      expect(seqs.every((seq) => Number.isSafeInteger(seq) && seq > 0)).toBe(true)
      expect(seqOf(payment)).toBeGreaterThan(seqOf(hold))
      const order = await seller.get(`/v1/orders/${payment.body.order}`, {
        'penstock-min-seq': String(seqOf(payment)),
      })
      expect(seqOf(order)).toBeGreaterThanOrEqual(seqOf(payment))
      // A sold-out flood does not write: refusals make no commit.
      const before = seqOf(await browser.get('/v1/drops'))
      for (let index = 0; index < 5; index++) await browser.post('/v1/holds', holdBody(drop, {}, 500))
      expect(seqOf(await browser.get('/v1/drops'))).toBe(before)
    })

    it('see what was written, on every process', async () => {
      const drop = await openDrop(seller)
      for (let sold = 1; sold <= 5; sold++) {
        const payment = await pay(scattered, await takeHold(scattered, drop))
        const minSeq = { 'penstock-min-seq': String(seqOf(payment)) }
        const reads = await Promise.all([
          onAllProcesses<WireDrop>(`/v1/drops/${drop.id}`, minSeq),
          onAllProcesses<WireOrder>(`/v1/orders/${payment.body.order}`, minSeq),
        ])
        for (const read of reads.flat()) {
          expect(read.status).toBe(200)
          expect(seqOf(read)).toBeGreaterThanOrEqual(seqOf(payment))
        }
        for (const read of reads[0]) expect(skuOf(read.body)).toMatchObject({ held: 0, sold })
      }
    })

    it('wait for a commit that is still to come', async () => {
      const drop = await openDrop(seller)
      const next = seqOf(await seller.get('/v1/drops')) + 1
      const waiting = onAllProcesses<WireDrop>(`/v1/drops/${drop.id}`, { 'penstock-min-seq': String(next) })
      // Settles only after this write, and then on both processes with it.
      await takeHold(browser, drop)
      for (const answer of await waiting) {
        expect(answer.status).toBe(200)
        expect(skuOf(answer.body).held).toBe(1)
      }
    })

    it('refuse a commit that is no number', async () => {
      for (const seq of ['abc', '-1', '1.5', '1e3', '0x10', '9'.repeat(16), '1,2']) {
        const answer = await browser.get('/v1/drops', { 'penstock-min-seq': seq })
        expectProblem(answer, 400, 'invalid_request', 'Penstock-Min-Seq')
      }
      expectStatus(await browser.get('/v1/drops', { 'penstock-min-seq': '0' }), 200)
    })
  })

  /** At the same time, because each of them waits. */
  describe.concurrent('by the clock', () => {
    it('drops are scheduled, live and ended by the clock alone', async () => {
      const startsAt = nowSeconds() + 2
      const { id } = await createDrop(seller, { starts_at: startsAt, ends_at: startsAt + 1 })
      const published = expectStatus(await seller.post<WireDrop>(`/v1/drops/${id}/publish`), 200).body
      expect(published.status).toBe('scheduled')
      expectProblem(await browser.post('/v1/holds', holdBody(published)), 409, 'not_live', 'drop')
      const statuses = new Set<string>()
      const late = await poll('the drop ends', 6_000, async () => {
        const drop = await readDrop(browser, id)
        statuses.add(drop.status)
        const expected = drop.server_time < startsAt ? 'scheduled' : drop.server_time < startsAt + 1 ? 'live' : 'ended'
        expect(drop.status).toBe(expected)
        return drop.status === 'ended' && drop
      })
      expect([...statuses]).toEqual(['scheduled', 'live', 'ended'])
      expectProblem(await browser.post('/v1/holds', holdBody(late)), 409, 'not_live', 'drop')
    })

    it('holds end within a second of their deadline, without anybody asking', async () => {
      const drop = await openDrop(seller, { hold_ttl: 1, max_per_customer: 1 })
      const customer = { email: newEmail() }
      const hold = expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop, { customer })), 201).body
      const deadlineMs = hold.expires_at * 1_000
      await poll('the units come back', 5_000, async () => {
        const { held, available } = skuOf(await readDrop(browser, drop.id))
        // The units come back only after the deadline.
        if (held === 1) return false
        expect({ held, available }).toEqual({ held: 0, available: 100 })
        expect(Date.now()).toBeGreaterThanOrEqual(deadlineMs)
        return true
      })
      // 1 s is the promise; the rest is for looking.
      expect(Date.now() - deadlineMs).toBeLessThan(1_000 + 200)
      expect((await seller.get(`/v1/holds/${hold.id}`)).body).toMatchObject({ status: 'expired' })
      expect((await seller.delete(`/v1/holds/${hold.id}`)).body).toMatchObject({ status: 'expired' })
      expectStatus(await browser.post('/v1/holds', holdBody(drop, { customer })), 201)
    })

    it('payments for an expired hold follow the drop: reacquire, refund, no stock, over the limit', async () => {
      const skus = [{ name: 'One', unit_amount: 10, stock: 2 }]
      const brief = { hold_ttl: 1, skus }
      const reacquire = await openDrop(seller, { ...brief, late_payment: 'reacquire' })
      const refund = await openDrop(seller, { ...brief, late_payment: 'refund' })
      const soldOut = await openDrop(seller, { ...brief, late_payment: 'reacquire' })
      const limited = await openDrop(seller, { ...brief, late_payment: 'reacquire', max_per_customer: 1 })
      const holds = await Promise.all([
        takeHold(browser, reacquire, 2),
        takeHold(browser, refund, 2),
        takeHold(browser, soldOut, 2),
        takeHold(browser, limited),
      ])
      const [forReacquire, forRefund, forSoldOut, forLimited] = holds
      const lastDeadline = Math.max(...holds.map((hold) => hold.expires_at))
      await poll('the deadlines pass', 4_000, () => Date.now() >= lastDeadline * 1_000)
      // Paid at once after the deadline, whether or not the writer has returned the units by itself.
      expect((await pay(seller, forReacquire)).body).toMatchObject({ status: 'captured', order: anId('order') })
      expect((await pay(seller, forRefund)).body).toMatchObject({ status: 'refund_due', reason: 'hold_expired' })
      // Somebody else buys one of the two units, and the late buyer of one buys again, up to the limit.
      const takeAgain = (drop: WireDrop, customer: object): Promise<WireHold> =>
        poll(`a unit of ${drop.id} is free again`, 4_000, async () => {
          const { status, body } = await browser.post<WireHold>('/v1/holds', holdBody(drop, { customer }))
          return status === 201 && body
        })
      const another = await takeAgain(soldOut, { email: newEmail() })
      const again = await takeAgain(limited, { email: forLimited.customer?.['email'] })
      for (const hold of [another, again]) expect((await pay(seller, hold)).body).toMatchObject({ status: 'captured' })
      expect((await pay(seller, forSoldOut)).body).toMatchObject({
        status: 'refund_due',
        reason: 'sold_out',
        order: null,
      })
      expect((await pay(seller, forLimited)).body).toMatchObject({ status: 'refund_due', reason: 'limit_reached' })
    })

    it('reads give up on a commit that does not come, within their bound', async () => {
      const startMs = performance.now()
      const answer = await browser.get('/v1/drops', { 'penstock-min-seq': '999999999999999' })
      const tookMs = performance.now() - startMs
      expectProblem(answer, 503, 'behind', 'Penstock-Min-Seq')
      expect(answer.headers['retry-after']).toBe('1')
      expect((answer.body as WireProblem).retryable).toBe(true)
      expect(tookMs).toBeGreaterThanOrEqual(1_900)
      expect(tookMs).toBeLessThan(3_000)
    })
  })

  describe('documents', () => {
    it('are served as they are in the repository, with a tag, to anybody', async () => {
      const anybody = new Client(box.url, '', { check: checker.check })
      const json = await anybody.get('/openapi.json')
      expect(json.body).toStrictEqual(JSON.parse(JSON.stringify(document)))
      const page = await anybody.get('/docs')
      expect(page.text).toBe(referencePage(document))
      expect(page.headers['content-security-policy']).toBe(referencePagePolicy)
      for (const { headers, text } of [json, page]) {
        expect(text.length).toBeGreaterThan(10_000)
        expect(headers['x-content-type-options']).toBe('nosniff')
        const etag = present(headers.etag, 'ETag')
        const path = headers['content-type'] === 'application/json' ? '/openapi.json' : '/docs'
        const known = await anybody.get(path, { 'if-none-match': etag })
        expect([known.status, known.text, known.headers.etag]).toEqual([304, '', etag])
        expect((await anybody.get(path, { 'if-none-match': '"another"' })).status).toBe(200)
      }
      anybody.close()
    })

    it('were followed by every answer above, and no success they promise was left out', () => {
      const promised = operationsOf(document).flatMap(({ operation: { operationId, responses } }) =>
        Object.keys(responses)
          .filter((status) => Number(status) < 400)
          .map((status) => `${operationId} ${status}`),
      )
      // checkout.test.ts and webhooks.test.ts compare theirs: these need a provider.
      const own = promised.filter((answer) => !/^(checkoutHold|take[A-Z][a-z]+Webhook) /.test(answer))
      expect(own.filter((answer) => !checker.seen.has(answer))).toEqual([])
    })
  })
})
