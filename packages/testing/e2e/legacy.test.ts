import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { idNumber } from '@penstock/domain/id-number.ts'
import { bodyBytesMax } from '@penstock/domain/limits.ts'
import { signPayos } from '@penstock/providers/payos-signature.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { runMix } from '../legacy/load-mix.ts'
import { expectProblem } from './expect-problem.ts'
import {
  createDrop,
  expectStatus,
  footprint,
  newEmail,
  nowSeconds,
  openDrop,
  poll,
  present,
  readDrop,
  skuOf,
  takeHold,
} from './shop.ts'
import type { AddressInfo } from 'node:net'
import type { Answer } from '../client.ts'
import type { WireDrop } from '../wire-types.ts'

interface OldDrop {
  readonly id: number
  readonly product_id: number
  readonly name: string
  readonly sold: number
  readonly is_active: boolean
}

interface Bought {
  readonly message: string
  readonly payment_url: string
  readonly order_code: number
}

const reportPath = '/api/limited-drops/webhook/payos'
const checksumKey = 'checksum-key-of-the-tests'

/** A whole box with its clients. */
class Shop {
  readonly box: Box
  readonly seller: Client
  readonly old: Client

  private constructor(box: Box) {
    this.box = box
    const session = { seq: 0 }
    this.seller = new Client(box.url, box.secretKey, { session })
    this.old = new Client(box.url, '', { session, connections: 0 })
  }

  static async open(environment: Readonly<Record<string, string>>): Promise<Shop> {
    return new Shop(await Box.start({ environment, httpProcesses: 2 }))
  }

  /** A drop that every process shows by now. */
  async sell(stock: number, fields: object = {}): Promise<WireDrop> {
    const skus = [{ name: 'Hoodie', unit_amount: 490_000, stock }]
    const drop = await openDrop(this.seller, { currency: 'vnd', skus, ...fields })
    for (let seen = 0; seen < 8;) {
      const { status } = await this.old.get(`/api/drops/${idNumber(drop.id)}/status`)
      seen = status === 200 ? seen + 1 : 0
    }
    return drop
  }

  buy(drop: WireDrop, fields: object = {}): Promise<Answer<Bought>> {
    const body = { quantity: 1, name: 'An', phone: '0901234567', email: newEmail(), address: '1 Lê Lợi', ...fields }
    return this.old.post<Bought>(`/api/drops/${idNumber(drop.id)}/purchase`, body)
  }

  report(data: object, more: object = {}): Promise<Answer<Record<string, unknown>>> {
    return this.old.post(reportPath, { code: '00', desc: 'success', data, ...more })
  }

  query(sql: string): unknown[] {
    const db = openReader(this.box.databasePath)
    try {
      return db.prepare(sql).raw().all()
    } finally {
      db.close()
    }
  }

  async close(): Promise<void> {
    this.seller.close()
    this.old.close()
    const violations = auditDatabase(this.box.databasePath)
    await this.box.stop()
    expect(violations).toEqual([])
  }
}

