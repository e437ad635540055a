import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Penstock } from './penstock.ts'
import { TestServer } from './test-server.ts'
import type { Reaction } from './test-server.ts'

let server: TestServer
let penstock: Penstock

beforeAll(async () => {
  server = await TestServer.start()
  penstock = new Penstock({ baseUrl: server.url, apiKey: 'sk_test_1', maxAttempts: 1 })
})

beforeEach(() => {
  server.received.length = 0
})

afterAll(() => server.stop())

const sku = { name: 'One', unit_amount: 4_999, stock: 5 }
const customer = { email: 'ada@example.com' }
const money = { amount: 4_999, currency: 'usd' }

/** Every call, and the request it makes: `method target` and the body. */
const calls: readonly [string, (client: Penstock) => Promise<unknown>, string, object?][] = [
  ['drops.retrieve', (p) => p.drops.retrieve('drop_1'), 'GET /v1/drops/drop_1'],
  [
    'drops.create',
    (p) => p.drops.create({ name: 'F', currency: 'usd', skus: [sku] }),
    'POST /v1/drops',
    { name: 'F', currency: 'usd', skus: [sku] },
  ],
  [
    'drops.update',
    (p) => p.drops.update('drop_1', { ends_at: null, skus: [{ id: 'sku_1', stock: 6 }, sku] }),
    'PATCH /v1/drops/drop_1',
    { ends_at: null, skus: [{ id: 'sku_1', stock: 6 }, sku] },
  ],
  ['drops.publish', (p) => p.drops.publish('drop_1'), 'POST /v1/drops/drop_1/publish', {}],
  ['drops.pause', (p) => p.drops.pause('drop_1'), 'POST /v1/drops/drop_1/pause', {}],
  ['drops.resume', (p) => p.drops.resume('drop_1'), 'POST /v1/drops/drop_1/resume', {}],
  ['drops.end', (p) => p.drops.end('drop_1'), 'POST /v1/drops/drop_1/end', {}],
  ['drops.cancel', (p) => p.drops.cancel('drop_1'), 'POST /v1/drops/drop_1/cancel', {}],
  [
    'drops.restock',
    (p) => p.drops.restock('drop_1', { sku: 'sku_1', quantity: -2 }),
    'POST /v1/drops/drop_1/restock',
    { sku: 'sku_1', quantity: -2 },
  ],
  [
    'holds.create',
    (p) => p.holds.create({ drop: 'drop_1', lines: [{ sku: 'sku_1', quantity: 1 }], customer }),
    'POST /v1/holds',
    { drop: 'drop_1', lines: [{ sku: 'sku_1', quantity: 1 }], customer },
  ],
  ['holds.retrieve', (p) => p.holds.retrieve('hold_1', { clientSecret: 'cs_1' }), 'GET /v1/holds/hold_1'],
  [
    'holds.checkout',
    (p) => p.holds.checkout('hold_1', { provider: 'test', return_url: 'https://s.example' }),
    'POST /v1/holds/hold_1/checkout',
    { provider: 'test', return_url: 'https://s.example' },
  ],
  ['holds.release', (p) => p.holds.release('hold_1', { clientSecret: 'cs_1' }), 'DELETE /v1/holds/hold_1'],
  ['holds.erase', (p) => p.holds.erase('hold_1'), 'POST /v1/holds/hold_1/erase', {}],
  ['payments.retrieve', (p) => p.payments.retrieve('pay_1'), 'GET /v1/payments/pay_1'],
  [
    'payments.create',
    (p) => p.payments.create({ hold: 'hold_1', provider: 'manual', provider_payment_id: '1', ...money }),
    'POST /v1/payments',
    { hold: 'hold_1', provider: 'manual', provider_payment_id: '1', ...money },
  ],
  [
    'payments.attach',
    (p) => p.payments.attach('pay_1', { hold: 'hold_1' }),
    'POST /v1/payments/pay_1/attach',
    { hold: 'hold_1' },
  ],
  ['refunds.retrieve', (p) => p.refunds.retrieve('rfnd_1'), 'GET /v1/refunds/rfnd_1'],
  [
    'refunds.create',
    (p) => p.refunds.create({ payment: 'pay_1', lines: [{ sku: 'sku_1', quantity: 1 }], restock: true }),
    'POST /v1/refunds',
    { payment: 'pay_1', lines: [{ sku: 'sku_1', quantity: 1 }], restock: true },
  ],
  [
    'refunds.settle',
    (p) => p.refunds.settle('rfnd_1', { status: 'failed' }),
    'POST /v1/refunds/rfnd_1/settle',
    { status: 'failed' },
  ],
  ['disputes.retrieve', (p) => p.disputes.retrieve('dsp_1'), 'GET /v1/disputes/dsp_1'],
  [
    'disputes.create',
    (p) => p.disputes.create({ payment: 'pay_1', provider_dispute_id: 'd' }),
    'POST /v1/disputes',
    { payment: 'pay_1', provider_dispute_id: 'd' },
  ],
  [
    'disputes.close',
    (p) => p.disputes.close('dsp_1', { status: 'won' }),
    'POST /v1/disputes/dsp_1/close',
    { status: 'won' },
  ],
  ['orders.retrieve', (p) => p.orders.retrieve('ord_1'), 'GET /v1/orders/ord_1'],
  [
    'orders.cancel',
    (p) => p.orders.cancel('ord_1', { restock: true }),
    'POST /v1/orders/ord_1/cancel',
    { restock: true },
  ],
  ['orders.fulfil', (p) => p.orders.fulfil('ord_1'), 'POST /v1/orders/ord_1/fulfil', {}],
  [
    'customers.erase',
    (p) => p.customers.erase('ada@example.com'),
    'POST /v1/customer_erasures',
    { email: 'ada@example.com', starting_after: null },
  ],
  ['orders.erase', (p) => p.orders.erase('ord_1'), 'POST /v1/orders/ord_1/erase', {}],
  ['codes.verify', (p) => p.codes.verify('AB/C'), 'POST /v1/codes/AB%2FC/verify', {}],
  ['ledger.balances', (p) => p.ledger.balances(), 'GET /v1/ledger/balances'],
  ['apiKeys.retrieve', (p) => p.apiKeys.retrieve('key_1'), 'GET /v1/api_keys/key_1'],
  [
    'apiKeys.create',
    (p) => p.apiKeys.create({ kind: 'secret', scopes: ['drops:read'] }),
    'POST /v1/api_keys',
    { kind: 'secret', scopes: ['drops:read'] },
  ],
  ['apiKeys.roll', (p) => p.apiKeys.roll('key_1', { overlap: 0 }), 'POST /v1/api_keys/key_1/roll', { overlap: 0 }],
  ['apiKeys.revoke', (p) => p.apiKeys.revoke('key_1'), 'POST /v1/api_keys/key_1/revoke', {}],
  ['webhookEndpoints.retrieve', (p) => p.webhookEndpoints.retrieve('whe_1'), 'GET /v1/webhook_endpoints/whe_1'],
  [
    'webhookEndpoints.create',
    (p) => p.webhookEndpoints.create({ url: 'https://s.example', events: ['*'] }),
    'POST /v1/webhook_endpoints',
    { url: 'https://s.example', events: ['*'] },
  ],
  [
    'webhookEndpoints.update',
    (p) => p.webhookEndpoints.update('whe_1', { description: null, status: 'disabled' }),
    'PATCH /v1/webhook_endpoints/whe_1',
    { description: null, status: 'disabled' },
  ],
  ['webhookEndpoints.delete', (p) => p.webhookEndpoints.delete('whe_1'), 'DELETE /v1/webhook_endpoints/whe_1'],
  [
    'webhookEndpoints.rotateSecret',
    (p) => p.webhookEndpoints.rotateSecret('whe_1', { overlap: 0 }),
    'POST /v1/webhook_endpoints/whe_1/rotate_secret',
    { overlap: 0 },
  ],
  [
    'webhookEndpoints.replay',
    (p) => p.webhookEndpoints.replay('whe_1', { from: 'evt_1', to: 2 }),
    'POST /v1/webhook_endpoints/whe_1/replay',
    { from: 'evt_1', to: 2 },
  ],
  ['webhookDeliveries.retrieve', (p) => p.webhookDeliveries.retrieve('whd_1'), 'GET /v1/webhook_deliveries/whd_1'],
  ['webhookDeliveries.retry', (p) => p.webhookDeliveries.retry('whd_1'), 'POST /v1/webhook_deliveries/whd_1/retry', {}],
  ['drops.list', (p) => p.drops.list({ status: 'live' }).page(), 'GET /v1/drops?status=live'],
  [
    'holds.list',
    (p) => p.holds.list({ status: 'active', drop: 'drop_1' }).page(),
    'GET /v1/holds?status=active&drop=drop_1',
  ],
  [
    'payments.list',
    (p) => p.payments.list({ q: 'a', created_from: 1, limit: 2 }).page(),
    'GET /v1/payments?q=a&created_from=1&limit=2',
  ],
  ['refunds.list', (p) => p.refunds.list({ payment: 'pay_1' }).page(), 'GET /v1/refunds?payment=pay_1'],
  ['disputes.list', (p) => p.disputes.list({ status: 'open' }).page(), 'GET /v1/disputes?status=open'],
  [
    'orders.list',
    (p) => p.orders.list({ customer_email: 'a+b@c.d' }).page(),
    'GET /v1/orders?customer_email=a%2Bb%40c.d',
  ],
  [
    'ledger.entries',
    (p) => p.ledger.entries({ account: 'cash:manual' }).page(),
    'GET /v1/ledger/entries?account=cash%3Amanual',
  ],
  ['webhookEndpoints.list', (p) => p.webhookEndpoints.list().page(), 'GET /v1/webhook_endpoints'],
  [
    'webhookDeliveries.list',
    (p) => p.webhookDeliveries.list({ endpoint: 'whe_1', status: 'failed', created_to: 3 }).page(),
    'GET /v1/webhook_deliveries?endpoint=whe_1&status=failed&created_to=3',
  ],
  ['apiKeys.list', (p) => p.apiKeys.list().page(), 'GET /v1/api_keys'],
  ['events.list', (p) => p.events.list({ type: 'payment.captured' }).page(), 'GET /v1/events?type=payment.captured'],
  [
    'exports.stream',
    (p) => p.exports.stream('orders', { format: 'csv', drop: 'drop_1' }).then((s) => s.cancel()),
    'GET /v1/exports/orders?format=csv&drop=drop_1',
  ],
]

