import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { bodyBytesMax } from '@penstock/domain/limits.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { AnswerChecker } from '../openapi/answer-check.ts'
import { currentDocument } from '../openapi/golden.ts'
import { expectProblem, expectRefusal } from './expect-problem.ts'
import {
  expectNothingWritten,
  expectStatus,
  footprint,
  holdBody,
  openDrop,
  paymentBody,
  skuOf,
  takeHold,
} from './shop.ts'
import { wrongBodies } from './wrong-values.ts'
import type { Answer, Headers } from '../client.ts'
import type { Footprint } from './shop.ts'
import type { WireApiKey, WireDrop, WireHold } from '../wire-types.ts'
import type { SchemaNode } from '@penstock/http/openapi/schema-node.ts'

/** By path: the tests are no part of the HTTP process and do not depend on it. */
const schemas = (await import(new URL('../../http/schema.ts', import.meta.url).href)) as Readonly<
  Record<string, SchemaNode>
>

const checker = new AnswerChecker(currentDocument())

const none = '00000000000000000000000000'
const atOnce = 16

interface WriteRoute {
  readonly name: string
  readonly method: 'POST' | 'PATCH' | 'DELETE'
  readonly schema: string
  readonly path: (fixture: Fixture) => string
  /** A request that would be accepted, with a value for every field. */
  readonly body: (fixture: Fixture) => object
}

interface Fixture {
  readonly drop: WireDrop
  readonly hold: WireHold
  readonly apiKey: WireApiKey
}

