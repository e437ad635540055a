import { beforeEach, expect, it } from 'vitest'
import { liveMarginMs } from '@penstock/domain/limits.ts'
import { testDrop } from '@penstock/domain/test-drop.ts'
import { Catalogue } from './catalogue.ts'
import { Mint } from './mint.ts'
import { holdCreate } from './routes/hold-create.ts'
import { serveWrite } from './serve-write.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Sku } from '@penstock/domain/drop.ts'
import type { Deps } from './api.ts'
import type { HttpExchange, HttpHandler } from './transport.ts'

/** `POST /v1/holds` of an HTTP process: what it refuses, and what it leaves to its writer. */

const dropId = 'drop_01hf7yat00e40r2081040g2081'
const skuId = 'sku_01hf7yat00e40r2081040g2081'
const startsAtMs = 1_700_000_000_000
const endsAtMs = startsAtMs + 60_000
const seq = 7

const drop = testDrop({ id: dropId, startsAtMs, endsAtMs, maxPerCustomer: 2, skuIds: [skuId] })
const allHeld: Sku = {
  id: skuId,
  dropId,
  name: 'One size',
  unitAmountMinor: 1,
  stock: 10,
  maxPerOrder: 5,
  held: 10,
  sold: 0,
}

/** What the process has seen, whether it may have seen the key of a request, and its clock. */
const state = { drop, sku: allHeld, nowMs: startsAtMs + 30_000, isConnected: true, mayRemember: false }
const before = { ...state }
let catalogue: Catalogue
let submitted: Command[]
/** Ids of requests that were looked for. */
let asked: string[]
let handler: HttpHandler

beforeEach(() => {
  Object.assign(state, before)
  serve()
})

/** A process that has just read `state`. */
function serve(): void {
  submitted = []
  asked = []
  const clock = (): number => state.nowMs
  catalogue = new Catalogue({ listDrops: () => ({ seq, drops: [{ drop: state.drop, skus: [state.sku] }] }) }, clock)
  catalogue.reload()
  const deps = {
    mint: new Mint(clock),
    clock,
    catalogue,
    queries: { mayRemember: (requestId: string) => asked.push(requestId) > 0 && state.mayRemember },
    credentials: {
      find: (key: string) => (key === '' ? null : { id: key, kind: 'publishable', scopes: [], expiresMs: null }),
    },
    writer: {
      get isConnected() {
        return state.isConnected
      },
      submit: (command: Command) => submitted.push(command) > 0,
    },
  }
  const router = { route: (_: string, __: string, given: HttpHandler) => void (handler = given) }
  serveWrite(router, holdCreate, deps as unknown as Deps)
}

interface Answer {
  readonly status: number
  readonly headers: readonly string[]
  readonly problem: { readonly code: string; readonly param: string | null; readonly detail: string }
}

const soldOutBody = { drop: dropId, lines: [{ sku: skuId, quantity: 1 }], customer: { email: 'a@example.com' } }

/** The answer, or null when the writer was asked. */
function post(body: unknown = soldOutBody, headers: Readonly<Record<string, string>> = {}): Answer | null {
  const sent: Record<string, string> = { authorization: 'k', 'content-type': 'application/json', ...headers }
  let answer: Answer | null = null
  const exchange: HttpExchange = {
    method: 'POST',
    path: '/v1/holds',
    query: '',
    done: false,
    header: (name) => sent[name] ?? '',
    param: () => '',
    send: (status, own, text) => {
      answer = { status, headers: own, problem: JSON.parse(String(text)) as Answer['problem'] }
    },
    stream: () => expect.fail('answered with a stream'),
    readBody: (_, onBody) => onBody(Buffer.from(JSON.stringify(body))),
  }
  handler(exchange)
  expect(submitted).toHaveLength(answer === null ? 1 : 0)
  return answer
}

it('is refused with the commit that says so, and without the writer', () => {
  const answer = post()
  expect(answer?.status).toBe(409)
  expect(answer?.problem).toMatchObject({
    code: 'sold_out',
    param: 'lines[0].quantity',
    detail: `${skuId} has 0 units left, 1 wanted.`,
  })
  expect(answer?.headers.slice(-2)).toEqual(['Penstock-Seq', String(seq)])
  expect(answer?.headers).toContain('application/problem+json')
})

it.each(['soon', '-1', '1.5', '9'.repeat(16)])('is told that %j is no commit', (minSeq) => {
  const answer = post(soldOutBody, { 'penstock-min-seq': minSeq })
  expect(answer).toMatchObject({ status: 400, problem: { code: 'invalid_request', param: 'Penstock-Min-Seq' } })
})

