import { once } from 'node:events'
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runForTest } from './test-run.ts'
import type { Server } from 'node:http'
import type { Ran } from './test-run.ts'

/** What the commands ask a server and what they make of its answers, by the shapes of docs/api.md. */

interface Asked {
  readonly method: string
  readonly url: string
  readonly key: string
  readonly idempotencyKey: string | undefined
  readonly body: unknown
}

let server: Server
let url: string
let asked: Asked[]
/** The next answers in order; a number is an empty problem with that status. */
let answers: (object | number)[]

beforeEach(async () => {
  asked = []
  answers = []
  server = createServer((request, response) => {
    const { method = '', url: path = '', headers } = request
    const hasBody = headers['content-type'] !== undefined
    const read = hasBody ? json(request) : Promise.resolve(null)
    void read.then((body) => {
      const [key = '', idempotencyKey] = [headers.authorization, headers['idempotency-key']?.toString()]
      asked.push({ method, url: path, key, idempotencyKey, body })
      const answer = answers.shift() ?? 500
      const status = typeof answer === 'number' ? answer : 200
      const problem = { code: 'a_code', detail: 'A sentence.', param: null, status }
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(typeof answer === 'number' ? problem : answer))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
})
afterEach(() => {
  server.closeAllConnections()
  server.close()
})

const secretKey = 'sk_test_0123456789_0123456789'

function run(...args: string[]): Promise<Ran> {
  return runForTest([...args, '--url', url], { PENSTOCK_SECRET_KEY: secretKey })
}

const order = {
  id: 'ord_1',
  object: 'order',
  status: 'paid',
  payment: 'pay_1',
  amount: 9_998,
  currency: 'usd',
  lines: [],
}
const refund = { id: 'rfnd_1', object: 'refund', status: 'succeeded', payment: 'pay_1', amount: 4_999, currency: 'usd' }

describe('order refund', () => {
  it.each<[readonly string[], object]>([
    [[], {}],
    [['--amount', '49.99'], { amount: 4_999 }],
    [
      ['--line', 'sku_1=2', '--line', 'sku_2=1'],
      {
        lines: [
          { sku: 'sku_1', quantity: 2 },
          { sku: 'sku_2', quantity: 1 },
        ],
      },
    ],
    [['--restock', '--reason', 'too small'], { restock: true, reason: 'too small' }],
  ])('%j asks for it', async (args, body) => {
    answers = [order, refund]
    const { code, stdout, stderr } = await run('order', 'refund', 'ord_1', ...args)
    expect([code, stdout]).toEqual([0, 'rfnd_1  succeeded  49.99 USD of ord_1\n'])
    expect(asked.map(({ method, url: path, key }) => [method, path, key])).toEqual([
      ['GET', '/v1/orders/ord_1', `Bearer ${secretKey}`],
      ['POST', '/v1/refunds', `Bearer ${secretKey}`],
    ])
    expect(asked[1]?.body).toEqual({ payment: 'pay_1', ...body })
    expect(stderr).toBe(`Idempotency-Key ${asked[1]?.idempotencyKey}\n`)
  })

  it('asks again with the same key when the answer is unknown, and with the one it is given', async () => {
    answers = [order, 504, 503, refund]
    expect((await run('order', 'refund', 'ord_1', '--key', 'mine', '--json')).code).toBe(0)
    expect(asked.map(({ idempotencyKey }) => idempotencyKey)).toEqual([undefined, 'mine', 'mine', 'mine'])
  })

  it.each([
    ['usd', '4999', 'a number with 2 decimals (the order is in USD), such as 49.99'],
    ['usd', '49.9', 'a number with 2 decimals'],
    ['usd', '-1.00', 'a number with 2 decimals'],
    ['jpy', '49.99', 'a whole number (the order is in JPY), such as 4999'],
  ])('refuses an amount of %s that could mean two things: %s', async (currency, amount, message) => {
    answers = [{ ...order, currency }]
    const { code, stderr } = await run('order', 'refund', 'ord_1', `--amount=${amount}`)
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)])
    expect(asked).toHaveLength(1)
  })
})