describe('the old API on a box for tests', () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await Shop.open({ PENSTOCK_ALLOW_UNSIGNED_TEST_WEBHOOKS: '1' })
  })
  afterAll(() => shop.close())

  it('GET /api/drops is null without drops, as it was', async () => {
    const { status, text } = await shop.old.get('/api/drops')
    expect([status, text]).toEqual([200, 'null'])
  })

  it('GET /api/drops has what the old code wrote, without a key, by start, and drops of one SKU only', async () => {
    const later = await shop.sell(3, { starts_at: nowSeconds() + 3_600, ends_at: nowSeconds() + 7_200 })
    const now = await shop.sell(5, { name: 'Thứ Sáu' })
    await createDrop(shop.seller)
    await openDrop(shop.seller, { skus: ['A', 'B'].map((name) => ({ name, unit_amount: 1, stock: 1 })) })
    const { status, headers, body } = expectStatus(await shop.old.get<OldDrop[]>('/api/drops'), 200)
    expect([status, headers['content-type']]).toEqual([200, 'application/json'])
    expect(body.map(({ id }) => id)).toEqual([idNumber(now.id), idNumber(later.id)])
    expect(body[1]).toEqual({
      id: idNumber(later.id),
      product_id: idNumber(skuOf(later).id),
      starts_at: new Date(later.starts_at * 1_000).toISOString(),
      ends_at: new Date(present(later.ends_at, 'an end') * 1_000).toISOString(),
      name: later.name,
      total_stock: 3,
      drop_size: 3,
      sold: 0,
      is_active: true,
    })
    for (const { id } of body) expect(Number.isSafeInteger(id)).toBe(true)
  })

  it('GET /api/drops/:id/status adds price, stock and the clock, also of drops that are not active', async () => {
    const drop = await shop.sell(5)
    expectStatus(await shop.buy(drop, { quantity: 2 }), 200)
    const path = `/api/drops/${idNumber(drop.id)}/status`
    const before = expectStatus(await shop.old.get<OldDrop & { now: string }>(path), 200).body
    expect(before).toMatchObject({
      price: 490_000,
      currency: 'vnd',
      total_stock: 5,
      sold: 0,
      is_active: true,
      ends_at: null,
    })
    expect(Math.abs(Date.parse(before.now) - Date.now())).toBeLessThan(60_000)
    await poll('the hold is seen everywhere', 5_000, async () => {
      return (await shop.old.get<{ available: number }>(path)).body.available === 3
    })
    expectStatus(await shop.seller.post(`/v1/drops/${drop.id}/pause`), 200)
    await poll('the pause is seen', 5_000, async () => {
      return (await shop.old.get<OldDrop>(path)).body.is_active ? null : true
    })
    const { body: list } = await shop.old.get<OldDrop[]>('/api/drops')
    expect(list.map(({ id }) => id)).not.toContain(idNumber(drop.id))
  })

  it('purchase is a hold with an order code, the webhook an order, and the same webhook again the same one', async () => {
    const drop = await shop.sell(5)
    const email = newEmail()
    const address = { name: 'Nguyễn An', address: '1 Lê Lợi', province: 'HCM', district: 'Quận 1', ward: 'Bến Nghé' }
    const { body: bought } = expectStatus(await shop.buy(drop, { email, quantity: 2, ...address, shoe_size: 42 }), 200)
    expect(bought).toMatchObject({ message: expect.any(String) as string, payment_url: expect.any(String) as string })
    expect(Number.isSafeInteger(bought.order_code)).toBe(true)
    const data = { orderCode: bought.order_code, status: 'PAID', amount: 980_000 }
    const answers = await Promise.all(Array.from({ length: 20 }, () => shop.report(data)))
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(skuOf(await readDrop(shop.seller, drop.id))).toMatchObject({ held: 0, sold: 2 })
    const { body: orders } = await shop.seller.get<{ data: unknown[] }>(`/v1/orders?drop=${drop.id}`)
    expect(orders.data).toEqual([
      expect.objectContaining({
        amount: 980_000,
        customer: {
          email,
          phone: '0901234567',
          external_id: null,
          name: 'Nguyễn An',
          shipping_address: {
            line1: '1 Lê Lợi',
            line2: 'Bến Nghé',
            city: 'Quận 1',
            state: 'HCM',
            postal_code: null,
            country: 'VN',
          },
        },
      }),
    ])
  })

  it('a webhook with another amount is money owed back, one that is not PAID is nothing', async () => {
    const drop = await shop.sell(5)
    const { order_code: orderCode } = expectStatus(await shop.buy(drop), 200).body
    const before = footprint(shop.box.databasePath)
    expectStatus(await shop.report({ orderCode, status: 'PENDING' }), 200)
    expectStatus(await shop.report({ orderCode }), 200)
    expect(footprint(shop.box.databasePath)).toEqual(before)
    const { body } = expectStatus(await shop.report({ orderCode, status: 'PAID', amount: 1, reference: 'less' }), 200)
    expect(body).toMatchObject({ status: 'refund_due' })
    expect((await shop.report({ orderCode, status: 'PAID' })).body).toMatchObject({ status: 'captured' })
  })

  it('purchase refuses what is wrong with 400 and a sentence, and writes nothing', async () => {
    const drop = await shop.sell(1)
    const [soon, limited] = [
      await shop.sell(1, { starts_at: nowSeconds() + 3_600 }),
      await shop.sell(9, { max_per_customer: 1 }),
    ]
    const path = (id: string): string => `/api/drops/${id}/purchase`
    const own = path(String(idNumber(drop.id)))
    const before = footprint(shop.box.databasePath)
    const refusals: [Answer<unknown>, number][] = [
      [await shop.old.post(path('abc'), {}), 400],
      [await shop.old.post(path('9007199254740993'), { quantity: 1 }), 404],
      [await shop.old.post(path('1'), { quantity: 1, email: 'a@b' }), 404],
      [await shop.old.send('POST', own, '{'), 400],
      [await shop.old.send('POST', own, '[]'), 400],
      [await shop.old.send('POST', own, 'quantity=1', { 'content-type': 'application/x-www-form-urlencoded' }), 400],
      [await shop.old.send('POST', own, ' '.repeat(bodyBytesMax + 1)), 413],
      [await shop.buy(drop, { quantity: 0 }), 400],
      [await shop.buy(drop, { quantity: -1 }), 400],
      [await shop.buy(drop, { quantity: '1' }), 400],
      [await shop.buy(drop, { quantity: 1_000_000 }), 400],
      [await shop.buy(drop, { email: 'nobody' }), 400],
      [await shop.buy(drop, { phone: 'call me' }), 400],
      [await shop.buy(drop, { name: 'x'.repeat(1_000) }), 400],
      [await shop.buy(drop, { quantity: 2 }), 400],
      [await shop.buy(soon), 400],
      [await shop.buy(limited, { quantity: 2 }), 400],
    ]
    for (const [{ status, body, text }, expected] of refusals) {
      expect([status, Object.keys(body as object), text.length > 12]).toEqual([expected, ['error'], true])
    }
    expect(footprint(shop.box.databasePath)).toEqual(before)
  })

  it('the webhook of an order that nobody has is 500, so that it is told again, and writes nothing', async () => {
    const before = footprint(shop.box.databasePath)
    for (const orderCode of [1, 1_768_212_345, Number.MAX_SAFE_INTEGER]) {
      const { status, body } = await shop.report({ orderCode, status: 'PAID' })
      expect([status, body]).toEqual([500, { error: 'Order not found' }])
    }
    // What no order code can be does not become one by telling it again.
    for (const orderCode of [2 ** 53, -1, 1.5, '1', null]) {
      expectStatus(await shop.report({ orderCode, status: 'PAID' }), 400)
    }
    expectStatus(await shop.old.post(reportPath, { data: null }), 400)
    expect(footprint(shop.box.databasePath)).toEqual(before)
  })

  it('has no way to read orders by telephone (defect S12)', async () => {
    for (const path of ['/api/orders?phone=0901234567', '/api/orders/1', '/api/products']) {
      expectStatus(await shop.old.get(path), 404)
    }
  })

  it('runs the old load: as many rows as answers, and not one unit too many', async () => {
    const { body: all } = await shop.seller.get<{ data: WireDrop[] }>('/v1/drops?limit=100')
    for (const { id, status } of all.data) {
      if (status === 'live' || status === 'scheduled') await shop.seller.post(`/v1/drops/${id}/end`)
    }
    const stock = 40
    const drop = await shop.sell(stock)
    const count = (): number =>
      Number(shop.query(`SELECT count(*) FROM orders WHERE drop_id = '${drop.id}'`)[0]?.[0 as never])
    await poll('only this drop is listed', 5_000, async () => {
      const lists = await Promise.all(Array.from({ length: 8 }, () => shop.old.get<OldDrop[]>('/api/drops')))
      return lists.every(({ body }) => body.every(({ id }) => id === idNumber(drop.id)))
    })
    const before = footprint(shop.box.databasePath)
    const report = await runMix(shop.old, { rounds: 400, workers: 16, seed: 20_260_112 })
    const after = footprint(shop.box.databasePath)
    expect(report.failures).toEqual([])
    expect([report.bought, report.paid]).toEqual([stock, stock])
    expect(report.refused).toBeGreaterThan(0)
    expect(report.unknown).toBeGreaterThan(0)
    expect(report.lists + report.bought + report.refused + report.unknown + report.idle).toBe(401)
    expect(count()).toBe(report.paid)
    const grown = ['hold', 'payment', 'orders'].map((table) => Number(after[table]) - Number(before[table]))
    expect(grown).toEqual([stock, stock, stock])
    expect(skuOf(await readDrop(shop.seller, drop.id))).toMatchObject({ held: 0, sold: stock, available: 0 })
  })
})