it('is told of a mistake in its body before one in Penstock-Min-Seq', () => {
  const answer = post({ ...soldOutBody, drop: 1 }, { 'penstock-min-seq': 'soon' })
  expect(answer?.problem).toMatchObject({ code: 'invalid_request', param: 'drop' })
})

it('is refused when every unit is sold', () => {
  state.sku = { ...allHeld, held: 0, sold: 10 }
  serve()
  expect(post()?.problem).toMatchObject({ code: 'sold_out', param: 'drop', detail: 'This drop is sold out.' })
})

it.each<[string, Partial<typeof state>, unknown?, Record<string, string>?]>([
  ['has an Idempotency-Key that may have an answer', { mayRemember: true }, soldOutBody, { 'idempotency-key': 'k1' }],
  ['asks for a commit that was not seen', {}, soldOutBody, { 'penstock-min-seq': String(seq + 1) }],
  ['comes while the process has no writer', { isConnected: false }],
  ['replaces a hold', {}, { ...soldOutBody, replace: { hold: dropId.replace('drop', 'hold'), client_secret: 's' } }],
  ['is for an unknown drop', {}, { ...soldOutBody, drop: dropId.replace('2081', '2082') }],
  ['is for an unknown SKU', {}, { ...soldOutBody, lines: [{ sku: skuId.replace('2081', '2082'), quantity: 1 }] }],
  ['wants more than one order may have', {}, { ...soldOutBody, lines: [{ sku: skuId, quantity: 6 }] }],
  ['is for a draft', { drop: { ...drop, phase: 'draft' } }],
  ['is for a paused drop', { drop: { ...drop, phase: 'paused' } }],
  ['comes before the start', { nowMs: startsAtMs - 1 }],
  ['comes just after the start', { nowMs: startsAtMs + liveMarginMs - 1 }],
  ['comes just before the end', { nowMs: endsAtMs - liveMarginMs }],
  ['comes after the end', { nowMs: endsAtMs }],
  ['is for a unit that is left', { sku: { ...allHeld, held: 9 } }],
])('is the writer’s when it %s', (_, change, body, headers) => {
  Object.assign(state, change)
  serve()
  expect(post(body, headers)).toBeNull()
})

it.each<[string, Partial<typeof state>, Record<string, string>?]>([
  ['as soon as the start is past for sure', { nowMs: startsAtMs + liveMarginMs }],
  ['as long as the end is not near', { nowMs: endsAtMs - liveMarginMs - 1 }],
  ['in a drop without an end', { drop: { ...drop, endsAtMs: null }, nowMs: endsAtMs * 2 }],
  ['with the commit that was asked for', {}, { 'penstock-min-seq': String(seq) }],
  ['with an Idempotency-Key that is new', {}, { 'idempotency-key': 'k1' }],
])('is refused %s', (_, change, headers) => {
  Object.assign(state, change)
  serve()
  expect(post(soldOutBody, headers)?.problem.code).toBe('sold_out')
})

it.each<[string, unknown, Record<string, string>, string]>([
  ['no API key', {}, { authorization: '', 'idempotency-key': '\t', 'content-type': '' }, 'unauthorized'],
  ['a malformed Idempotency-Key', {}, { 'idempotency-key': '\t', 'content-type': '' }, 'invalid_idempotency_key'],
  ['a body of another type', {}, { 'content-type': 'text/plain' }, 'unsupported_media_type'],
  ['a wrong field', { ...soldOutBody, customer: {} }, {}, 'invalid_request'],
])('is refused for %s before stock is looked at', (_, body, headers, code) => {
  expect(post(body, headers)?.problem.code).toBe(code)
})

it('looks for the id that the writer would look for, and for none without need', () => {
  post(soldOutBody)
  expect(asked).toEqual([])
  post(soldOutBody, { 'idempotency-key': 'k1' })
  const [refused] = asked
  state.sku = { ...allHeld, held: 9 }
  serve()
  post(soldOutBody, { 'idempotency-key': 'k1' })
  expect(asked).toEqual([])
  expect(submitted[0]?.key?.id).toBe(refused)
})

it('is the writer’s again with the commit that brings units back, and refused again without them', () => {
  expect(post()?.headers.at(-1)).toBe('7')
  catalogue.apply({ seq: 8, skus: [{ skuId, stock: 10, held: 9, sold: 0 }], dropIds: [] })
  expect(post()).toBeNull()
  submitted = []
  catalogue.apply({ seq: 9, skus: [{ skuId, stock: 10, held: 10, sold: 0 }], dropIds: [] })
  expect(post()?.headers.at(-1)).toBe('9')
})