const address = { line1: 'A 1', line2: 'B', city: 'C', state: 'D', postal_code: '1', country: 'DE' }
const dropFields = {
  name: 'A drop',
  starts_at: 1_800_000_000,
  ends_at: 1_900_000_000,
  hold_ttl: 600,
  max_per_customer: 2,
  late_payment: 'refund',
  // Both at once: what each of them may be is looked at first.
  fees: [{ name: 'VAT', kind: 'tax', amount: 1, basis_points: 1 }],
  description: 'A text',
  image: 'https://example.com/a.png',
  metadata: { a: 'b' },
}
const emptyAction = (action: string): WriteRoute => ({
  name: `POST /v1/drops/{id}/${action}`,
  method: 'POST',
  schema: 'emptyBody',
  path: ({ drop }) => `/v1/drops/${drop.id}/${action}`,
  body: () => ({}),
})
const writeRoutes: WriteRoute[] = [
  {
    name: 'POST /v1/drops',
    method: 'POST',
    schema: 'dropCreateBody',
    path: () => '/v1/drops',
    body: () => ({ ...dropFields, currency: 'usd', skus: [{ name: 'A', unit_amount: 1, stock: 1, max_per_order: 1 }] }),
  },
  {
    name: 'PATCH /v1/drops/{id}',
    method: 'PATCH',
    schema: 'dropUpdateBody',
    path: ({ drop }) => `/v1/drops/${drop.id}`,
    body: ({ drop }) => ({
      ...dropFields,
      skus: [{ id: skuOf(drop).id, name: 'A', unit_amount: 1, stock: 1, max_per_order: 1 }],
    }),
  },
  emptyAction('publish'),
  emptyAction('pause'),
  emptyAction('resume'),
  emptyAction('end'),
  emptyAction('cancel'),
  {
    name: 'POST /v1/holds/{id}/erase',
    method: 'POST',
    schema: 'emptyBody',
    path: ({ hold }) => `/v1/holds/${hold.id}/erase`,
    body: () => ({}),
  },
  {
    name: 'POST /v1/drops/{id}/restock',
    method: 'POST',
    schema: 'restockBody',
    path: ({ drop }) => `/v1/drops/${drop.id}/restock`,
    body: ({ drop }) => ({ sku: skuOf(drop).id, quantity: 1 }),
  },
  {
    name: 'POST /v1/holds',
    method: 'POST',
    schema: 'holdCreateBody',
    path: () => '/v1/holds',
    body: ({ drop, hold }) => ({
      ...holdBody(drop),
      customer: { email: 'a@b', phone: '1', external_id: 'c', name: 'd', shipping_address: address },
      replace: { hold: hold.id, client_secret: hold.client_secret },
    }),
  },
  {
    name: 'DELETE /v1/holds/{id}',
    method: 'DELETE',
    schema: 'emptyBody',
    path: ({ hold }) => `/v1/holds/${hold.id}`,
    body: () => ({}),
  },
  {
    name: 'POST /v1/payments',
    method: 'POST',
    schema: 'paymentCreateBody',
    path: () => '/v1/payments',
    body: ({ hold }) => paymentBody(hold),
  },
  {
    name: 'POST /v1/payments/{id}/attach',
    method: 'POST',
    schema: 'paymentAttachBody',
    path: () => `/v1/payments/pay_${none}/attach`,
    body: ({ hold }) => ({ hold: hold.id }),
  },
  {
    name: 'POST /v1/refunds',
    method: 'POST',
    schema: 'refundCreateBody',
    path: () => '/v1/refunds',
    body: ({ drop }) => ({
      payment: `pay_${none}`,
      amount: 1,
      lines: [{ sku: skuOf(drop).id, quantity: 1 }],
      restock: true,
      reason: 'A text',
    }),
  },
  {
    name: 'POST /v1/refunds/{id}/settle',
    method: 'POST',
    schema: 'refundSettleBody',
    path: () => `/v1/refunds/rfnd_${none}/settle`,
    body: () => ({ status: 'failed' }),
  },
  {
    name: 'POST /v1/disputes',
    method: 'POST',
    schema: 'disputeOpenBody',
    path: () => '/v1/disputes',
    body: () => ({ payment: `pay_${none}`, provider_dispute_id: 'd', amount: 1, reason: 'A text' }),
  },
  {
    name: 'POST /v1/disputes/{id}/close',
    method: 'POST',
    schema: 'disputeCloseBody',
    path: () => `/v1/disputes/dsp_${none}/close`,
    body: () => ({ status: 'won' }),
  },
  {
    name: 'POST /v1/orders/{id}/cancel',
    method: 'POST',
    schema: 'orderCancelBody',
    path: () => `/v1/orders/ord_${none}/cancel`,
    body: () => ({ restock: false, reason: 'A text' }),
  },
  {
    name: 'POST /v1/orders/{id}/fulfil',
    method: 'POST',
    schema: 'emptyBody',
    path: () => `/v1/orders/ord_${none}/fulfil`,
    body: () => ({}),
  },
  {
    name: 'POST /v1/api_keys',
    method: 'POST',
    schema: 'apiKeyCreateBody',
    path: () => '/v1/api_keys',
    body: () => ({ kind: 'secret', name: 'A', scopes: ['drops:read', 'drops:write'], expires_at: 2_000_000_000 }),
  },
  {
    name: 'POST /v1/api_keys/{id}/roll',
    method: 'POST',
    schema: 'apiKeyRollBody',
    path: ({ apiKey }) => `/v1/api_keys/${apiKey.id}/roll`,
    body: () => ({ overlap: 0 }),
  },
  {
    name: 'POST /v1/api_keys/{id}/revoke',
    method: 'POST',
    schema: 'emptyBody',
    path: ({ apiKey }) => `/v1/api_keys/${apiKey.id}/revoke`,
    body: () => ({}),
  },
  {
    name: 'POST /v1/webhook_endpoints',
    method: 'POST',
    schema: 'webhookEndpointCreateBody',
    path: () => '/v1/webhook_endpoints',
    body: () => ({ url: 'https://example.com/', events: ['payment.captured', '*'], description: 'A' }),
  },
  {
    name: 'PATCH /v1/webhook_endpoints/{id}',
    method: 'PATCH',
    schema: 'webhookEndpointUpdateBody',
    path: () => `/v1/webhook_endpoints/whe_${none}`,
    body: () => ({
      url: 'https://example.com/',
      events: ['payment.captured', '*'],
      description: 'A',
      status: 'enabled',
    }),
  },
  {
    name: 'DELETE /v1/webhook_endpoints/{id}',
    method: 'DELETE',
    schema: 'emptyBody',
    path: () => `/v1/webhook_endpoints/whe_${none}`,
    body: () => ({}),
  },
  {
    name: 'POST /v1/webhook_endpoints/{id}/rotate_secret',
    method: 'POST',
    schema: 'webhookSecretRotateBody',
    path: () => `/v1/webhook_endpoints/whe_${none}/rotate_secret`,
    body: () => ({ overlap: 0 }),
  },
  {
    name: 'POST /v1/webhook_deliveries/{id}/retry',
    method: 'POST',
    schema: 'emptyBody',
    path: () => '/v1/webhook_deliveries/whd_1/retry',
    body: () => ({}),
  },
]

