import { expect, it } from 'vitest'
import { Mint } from '../mint.ts'
import { serveRoutes } from './index.ts'
import type { Command, RequestKey } from '@penstock/domain/command.ts'
import type { Deps } from '../api.ts'
import type { HttpExchange, HttpHandler, HttpTransport } from '../transport.ts'

/**
 * Every route that changes something passes the client's Idempotency-Key on: the engine then answers a repeat (its tests
 * say so for every command). A new write route needs a line here.
 */

const sku = 'sku_01hf7yat00e40r2081040g2081'
const hold = 'hold_01hf7yat00e40r2081040g2081'
const drop = 'drop_01hf7yat00e40r2081040g2081'
const paid = 'pay_01hf7yat00e40r2081040g2081'
const payment = { provider: 'manual', provider_payment_id: 'p1', amount: 1, currency: 'usd' }

/** A valid body, and the body of another request. Where it says nothing, the path does. */
const bodies: Record<string, readonly [object, object]> = {
  'POST /v1/drops': [
    { name: 'A', currency: 'usd', skus: [{ name: 'S', unit_amount: 1, stock: 1 }] },
    { name: 'B', currency: 'usd', skus: [{ name: 'S', unit_amount: 1, stock: 1 }] },
  ],
  'PATCH /v1/drops/:id': [{ name: 'A' }, { name: 'B' }],
  'POST /v1/drops/:id/publish': [{}, {}],
  'POST /v1/drops/:id/pause': [{}, {}],
  'POST /v1/drops/:id/resume': [{}, {}],
  'POST /v1/drops/:id/end': [{}, {}],
  'POST /v1/drops/:id/restock': [
    { sku, quantity: 1 },
    { sku, quantity: 2 },
  ],
  'POST /v1/holds': [
    { drop, lines: [{ sku, quantity: 1 }], customer: { email: 'a@example.com' } },
    { drop, lines: [{ sku, quantity: 2 }], customer: { email: 'a@example.com' } },
  ],
  'DELETE /v1/holds/:id': [{}, {}],
  'POST /v1/payments': [
    { hold, ...payment },
    { hold, ...payment, amount: 2 },
  ],
  'POST /v1/payments/:id/attach': [{ hold }, { hold: hold.replace('2081', '2082') }],
  'POST /v1/refunds': [
    { payment: paid, amount: 1 },
    { payment: paid, amount: 2 },
  ],
  'POST /v1/refunds/:id/settle': [{ status: 'succeeded' }, { status: 'failed' }],
  'POST /v1/disputes': [
    { payment: paid, provider_dispute_id: 'd1' },
    { payment: paid, provider_dispute_id: 'd2' },
  ],
  'POST /v1/disputes/:id/close': [{ status: 'won' }, { status: 'lost' }],
  'POST /v1/orders/:id/cancel': [{}, { restock: true }],
  'POST /v1/orders/:id/fulfil': [{}, {}],
  'POST /v1/drops/:id/cancel': [{}, {}],
  'POST /v1/holds/:id/erase': [{}, {}],
  'POST /v1/orders/:id/erase': [{}, {}],
  'POST /v1/api_keys': [{ kind: 'secret' }, { kind: 'publishable' }],
  'POST /v1/api_keys/:id/roll': [{ overlap: 0 }, { overlap: 1 }],
  'POST /v1/api_keys/:id/revoke': [{}, {}],
  'POST /v1/webhook_endpoints': [
    { url: 'https://example.com/a', events: ['*'] },
    { url: 'https://example.com/b', events: ['*'] },
  ],
  'PATCH /v1/webhook_endpoints/:id': [{ status: 'disabled' }, { status: 'enabled' }],
  'DELETE /v1/webhook_endpoints/:id': [{}, {}],
  'POST /v1/webhook_endpoints/:id/rotate_secret': [{ overlap: 0 }, { overlap: 1 }],
  'POST /v1/webhook_endpoints/:id/replay': [{ from: 'evt_1' }, { from: 'evt_2' }],
  'POST /v1/webhook_deliveries/:id/retry': [{}, {}],
}

const handlers = new Map<string, HttpHandler>()
const submitted: Command[] = []

const transport: HttpTransport = {
  name: 'node',
  route: (method, path, handler) => void handlers.set(`${method} ${path}`, handler),
  fallback: () => undefined,
  listen: () => Promise.resolve(0),
  close: () => Promise.resolve(),
}