describe('the old API on a box with payOS', () => {
  let shop: Shop
  /** What payOS was asked. It answers with a link, unless it is told to refuse. */
  const asked: Record<string, unknown>[] = []
  let refuses = false
  const payos = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Record<string, unknown>
      asked.push(body)
      const data = { orderCode: body['orderCode'], amount: body['amount'], checkoutUrl: 'https://pay.payos.vn/web/x1' }
      const answer = refuses
        ? { code: '20', desc: 'refused', data: null }
        : { code: '00', desc: 'success', data, signature: signPayos(data, checksumKey) }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })

  beforeAll(async () => {
    await new Promise<void>((resolve) => {
      payos.listen(0, '127.0.0.1', resolve)
    })
    shop = await Shop.open({
      PAYOS_CLIENT_ID: 'client',
      PAYOS_API_KEY: 'api-key',
      PAYOS_CHECKSUM_KEY: checksumKey,
      PAYOS_BASE_URL: `http://127.0.0.1:${(payos.address() as AddressInfo).port}`,
    })
  })
  afterAll(async () => {
    payos.close()
    payos.closeAllConnections()
    await shop.close()
  })

  const transferTo = (orderCode: number, fields: object = {}): Record<string, unknown> => ({
    orderCode,
    amount: 490_000,
    description: 'Thứ Sáu',
    accountNumber: '12345678',
    reference: `FT${orderCode}`,
    transactionDateTime: '2026-02-04 18:25:00',
    currency: 'VND',
    paymentLinkId: 'x1',
    code: '00',
    desc: 'Thành công',
    counterAccountName: null,
    ...fields,
  })
  const signed = (data: Record<string, unknown>, key = checksumKey): Promise<Answer<Record<string, unknown>>> =>
    shop.report(data, { success: true, signature: signPayos(data, key) })

  it('purchase asks payOS for a link with the amount and the order code of the hold', async () => {
    const drop = await shop.sell(5)
    const { body } = expectStatus(await shop.buy(drop, { quantity: 2 }), 200)
    expect(body.payment_url).toBe('https://pay.payos.vn/web/x1')
    expect(asked.at(-1)).toMatchObject({ orderCode: body.order_code, amount: 980_000, returnUrl: 'https://payos.vn' })
  })

  it('purchase gives the units back when payOS refuses, and refuses other currencies itself', async () => {
    const [drop, dollars] = [await shop.sell(1), await shop.sell(1, { currency: 'usd' })]
    refuses = true
    expect((await shop.buy(drop)).status).toBe(400)
    refuses = false
    expect((await shop.buy(dollars)).status).toBe(400)
    for (const { id } of [drop, dollars]) {
      await poll('the units are back', 5_000, async () => skuOf(await readDrop(shop.seller, id)).held === 0)
    }
    expectStatus(await shop.buy(drop), 200)
  })

  test('S7: a real payOS webhook becomes an order; one signed as the old server wanted it does not', async () => {
    const drop = await shop.sell(5)
    const { order_code: orderCode } = expectStatus(await shop.buy(drop), 200).body
    const before = footprint(shop.box.databasePath)
    const data = transferTo(orderCode)
    const wrong = [
      await signed(data, 'api-key'),
      await shop.report({ ...data, amount: 1 }, { signature: signPayos(data, checksumKey) }),
      await shop.report(data, { signature: '' }),
      await shop.old.post(reportPath, { data }, { 'x-payos-signature': signPayos(data, 'api-key') }),
      await shop.old.post(reportPath, { data }, { 'x-payos-signature': signPayos(data, checksumKey) }),
    ]
    expect(wrong.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400])
    expect(footprint(shop.box.databasePath)).toEqual(before)
    expect((await signed(data)).body).toMatchObject({ status: 'captured' })
    const again = footprint(shop.box.databasePath)
    expect((await signed(data)).body).toMatchObject({ status: 'captured' })
    expect(footprint(shop.box.databasePath)).toMatchObject({ orders: again['orders'], payment: again['payment'] })
    // The buyer transfers once more: that money is owed back.
    expect((await signed(transferTo(orderCode, { reference: 'again' }))).body).toMatchObject({ status: 'refund_due' })
    // And money for an order of nobody is kept account of.
    expect((await signed(transferTo(42))).body).toMatchObject({ status: 'unmatched' })
  })

  it('a report is one payment, whether it comes to the new route or the old one', async () => {
    const drop = await shop.sell(1)
    const hold = await takeHold(shop.seller, drop)
    const checkout = await shop.seller.post<{ url: string; provider_payment_id: string }>(
      `/v1/holds/${hold.id}/checkout`,
      { provider: 'payos' },
    )
    const orderCode = idNumber(hold.id)
    expect(expectStatus(checkout, 201).body).toMatchObject({
      url: 'https://pay.payos.vn/web/x1',
      provider_payment_id: String(orderCode),
    })
    const data = transferTo(orderCode)
    const body = { code: '00', desc: 'success', success: true, data, signature: signPayos(data, checksumKey) }
    const answers = [
      await shop.old.post('/v1/webhooks/payos', body),
      await shop.old.post(reportPath, body),
      await shop.old.post('/v1/webhooks/payos', body),
    ]
    expect(answers.map(({ status, body: answer }) => [status, answer])).toEqual([
      [200, { object: 'webhook', outcome: 'captured' }],
      [200, { message: 'Webhook processed', status: 'captured' }],
      [200, { object: 'webhook', outcome: 'captured' }],
    ])
    expect(shop.query(`SELECT count(*) FROM payment WHERE hold_id = '${hold.id}'`)).toEqual([[1]])
    expectStatus(await shop.old.post('/v1/webhooks/payos', { ...body, signature: 'x' }), 400)
  })

  test('S8: without a signature nothing is free, whatever it says', async () => {
    const drop = await shop.sell(1)
    const { order_code: orderCode } = expectStatus(await shop.buy(drop), 200).body
    const before = footprint(shop.box.databasePath)
    for (const data of [{ orderCode, status: 'PAID' }, transferTo(orderCode, { status: 'PAID' })]) {
      expectStatus(await shop.report(data), 400)
    }
    expect(footprint(shop.box.databasePath)).toEqual(before)
  })
})