describe.each(['uws', 'node'] as const)('bad input on %s', (transport) => {
  let box: Box
  let seller: Client
  let browser: Client
  let fixture: Fixture
  let before: Footprint
  let pids: object

  beforeAll(async () => {
    box = await Box.start({ transport, httpProcesses: 2 })
    pids = box.pids
    seller = new Client(box.url, box.secretKey, { connections: atOnce, check: checker.check })
    browser = new Client(box.url, box.publishableKey, { check: checker.check })
    const drop = await openDrop(seller, { hold_ttl: 600 })
    const apiKey = expectStatus(await seller.post<WireApiKey>('/v1/api_keys', { kind: 'secret' }), 201).body
    fixture = { drop, hold: await takeHold(seller, drop), apiKey }
  })

  afterAll(async () => {
    seller.close()
    browser.close()
    await box.stop()
  })

  beforeEach(() => {
    before = footprint(box.databasePath)
  })

  afterEach(() => {
    // Nothing was written and no process was harmed, now or by an earlier test.
    expectNothingWritten(box.databasePath, before)
    expect(box.pids).toEqual(pids)
  })

  interface Attempt {
    readonly what: string
    readonly send: () => Promise<Answer<unknown>>
    readonly check: (answer: Answer<unknown>) => void
  }

  /** A few at a time. What fails is reported together, by name. */
  const tryAll = async (attempts: readonly Attempt[]): Promise<void> => {
    const failures: string[] = []
    const queue = attempts.values()
    const work = async (): Promise<void> => {
      for (const { what, send, check } of queue) {
        const answer = await send()
        try {
          expectRefusal(answer)
          expect(answer.status).toBeLessThan(500)
          check(answer)
        } catch (error) {
          failures.push(`${what}: ${(error as Error).message} (${answer.status} ${answer.text.slice(0, 200)})`)
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, work))
    expect(failures).toEqual([])
  }

  const sendJson = (method: string, path: string, json: string | Uint8Array, headers: Headers = {}) =>
    seller.send(method, path, json, headers)

  it.each(writeRoutes)('$name: every field with every kind of wrong value', async (route) => {
    const bodies = wrongBodies(schemas[route.schema] ?? {}, route.body(fixture))
    const path = route.path(fixture)
    await tryAll(
      bodies.map(({ what, json, param }) => ({
        what,
        send: () => sendJson(route.method, path, json),
        check: (answer) => expectProblem(answer, 400, 'invalid_request', param),
      })),
    )
  })

  it.each(writeRoutes)('$name: what is not JSON', async (route) => {
    const valid = JSON.stringify(route.body(fixture))
    const bytes = (...middle: number[]): Uint8Array =>
      Buffer.concat([Buffer.from('{"name":"'), Buffer.from(middle), Buffer.from('"}')])
    const notJson: [string, string | Uint8Array][] = [
      ['open brace', '{'],
      ['trailing comma', '{"a":1,}'],
      ['single quotes', "{'a':1}"],
      ['bare word', 'undefined'],
      ['NaN', '{"amount":NaN}'],
      ['Infinity', '{"amount":Infinity}'],
      ['leading zero', '{"amount":01}'],
      ['hexadecimal', '{"amount":0x1}'],
      ['two values', `${valid}${valid}`],
      ['comment', `/* */${valid}`],
      ['byte order mark', `\ufeff${valid}`],
      ['no-break space', `\u00a0${valid}`],
      ['line break in a text', '{"name":"a\nb"}'],
      ['NUL byte in a text', '{"name":"a\0b"}'],
      ['NUL after it', `${valid}\0`],
      ['cut off', valid.slice(0, -1)],
      ['a form', 'drop=1&quantity=2'],
      ['blank', '   '],
      ['wrong UTF-8', bytes(0xff)],
      ['overlong UTF-8', bytes(0xc0, 0xaf)],
      ['a surrogate in UTF-8', bytes(0xed, 0xa0, 0x80)],
      ['UTF-8 cut off', bytes(0xf0, 0x9f, 0x91)],
      ['UTF-16', Buffer.from(valid, 'utf16le')],
      ['compressed', Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3])],
      ['100,000 open brackets', '['.repeat(100_000)],
    ]
    await tryAll(
      notJson.map(([what, body]) => ({
        what,
        send: () => sendJson(route.method, route.path(fixture), body),
        check: (answer) => expectProblem(answer, 400, 'invalid_json', null),
      })),
    )
    const notObjects = ['null', '[]', '[{}]', '"text"', '1', 'true', `[${valid}]`]
    await tryAll(
      notObjects.map((body) => ({
        what: `the body is ${body}`,
        send: () => sendJson(route.method, route.path(fixture), body),
        check: (answer) => expectProblem(answer, 400, 'invalid_request', null),
      })),
    )
  })

  it.each(writeRoutes)('$name: nested 100,000 deep', async (route) => {
    const nest = (open: string, close: string, depth: number, core = '1'): string =>
      `${open.repeat(depth)}${core}${close.repeat(depth)}`
    const deep = [
      nest('[', ']', 100_000),
      `{"name":${nest('[', ']', 100_000)}}`,
      `{"metadata":{"a":${nest('[', ']', 100_000)}}}`,
      nest('{"a":', '}', 40_000),
      // Escapes make the server look into every value.
      `{"name":${nest('[', ']', 100_000, '"\\u0041"')}}`,
      nest('{"a":', '}', 40_000, '"\\ud800"'),
    ]
    await tryAll(
      deep.map((body) => ({
        what: `${body.slice(0, 30)}...`,
        send: () => sendJson(route.method, route.path(fixture), body),
        check: (answer) => expect(answer.status).toBe(400),
      })),
    )
  })

  it.each(writeRoutes)('$name: a body that is no JSON by its type', async (route) => {
    const body = JSON.stringify(route.body(fixture))
    const types = [
      '',
      'text/plain',
      'text/json',
      'application/jsonx',
      'application/json-patch+json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'json',
    ]
    await tryAll(
      types.map((type) => ({
        what: `Content-Type: ${type}`,
        send: () => sendJson(route.method, route.path(fixture), body, { 'content-type': type }),
        check: (answer) => expectProblem(answer, 415, 'unsupported_media_type', null),
      })),
    )
  })

  it.each(writeRoutes)('$name: a body over the limit', async (route) => {
    const body = JSON.stringify(route.body(fixture))
    const tooLarge = body.padEnd(bodyBytesMax + 1, ' ')
    const chunked = { 'transfer-encoding': 'chunked', 'content-length': '' }
    await tryAll(
      [{}, chunked].map((headers) => ({
        what: `one byte too many ${JSON.stringify(headers)}`,
        send: () => sendJson(route.method, route.path(fixture), tooLarge, headers),
        check: (answer) => expectProblem(answer, 413, 'body_too_large', null),
      })),
    )
    // At the limit the content decides.
    const wrong = JSON.stringify({ ...route.body(fixture), unknown_field: 1 })
    const answer = await sendJson(route.method, route.path(fixture), wrong.padEnd(bodyBytesMax, ' '))
    expect(expectRefusal(answer)).toMatchObject({ status: 400, code: 'invalid_request', param: 'unknown_field' })
  })

  it.each(writeRoutes)('$name: without a key that is valid here', async (route) => {
    const body = JSON.stringify(route.body(fixture))
    const keys = ['', 'Bearer', 'Bearer x', `Bearer  ${box.secretKey}`, `Bearer ${'k'.repeat(2_000)}`, 'Bearer \u00e9x']
    await tryAll(
      keys.map((authorization) => ({
        what: `Authorization: ${authorization.slice(0, 20)}`,
        send: () => sendJson(route.method, route.path(fixture), body, { authorization }),
        check: (answer) => expectProblem(answer, 401, 'unauthorized', null),
      })),
    )
  })

  it('metadata that cannot be kept', async () => {
    const { drop } = fixture
    const keys = ['__proto__', '', ' ', 'a b', 'ä', 'a/b', 'k'.repeat(41), 'a\u0000', '\ud800']
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']))
    const values = ['1', 'null', 'true', '{}', '[]', '"\\u0000"', '"\\udfff"', JSON.stringify('x'.repeat(501))]
    const metadata: [string, string][] = [
      ...keys.map((key) => [`{${JSON.stringify(key)}:"v"}`, key] as [string, string]),
      ...values.map((value) => [`{"a":${value}}`, 'a'] as [string, string]),
      [JSON.stringify(many), ''],
    ]
    await tryAll(
      metadata.map(([json, key]) => ({
        what: `metadata ${json.slice(0, 40)}`,
        send: () => sendJson('PATCH', `/v1/drops/${drop.id}`, `{"metadata":${json}}`),
        check: (answer) => {
          const { param } = expectRefusal(answer)
          expect([`metadata.${key}`, 'metadata']).toContain(param)
        },
      })),
    )
  })

  it('ids that nothing has, of the right form and the wrong one', async () => {
    const wrongIds = [
      'x',
      none,
      '0',
      '%00',
      '%2e%2e',
      'drop_%F0%9F%91%9F',
      'a'.repeat(500),
      '__proto__',
      'constructor',
      `drop_${none}`,
      `hold_${none}`,
      `ord_${none}`,
      fixture.drop.id.toUpperCase(),
      `${fixture.drop.id}0`,
      fixture.hold.id.replace('hold', 'drop'),
    ]
    const routes: [string, (id: string) => string, string?][] = [
      ['GET', (id) => `/v1/drops/${id}`],
      ['PATCH', (id) => `/v1/drops/${id}`, '{"name":"x"}'],
      ...['publish', 'pause', 'resume', 'end'].map(
        (action) =>
          ['POST', (id: string) => `/v1/drops/${id}/${action}`, '{}'] as [string, (id: string) => string, string],
      ),
      ['POST', (id) => `/v1/drops/${id}/restock`, JSON.stringify({ sku: `sku_${none}`, quantity: 1 })],
      ['GET', (id) => `/v1/holds/${id}`],
      ['DELETE', (id) => `/v1/holds/${id}`],
      ['GET', (id) => `/v1/orders/${id}`],
      ['POST', (id) => `/v1/orders/${id}/cancel`, '{}'],
      ['POST', (id) => `/v1/orders/${id}/fulfil`, '{}'],
      ['GET', (id) => `/v1/payments/${id}`],
      ['POST', (id) => `/v1/payments/${id}/attach`, JSON.stringify({ hold: fixture.hold.id })],
      ['GET', (id) => `/v1/refunds/${id}`],
      ['POST', (id) => `/v1/refunds/${id}/settle`, '{"status":"failed"}'],
      ['GET', (id) => `/v1/disputes/${id}`],
      ['POST', (id) => `/v1/disputes/${id}/close`, '{"status":"won"}'],
      ['GET', (id) => `/v1/api_keys/${id}`],
      ['POST', (id) => `/v1/api_keys/${id}/roll`, '{}'],
      ['POST', (id) => `/v1/api_keys/${id}/revoke`, '{}'],
      ['GET', (id) => `/v1/webhook_endpoints/${id}`],
      ['PATCH', (id) => `/v1/webhook_endpoints/${id}`, '{"status":"disabled"}'],
      ['DELETE', (id) => `/v1/webhook_endpoints/${id}`, '{}'],
      ['POST', (id) => `/v1/webhook_endpoints/${id}/rotate_secret`, '{}'],
      ['POST', (id) => `/v1/webhook_endpoints/${id}/replay`, '{"from":"evt_1"}'],
      ['GET', (id) => `/v1/webhook_deliveries/${id}`],
      ['POST', (id) => `/v1/webhook_deliveries/${id}/retry`, '{}'],
    ]
    await tryAll(
      routes.flatMap(([method, path, body]) =>
        wrongIds.map((id) => ({
          what: `${method} ${path(id).slice(0, 60)}`,
          send: () => seller.send(method, path(id), body),
          check: (answer: Answer<unknown>) => expectProblem(answer, 404, 'not_found', 'id'),
        })),
      ),
    )
  })

  it('ids of the right form that nothing has, in bodies', async () => {
    const { drop, hold } = fixture
    const rows: [string, object, string][] = [
      ['/v1/holds', holdBody(drop, { drop: `drop_${none}` }), 'drop'],
      ['/v1/holds', holdBody(drop, { lines: [{ sku: `sku_${none}`, quantity: 1 }] }), 'lines[0].sku'],
      ['/v1/holds', holdBody(drop, { replace: { hold: `hold_${none}` } }), 'replace.hold'],
      [`/v1/drops/${drop.id}/restock`, { sku: `sku_${none}`, quantity: 1 }, 'sku'],
      ['/v1/refunds', { payment: `pay_${none}` }, 'payment'],
      ['/v1/disputes', { payment: `pay_${none}`, provider_dispute_id: 'd' }, 'payment'],
    ]
    await tryAll(
      rows.map(([path, body, param]) => ({
        what: `${path} ${param}`,
        send: () => seller.post(path, body),
        check: (answer) => expectProblem(answer, 404, 'not_found', param),
      })),
    )
    const stolen = holdBody(drop, { replace: { hold: hold.id, client_secret: 'cs_wrong' } })
    expectProblem(await browser.post('/v1/holds', stolen), 403, 'invalid_client_secret', 'replace.client_secret')
  })

  it('URLs of webhooks that lead where they must not', async () => {
    const urls = [
      'https://127.0.0.1/',
      'https://127.1/',
      'https://2130706433/',
      'https://0x7f.0.0.1/',
      'https://localhost/',
      'https://shop.localhost./',
      'https://10.0.0.1/',
      'https://172.31.255.255/',
      'https://192.168.1.1/',
      'https://169.254.169.254/latest/meta-data/',
      'https://100.64.0.1/',
      'https://0.0.0.0/',
      'https://224.0.0.1/',
      'https://255.255.255.255/',
      'https://[::1]/',
      'https://[::]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:8.8.8.8]/',
      'https://[fe80::1]/',
      'https://[fd00:ec2::254]/',
      'https://[ff02::1]/',
      'https://[64:ff9b::7f00:1]/',
      'https://[2002:7f00:1::]/',
      'https://user:secret@example.com/',
      'https://example.com:22/',
      'https://example.com/#part',
      'http://',
    ]
    await tryAll(
      urls.map((url) => ({
        what: url,
        send: () => seller.post('/v1/webhook_endpoints', { url, events: ['*'] }),
        check: (answer) => {
          expectProblem(answer, 400, 'invalid_request', 'url')
          expect(answer.text).not.toContain('secret@')
        },
      })),
    )
  })

  it('ranges to replay that are none', async () => {
    const path = `/v1/webhook_endpoints/whe_${none}/replay`
    const bodies: [object, string][] = [
      [{}, 'from'],
      [{ from: null }, 'from'],
      [{ from: 'evt_0' }, 'from'],
      [{ from: 'whd_1' }, 'from'],
      [{ from: 1.5 }, 'from'],
      [{ from: -1 }, 'from'],
      [{ from: 1, to: null }, 'to'],
      [{ from: 1, to: '1' }, 'to'],
      [{ from: 1, to: 2, limit: 3 }, 'limit'],
    ]
    await tryAll(
      bodies.map(([body, param]) => ({
        what: JSON.stringify(body),
        send: () => seller.post(path, body),
        check: (answer) => expectProblem(answer, 400, 'invalid_request', param),
      })),
    )
  })

  it('methods that a route does not have', async () => {
    const allowed: [string, readonly string[]][] = [
      ['/v1/drops', ['POST', 'GET']],
      [`/v1/drops/${fixture.drop.id}`, ['PATCH', 'GET']],
      ...['publish', 'pause', 'resume', 'end', 'restock'].map(
        (action) => [`/v1/drops/${fixture.drop.id}/${action}`, ['POST']] as [string, string[]],
      ),
      ['/v1/holds', ['POST', 'GET']],
      [`/v1/holds/${fixture.hold.id}`, ['DELETE', 'GET']],
      ['/v1/payments', ['POST', 'GET']],
      ['/v1/ledger/entries', ['GET']],
      ['/v1/exports/orders', ['GET']],
      ['/v1/orders', ['GET']],
      [`/v1/orders/ord_${none}`, ['GET']],
      [`/v1/orders/ord_${none}/cancel`, ['POST']],
      [`/v1/orders/ord_${none}/fulfil`, ['POST']],
      [`/v1/payments/pay_${none}`, ['GET']],
      [`/v1/payments/pay_${none}/attach`, ['POST']],
      ['/v1/refunds', ['POST', 'GET']],
      [`/v1/refunds/rfnd_${none}`, ['GET']],
      [`/v1/refunds/rfnd_${none}/settle`, ['POST']],
      ['/v1/disputes', ['POST', 'GET']],
      [`/v1/disputes/dsp_${none}`, ['GET']],
      [`/v1/disputes/dsp_${none}/close`, ['POST']],
      ['/v1/ledger/balances', ['GET']],
      ['/v1/api_keys', ['POST', 'GET']],
      [`/v1/api_keys/key_${none}`, ['GET']],
      [`/v1/api_keys/key_${none}/roll`, ['POST']],
      [`/v1/api_keys/key_${none}/revoke`, ['POST']],
      ['/v1/webhook_endpoints', ['POST', 'GET']],
      [`/v1/webhook_endpoints/whe_${none}`, ['GET', 'PATCH', 'DELETE']],
      [`/v1/webhook_endpoints/whe_${none}/rotate_secret`, ['POST']],
      [`/v1/webhook_endpoints/whe_${none}/replay`, ['POST']],
      ['/v1/webhook_deliveries', ['GET']],
      ['/v1/webhook_deliveries/whd_1', ['GET']],
      ['/v1/webhook_deliveries/whd_1/retry', ['POST']],
      ['/v1/events', ['GET']],
      ['/healthz', ['GET']],
      ['/readyz', ['GET']],
    ]
    const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND']
    const allows = (answer: Answer<unknown>): string[] => String(answer.headers['allow']).split(', ').toSorted()
    await tryAll(
      allowed.flatMap(([path, routed]) =>
        methods
          .filter((method) => !routed.includes(method))
          .map((method) => ({
            what: `${method} ${path}`,
            send: () => seller.send(method, path, undefined),
            check: (answer: Answer<unknown>) => {
              expectProblem(answer, 405, 'method_not_allowed', null)
              expect(allows(answer)).toEqual(routed.toSorted())
            },
          })),
      ),
    )
    for (const [path, routed] of allowed) {
      const head = await seller.send('HEAD', path, undefined)
      expect([path, head.status, head.text]).toEqual([path, 405, ''])
      expect(head.headers['content-type']).toBe('application/problem+json')
      expect(allows(head)).toEqual(routed.toSorted())
    }
  })

  it('paths that lead nowhere', async () => {
    const { id } = fixture.drop
    const paths = [
      '/',
      '/v1',
      '/v1/',
      '/v2/drops',
      '/V1/drops',
      '/v1/drop',
      '/v1/drops/',
      `/v1/drops/${id}/`,
      `/v1/drops/${id}/publish/`,
      `/v1/drops/${id}/explode`,
      `/v1/drops/${id}/publish/now`,
      '//v1/drops',
      '/v1//drops',
      '/v1/drops%2f',
      '/v1/../v1/drops/x/y',
      '/healthz/',
      '/.env',
      '/v1/\u00e9'.normalize(),
    ].map(encodeURI)
    await tryAll(
      paths.flatMap((path) =>
        ['GET', 'POST', 'DELETE'].map((method) => ({
          what: `${method} ${path}`,
          send: () => seller.send(method, path, undefined),
          check: (answer: Answer<unknown>) => expectProblem(answer, 404, 'route_not_found', null),
        })),
      ),
    )
  })

  it('queries of lists', async () => {
    const rows: [string, string][] = [
      ...['0', '-1', '101', '1.5', '1e1', 'abc', '', '+5', ' 5', '9007199254740993', '0x10'].map(
        (limit) => [`limit=${encodeURIComponent(limit)}`, 'limit'] as [string, string],
      ),
      ['limit=1&limit=2', 'limit'],
      ['starting_after=x', 'starting_after'],
      ['starting_after=', 'starting_after'],
      ['ending_before=%00', 'ending_before'],
      [`starting_after=hold_${none}`, 'starting_after'],
      [`ending_before=sku_${none}`, 'ending_before'],
      [`starting_after=${'z'.repeat(1_000)}`, 'starting_after'],
      ['page=2', 'page'],
      ['__proto__=1', '__proto__'],
      ['Limit=1', 'Limit'],
      ['limit%00=1', 'limit\0'],
    ]
    const lists: [string, string, [string, string][]][] = [
      [
        '/v1/drops',
        'drop',
        [
          ['status=open', 'status'],
          ['status=', 'status'],
          ['status=live&status=ended', 'status'],
          ['status=constructor', 'status'],
        ],
      ],
      ['/v1/orders', 'ord', [['status=open', 'status']]],
      ['/v1/payments', 'pay', [['order=1', 'order']]],
      ['/v1/api_keys', 'key', [['kind=secret', 'kind']]],
    ]
    await tryAll(
      lists.flatMap(([path, prefix, own]) =>
        [
          ...rows,
          ...own,
          [`starting_after=${prefix}_${none}&ending_before=${prefix}_${none}`, 'ending_before'] as [string, string],
          [`starting_after=${prefix}_${none}&starting_after=${prefix}_${none}`, 'starting_after'] as [string, string],
        ].map(([query, param]) => ({
          what: `${path}?${query.slice(0, 60)}`,
          send: () => seller.get(`${path}?${query}`),
          check: (answer: Answer<unknown>) => expectProblem(answer, 400, 'invalid_request', param),
        })),
      ),
    )
  })
})