describe('Penstock', () => {
  it.each<(typeof calls)[number]>(calls)('%s', async (...[, call, request, body]) => {
    server.will({ body: { object: 'list', data: [], has_more: false } })
    await call(penstock)
    const [received] = server.received
    expect(`${received?.method} ${received?.target}`).toBe(request)
    expect(received?.body).toBe(body === undefined ? '' : JSON.stringify(body))
  })

  it('sends the client secret of a hold', async () => {
    server.will({}, {}, {})
    await penstock.holds.retrieve('hold_1', { clientSecret: 'cs_1' })
    await penstock.holds.checkout('hold_1', { provider: 'test' }, { clientSecret: 'cs_1' })
    await penstock.holds.release('hold_1', { clientSecret: 'cs_1' })
    expect(server.received.map(({ headers }) => headers['penstock-client-secret'])).toEqual(['cs_1', 'cs_1', 'cs_1'])
  })

  it('reads a list page by page', async () => {
    const page = (ids: string[], more: boolean): Reaction => ({
      body: { object: 'list', data: ids.map((id) => ({ id })), has_more: more },
    })
    server.will(page(['ord_3', 'ord_2'], true), page(['ord_1'], false))
    const ids: string[] = []
    for await (const order of penstock.orders.list({ drop: 'drop_1' })) ids.push(order.id)
    expect(ids).toEqual(['ord_3', 'ord_2', 'ord_1'])
    expect(server.received.map(({ target }) => target)).toEqual([
      '/v1/orders?drop=drop_1&limit=100',
      '/v1/orders?drop=drop_1&limit=100&starting_after=ord_2',
    ])
  })
})