/** What a write uses before it is answered. */
const deps = {
  legacy: { isServed: false },
  mint: new Mint(() => 0),
  clock: () => 0,
  log: () => undefined,
  credentials: {
    find: (authorization: string) => ({ id: authorization, kind: 'secret', scopes: ['*'], expiresMs: null }),
  },
  providers: {},
  queries: {
    findOrder: (id: string) => ({ hold: { id: `hold of ${id}` } }),
    findApiKey: (id: string) => ({ id, kind: 'secret', scopes: ['*'] }),
    findWebhookDelivery: (id: string) => ({ id, delivery: { endpointId: 'whe_1', eventSeq: 1 } }),
    lastEventSeq: () => 7,
  },
  webhookUrlRules: { allowPrivate: false, httpsOnly: true },
  catalogue: { offer: () => undefined },
  writer: {
    isConnected: true,
    submit: (command: Command) => {
      submitted.push(command)
      return true
    },
  },
}
serveRoutes(transport, deps as unknown as Deps)

interface Call {
  readonly body?: object
  readonly key?: string
  readonly credential?: string
  readonly param?: string
}

/** The key of the command that the request became. */
function keyOf(
  route: string,
  { body, key = 'client-key', credential = 'key_1', param = hold }: Call = {},
): RequestKey | null {
  const headers: Record<string, string> = {
    'idempotency-key': key,
    authorization: credential,
    'content-type': 'application/json',
  }
  const bytes = Buffer.from(JSON.stringify(body ?? bodies[route]?.[0]))
  const exchange: HttpExchange = {
    method: route.slice(0, route.indexOf(' ')),
    path: '',
    query: '',
    done: false,
    header: (name) => headers[name] ?? '',
    param: () => param,
    send: (status, _, text) => expect.fail(`${route} was answered ${status} ${String(text)}`),
    stream: () => expect.fail(`${route} was answered with a stream`),
    readBody: (_, onBody) => onBody(bytes),
  }
  const count = submitted.length
  handlers.get(route)?.(exchange)
  expect(submitted).toHaveLength(count + 1)
  return submitted.at(-1)?.key ?? null
}

/**
 * Two look something up before there is a command (e2e/codes.test.ts and e2e/erase.test.ts have their repeats), one asks a
 * provider (e2e/checkout.test.ts). Webhooks have no key but their event (e2e/webhooks.test.ts).
 */
const elsewhere = [
  'POST /v1/codes/:code/verify',
  'POST /v1/customer_erasures',
  'POST /v1/holds/:id/checkout',
  'POST /v1/webhooks/stripe',
  'POST /v1/webhooks/payos',
  'POST /v1/webhooks/test',
]
/** The old system's API had no keys: e2e/legacy.test.ts has its repeats. */
const isOld = (route: string): boolean => route.includes(' /api/')
const writes = [...handlers.keys()].filter(
  (route) => !/^(GET|HEAD) /.test(route) && !isOld(route) && !elsewhere.includes(route),
)

it('every route that changes something is listed here', () => {
  expect(writes.toSorted()).toEqual(Object.keys(bodies).toSorted())
})

it.each(Object.keys(bodies))('%s passes the key of the client on: the same for the same request', (route) => {
  const first = keyOf(route)
  expect(first).not.toBeNull()
  expect(keyOf(route)).toEqual(first)
})

it.each(Object.entries(bodies))('%s tells another request with the same key apart', (route, [, other]) => {
  const first = keyOf(route)
  const changed = route.includes(':id') ? keyOf(route, { param: 'hold_2' }) : keyOf(route, { body: other })
  expect(changed?.id).toBe(first?.id)
  expect(changed?.fingerprint).not.toBe(first?.fingerprint)
  if (JSON.stringify(other) !== '{}') expect(keyOf(route, { body: other })?.fingerprint).not.toBe(first?.fingerprint)
})

it.each(Object.keys(bodies))('%s keeps keys of another credential and another key apart', (route) => {
  const ids = [{}, { credential: 'key_2' }, { key: 'client-key-2' }].map((call) => keyOf(route, call)?.id)
  expect(new Set(ids).size).toBe(3)
})

it('one key on all routes is as many keys', () => {
  const ids = Object.keys(bodies).map((route) => keyOf(route)?.id)
  expect(new Set(ids).size).toBe(ids.length)
})