/** What looks odd and is right: the refusals above must not be too eager. */
describe.each(['uws', 'node'] as const)('odd but valid input on %s', (transport) => {
  let box: Box
  let seller: Client

  beforeAll(async () => {
    box = await Box.start({ transport, httpProcesses: 1 })
    seller = new Client(box.url, box.secretKey)
  })

  afterAll(async () => {
    seller.close()
    await box.stop()
  })

  const create = (json: string, headers: Headers = {}): Promise<Answer<WireDrop>> =>
    seller.send<WireDrop>('POST', '/v1/drops', json, headers)

  it('a body exactly at the limit is read', async () => {
    const json = JSON.stringify({ name: 'A', currency: 'usd', skus: [{ name: 'A', unit_amount: 1, stock: 1 }] })
    expectStatus(await create(json.padEnd(bodyBytesMax, ' ')), 201)
    expectStatus(await create(json, { 'content-type': 'Application/JSON; charset=utf-8' }), 201)
  })

  it('numbers are what JSON says they are', async () => {
    const json = '{"name":"A","currency":"usd","skus":[{"name":"A","unit_amount":-0,"stock":1.0e2}]}'
    const { body } = expectStatus(await create(json), 201)
    expect(skuOf(body)).toMatchObject({ unit_amount: 0, stock: 100 })
  })

  it('texts come back as they were sent', async () => {
    const texts = ['\ud83d\udc5f', "'; DROP TABLE drops; --", '<script>', '\\u0000', '\u202e', 'e\u0301', '\u2028', ' ']
    for (const name of texts) {
      const metadata = { constructor: name, 'a-b.c_d': '' }
      const drop = { name, currency: 'usd', metadata, skus: [{ name, unit_amount: 1, stock: 1 }] }
      const { body } = expectStatus(await create(JSON.stringify(drop)), 201)
      const read = expectStatus(await seller.get<WireDrop>(`/v1/drops/${body.id}`), 200).body
      expect(read).toMatchObject({ name, metadata, skus: [{ name }] })
    }
    const escaped = '{"name":"\\ud83d\\udc5f","currency":"usd","skus":[{"name":"A","unit_amount":1,"stock":1}]}'
    expect((await create(escaped)).body.name).toBe('\ud83d\udc5f')
  })
})