test('the old API on a box without payments for it writes nothing for strangers', async () => {
  const shop = await Shop.open({
    PENSTOCK_MODE: 'live',
    PENSTOCK_SECRET_KEY: 'sk_live_0123456789abcdef',
    PENSTOCK_PUBLISHABLE_KEY: 'pk_live_0123456789abcdef',
    STRIPE_SECRET_KEY: 'sk_live_of_stripe_0123456789',
    STRIPE_WEBHOOK_SECRET: 'whsec_0123456789abcdefghij',
  })
  try {
    const drop = await shop.sell(1)
    const before = footprint(shop.box.databasePath)
    expect(await shop.buy(drop)).toMatchObject({ status: 503, body: { error: 'No payments are set up here.' } })
    expect(footprint(shop.box.databasePath)).toEqual(before)
  } finally {
    await shop.close()
  }
})

test('a box without the old API has no route of it', async () => {
  const shop = await Shop.open({ PENSTOCK_LEGACY_API: 'off' })
  try {
    const drop = await openDrop(shop.seller)
    const number = idNumber(drop.id)
    const before = footprint(shop.box.databasePath)
    for (const path of ['/api/drops', `/api/drops/${number}/status`]) {
      expectProblem(await shop.old.get(path), 404, 'route_not_found', null)
    }
    for (const path of [`/api/drops/${number}/purchase`, reportPath]) {
      const body = { quantity: 1, email: newEmail(), data: { orderCode: 1 } }
      expectProblem(await shop.old.post(path, body), 404, 'route_not_found', null)
    }
    expect(footprint(shop.box.databasePath)).toEqual(before)
  } finally {
    await shop.close()
  }
})