describe('order show', () => {
  it('shows what later releases add, and an erased customer', async () => {
    answers = [
      {
        ...order,
        amount_refunded: 1,
        fulfilled_at: 1_800_000_000,
        customer: null,
        fees: [{ name: 'Post', kind: 'shipping', amount: 500 }],
        lines: [{ sku: 'sku_1', quantity: 2, quantity_refunded: 1, unit_amount: 4_999 }],
        codes: [{ code: 'ABC', sku: 'sku_1', status: 'valid', used_at: null }],
      },
    ]
    const { stdout } = await run('order', 'show', 'ord_1')
    for (const line of [
      /^fulfilled_at +2027-01-15 08:00:00Z$/m,
      /^amount_refunded +0\.01 USD$/m,
      /^fee Post +5\.00 USD$/m,
      /^sku_1 +2 +1 +49\.99 USD$/m,
      /^ABC +sku_1 +valid$/m,
      /^customer +\(erased\)$/m,
    ]) {
      expect(stdout).toMatch(line)
    }
  })

  it.each([
    ['drop', 'list'],
    ['order', 'list'],
    ['key', 'list'],
    ['webhook', 'list'],
    ['webhook', 'deliveries'],
  ])('%s %s says so when there are none', async (...words) => {
    const none = { object: 'list', data: [], has_more: false }
    answers = [none, none]
    const { stdout, stderr } = await run(...words)
    expect([stdout.split('\n').length, stderr]).toEqual([2, 'There are none.\n'])
    const asJson = await run(...words, '--json')
    expect(JSON.parse(asJson.stdout)).toEqual(none)
  })

  it('order list shows an erased customer and follows pages up to the limit', async () => {
    const page = (id: string) => ({
      object: 'list',
      data: [{ ...order, id, customer: null, created: 1 }],
      has_more: true,
    })
    answers = [page('ord_2'), page('ord_1')]
    const { stdout } = await run(
      'order',
      'list',
      '--limit',
      '2',
      '--drop',
      'drop_1',
      '--email',
      'a+b@x.com',
      '--status',
      'paid',
    )
    expect(stdout.match(/\(erased\)/g)).toHaveLength(2)
    const filters = 'drop=drop_1&status=paid&customer_email=a%2Bb%40x.com'
    expect(asked.map(({ url: path }) => path)).toEqual([
      `/v1/orders?${filters}&limit=2`,
      `/v1/orders?${filters}&limit=1&starting_after=ord_2`,
    ])
  })
})

describe('key', () => {
  const key = {
    id: 'key_1',
    object: 'api_key',
    kind: 'secret',
    name: 'shop',
    scopes: ['*'],
    hint: 'sk_test_…abcd',
    created: 1,
    expires_at: null,
    revoked_at: 1_800_000_000,
    last_used_at: null,
  }

  it('create sends what was given and shows the secret once', async () => {
    answers = [{ ...key, secret: 'sk_test_new' }]
    const made = await run('key', 'create', '--name', 'shop', '--scopes', 'orders:read, payments:write', '--days', '1')
    expect([made.code, made.stdout]).toEqual([0, 'key_1  secret  shop\nsk_test_new\n'])
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: '/v1/api_keys',
      body: { kind: 'secret', name: 'shop', scopes: ['orders:read', 'payments:write'], expires_at: 1_800_086_400 },
    })
  })

  it('list, roll and revoke', async () => {
    answers = [{ object: 'list', data: [key], has_more: false }, { ...key, id: 'key_2', secret: 'sk_test_next' }, key]
    const listed = await run('key', 'list')
    expect(listed.stdout).toMatch(/\nkey_1 +secret +sk_test_…abcd +\* +- +- +2027-01-15 08:00:00Z +shop\n$/)
    expect((await run('key', 'roll', 'key_1', '--overlap', '60')).stdout).toContain('sk_test_next')
    expect((await run('key', 'revoke', 'key_1')).stdout).toBe('key_1 was revoked 2027-01-15 08:00:00Z\n')
    expect(asked.slice(1).map(({ url: path, body }) => [path, body])).toEqual([
      ['/v1/api_keys/key_1/roll', { overlap: 60 }],
      ['/v1/api_keys/key_1/revoke', {}],
    ])
  })

  it('create says so when the answer with the secret got lost and the repeated one has none', async () => {
    answers = [503, key]
    const made = await run('key', 'create')
    expect([made.code, made.stdout]).toEqual([0, 'key_1  secret  shop\n'])
    expect(made.stderr).toContain('penstock key roll key_1 makes another key.')
  })
})