describe('exports.stream', () => {
  it('gives the bytes, and repeats only the start', async () => {
    server.will('reset', { body: 'id,status\nord_1,paid\n' })
    const stream = await penstock.exports.stream('orders', { format: 'csv' }, { maxAttempts: 2 })
    expect(await new Response(stream).text()).toBe('id,status\nord_1,paid\n')
  })

  it('rejects in the middle when the connection breaks', async () => {
    server.will('cut')
    const stream = await penstock.exports.stream('orders', { format: 'csv' })
    await expect(new Response(stream).text()).rejects.toMatchObject({ name: 'ConnectionError' })
    expect(server.received).toHaveLength(1)
  })

  it('rejects in the middle when nothing comes in time, and when the caller ends it', async () => {
    server.will('stall', 'stall')
    const bounds = { timeoutMs: 300, totalTimeoutMs: 200 }
    const slow = await penstock.exports.stream('orders', { format: 'csv' }, bounds)
    // What is left of the time for the start is no bound for a chunk.
    const message = 'No answer within 300 ms.'
    await expect(new Response(slow).text()).rejects.toMatchObject({ name: 'TimeoutError', message })
    const ended = new AbortController()
    const reason = new Error('gone')
    const endless = await penstock.exports.stream('orders', { format: 'csv' }, { signal: ended.signal })
    const reading = new Response(endless).text()
    ended.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })
})