describe('webhook', () => {
  const endpoint = {
    id: 'whe_1',
    object: 'webhook_endpoint',
    status: 'enabled',
    disabled_reason: null,
    url: 'https://shop.example/hook',
    events: ['payment.captured'],
    description: 'Warehouse',
    failing_since: null,
    replay: null,
    created: 1,
  }
  const disabled = { ...endpoint, status: 'disabled', disabled_reason: 'failing', failing_since: 1_800_000_000 }
  const delivery = {
    id: 'whd_1',
    object: 'webhook_delivery',
    status: 'failed',
    endpoint: 'whe_1',
    event: 'evt_42',
    type: 'payment.captured',
    webhook_id: 'evt_42_whe_1',
    failures: 10,
    next_attempt_at: null,
    attempts: [
      { created: 1, duration_ms: 1, status: 500, fault: 'status' },
      { created: 2, duration_ms: 1, status: null, fault: 'timeout' },
    ],
    created: 1,
  }
  const line = 'whe_1  enabled  https://shop.example/hook\n'

  it('create sends what was given, all events when none was, and shows the secret once', async () => {
    answers = [{ ...endpoint, secret: 'whsec_a' }, endpoint]
    const events = ['--events', 'payment.captured, order.fulfilled', '--description', 'Warehouse']
    const made = await run('webhook', 'create', 'https://shop.example/hook', ...events)
    expect([made.code, made.stdout]).toEqual([0, `${line}whsec_a\n`])
    const replayed = await run('webhook', 'create', 'https://shop.example/hook')
    expect([replayed.code, replayed.stdout]).toEqual([0, line])
    expect(replayed.stderr).toContain('penstock webhook rotate whe_1 makes another.')
    expect(asked.map(({ method, url: path, body }) => [method, path, body])).toEqual([
      [
        'POST',
        '/v1/webhook_endpoints',
        { url: endpoint.url, events: ['payment.captured', 'order.fulfilled'], description: 'Warehouse' },
      ],
      ['POST', '/v1/webhook_endpoints', { url: endpoint.url, events: ['*'] }],
    ])
  })

  it('list shows why an endpoint gets nothing, and what is sent again', async () => {
    const replaying = { ...endpoint, id: 'whe_2', replay: { next: 'evt_3', to: 'evt_9' }, description: null }
    answers = [{ object: 'list', data: [disabled, replaying], has_more: false }]
    const { stdout } = await run('webhook', 'list')
    expect(stdout).toMatch(
      /^whe_1 +disabled \(failing\) +2027-01-15 08:00:00Z +- +payment\.captured +https.+Warehouse$/m,
    )
    expect(stdout).toMatch(/^whe_2 +enabled +- +evt_3 to evt_9 +payment\.captured +https:\S+ +-$/m)
    expect(asked[0]?.url).toBe('/v1/webhook_endpoints')
  })

  it.each<[readonly string[], object, string, string, object | null, string]>([
    [
      ['rotate', 'whe_1', '--overlap', '60'],
      { ...endpoint, secret: 'whsec_b' },
      'POST',
      'whe_1/rotate_secret',
      { overlap: 60 },
      `${line}whsec_b\n`,
    ],
    [['rotate', 'whe_1'], { ...endpoint, secret: 'whsec_b' }, 'POST', 'whe_1/rotate_secret', {}, `${line}whsec_b\n`],
    [
      ['disable', 'whe_1'],
      { ...disabled, disabled_reason: 'seller' },
      'PATCH',
      'whe_1',
      { status: 'disabled' },
      'whe_1  disabled (seller)  https://shop.example/hook\n',
    ],
    [['enable', 'whe_1'], endpoint, 'PATCH', 'whe_1', { status: 'enabled' }, line],
    [['delete', 'whe/1'], { id: 'whe/1', deleted: true }, 'DELETE', 'whe%2F1', null, 'whe/1 was deleted\n'],
    [
      ['replay', 'whe_1', '--from', 'evt_3', '--to', '1800000000'],
      { ...endpoint, replay: { next: 'evt_3', to: 'evt_9' } },
      'POST',
      'whe_1/replay',
      { from: 'evt_3', to: 1_800_000_000 },
      'whe_1  enabled  https://shop.example/hook  replays evt_3 to evt_9\n',
    ],
  ])('%j asks for it', async (args, answer, method, path, body, stdout) => {
    answers = [answer]
    const ran = await run('webhook', ...args)
    expect([ran.code, ran.stdout]).toEqual([0, stdout])
    expect(asked[0]).toMatchObject({ method, url: `/v1/webhook_endpoints/${path}`, body })
    expect(asked[0]?.idempotencyKey).toMatch(/./)
  })

  it('replay refuses to guess where to begin', async () => {
    const { code, stderr } = await run('webhook', 'replay', 'whe_1')
    expect([code, stderr]).toEqual([2, expect.stringContaining('--from is missing')])
    expect(asked).toEqual([])
  })

  it('deliveries shows the last answer, or why there was none; retry tries one again', async () => {
    answers = [
      { object: 'list', data: [delivery], has_more: true },
      { ...delivery, status: 'pending' },
    ]
    const filters = ['--endpoint', 'whe_1', '--event', 'evt_42', '--status', 'failed', '--limit', '1']
    const listed = await run('webhook', 'deliveries', ...filters)
    expect(listed.stdout).toMatch(/\nwhd_1 +failed +10 +- +timeout +evt_42 +payment\.captured +whe_1\n$/)
    expect(listed.stderr).toContain('There are more')
    const retried = await run('webhook', 'retry', 'whd_1')
    expect(retried.stdout).toBe('whd_1  pending  evt_42 to whe_1\n')
    expect(asked.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'GET /v1/webhook_deliveries?endpoint=whe_1&event=evt_42&status=failed&limit=1',
      'POST /v1/webhook_deliveries/whd_1/retry',
    ])
  })
})

describe('exit codes of answers', () => {
  it.each([
    [400, 2],
    [403, 4],
    [409, 4],
    [500, 1],
    [504, 5],
  ])('status %i is %i', async (status, expected) => {
    answers = [status, status, status]
    const { code, stderr } = await run('order', 'show', 'ord_1')
    expect([code, stderr]).toEqual([expected, `the server refused (${status} a_code): A sentence.\n`])
    expect(asked).toHaveLength(expected === 5 ? 3 : 1)
  })

  it('a write that is not understood is refused: what the command did before it stays', async () => {
    answers = [400]
    const { code, stderr } = await run('webhook', 'create', 'https://shop.example/hook')
    expect([code, stderr]).toEqual([4, 'the server refused (400 a_code): A sentence.\n'])
  })
})
