import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { openReader, openWriter } from '@penstock/store-sqlite/open.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { Program } from '../program.ts'
import { expectProblem } from './expect-problem.ts'
import {
  expectStatus,
  footprint,
  holdBody,
  newEmail,
  openDrop,
  pay,
  paymentBody,
  present,
  readDrop,
  skuOf,
  takeHold,
} from './shop.ts'
import type { Answer } from '../client.ts'
import type { WireDrop, WireHold, WireOrder, WirePayment, WireProblem } from '../wire-types.ts'

/** By path: the tests are no part of the HTTP process and do not depend on it. */
const { problemKinds } = (await import(new URL('../../http/problem.ts', import.meta.url).href)) as {
  readonly problemKinds: Readonly<Record<string, unknown>>
}

/**
 * The defects of the server that Penstock replaces, one test each, by their old numbers. S7, the signatures of payOS, and the
 * other half of S8 need a box with payOS: legacy.test.ts.
 */

let box: Box
let folder: string
let seller: Client
let browser: Client
let anybody: Client
/** A new connection for every request, so that they spread over the HTTP processes. */
let scattered: Client

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-old-defects-'))
  box = await Box.start({ httpProcesses: 2 })
  const session = { seq: 0 }
  seller = new Client(box.url, box.secretKey, { session })
  browser = new Client(box.url, box.publishableKey, { session })
  anybody = new Client(box.url, '', { session })
  scattered = new Client(box.url, box.secretKey, { session, connections: 0 })
})

afterAll(async () => {
  for (const client of [seller, browser, anybody, scattered]) client.close()
  const violations = auditDatabase(box.databasePath)
  await box.stop()
  rmSync(folder, { recursive: true, force: true })
  expect(violations).toEqual([])
})

/** The copy of a running box that docs/operations.md describes. */
function vacuumInto(from: string, copy: string): void {
  const db = openReader(from)
  db.pragma('query_only = OFF')
  db.prepare('VACUUM INTO ?').run(copy)
  db.close()
}

function times<Value>(count: number, make: (index: number) => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

const dropOf = (stock: number, fields: object = {}): Promise<WireDrop> =>
  openDrop(seller, { skus: [{ name: 'A', unit_amount: 100, stock }], ...fields })

const orderOf = async (payment: WirePayment): Promise<WireOrder> =>
  expectStatus(await seller.get<WireOrder>(`/v1/orders/${payment.order}`), 200).body

test('S1: 100 copies of one payment at once are one order, one unit and one code', async () => {
  const drop = await dropOf(100)
  const body = paymentBody(await takeHold(seller, drop))
  const before = footprint(box.databasePath)
  const answers = await times(100, () => scattered.post<WirePayment>('/v1/payments', body))
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(99)
  expect(new Set(answers.map(({ body: payment }) => payment.order)).size).toBe(1)
  expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 0, sold: 1 })
  const { payment, orders, ledger_entry: entries } = footprint(box.databasePath)
  expect([payment, orders, entries]).toEqual(
    [before['payment'], before['orders'], before['ledger_entry']].map((count) => Number(count) + 1),
  )
  const [paid] = answers
  expect((await orderOf(present(paid, 'an answer').body)).codes).toHaveLength(1)
})

test('S2: money for units that are gone is owed back in the commit that records it', async () => {
  const drop = await dropOf(1)
  const late = await takeHold(seller, drop)
  expectStatus(await seller.delete(`/v1/holds/${late.id}`), 200)
  await takeHold(seller, drop)
  const before = footprint(box.databasePath)
  const { body: payment } = expectStatus(await pay(seller, late), 201)
  expect(payment).toMatchObject({ status: 'refund_due', reason: 'sold_out', order: null, amount: 100 })
  const after = footprint(box.databasePath)
  expect(after).toMatchObject({ seq: Number(before['seq']) + 1, payment: Number(before['payment']) + 1 })
  const db = openReader(box.databasePath)
  const entries = db.prepare('SELECT debit, credit, amount FROM ledger_entry WHERE payment_id = ?').raw()
  expect(entries.all(payment.id)).toEqual([['cash:manual', 'refunds_due', 100]])
  db.close()
})

test('S3: of 20 buyers of the last unit one gets to pay; the others hear it before', async () => {
  const drop = await dropOf(1)
  const answers = await times(20, () => scattered.post<WireHold>('/v1/holds', holdBody(drop)))
  const [winner, ...others] = answers.toSorted((a, b) => a.status - b.status)
  expect([winner?.status, others.length]).toEqual([201, 19])
  for (const answer of others) expectProblem(answer, 409, 'sold_out', 'lines[0].quantity')
  expect((await pay(seller, present(winner, 'a winner').body)).body).toMatchObject({ status: 'captured' })
  // There is no paying without a hold.
  const { hold: _, ...withoutHold } = paymentBody(present(winner, 'a winner').body)
  expectProblem(await seller.post('/v1/payments', withoutHold), 400, 'invalid_request', 'hold')
})

test('S4: each wave sells its own stock and no more, where the write is decided', async () => {
  const waves = [await dropOf(2), await dropOf(3)]
  const holds = await Promise.all(
    waves.map((wave) => times(25, () => scattered.post<WireHold>('/v1/holds', holdBody(wave)))),
  )
  const made = holds.map((answers) => answers.filter(({ status }) => status === 201).map(({ body }) => body))
  expect(made.map((list) => list.length)).toEqual([2, 3])
  for (const hold of made.flat()) expect((await pay(seller, hold)).body).toMatchObject({ status: 'captured' })
  for (const wave of waves) expect((await readDrop(seller, wave.id)).status).toBe('sold_out')
  // And the database itself refuses a unit more.
  const copy = join(folder, 'wave.db')
  vacuumInto(box.databasePath, copy)
  const db = openWriter(copy)
  const oversell = db.prepare('UPDATE sku SET sold = sold + 1 WHERE id = ?')
  expect(() => oversell.run(skuOf(present(waves[0], 'a wave')).id)).toThrow(/CHECK constraint failed/)
  db.close()
})

test('S5: a sale closed between hold and payment is no reason to refuse, and every reason has its own name', async () => {
  for (const action of ['pause', 'end', 'cancel']) {
    const drop = await dropOf(2)
    const hold = await takeHold(seller, drop)
    expectStatus(await seller.post(`/v1/drops/${drop.id}/${action}`), 200)
    expect((await pay(seller, hold)).body).toMatchObject({ status: 'captured', reason: null })
  }
  const drop = await dropOf(5, { late_payment: 'refund' })
  const [released, paid, open] = [
    await takeHold(seller, drop),
    await takeHold(seller, drop),
    await takeHold(seller, drop),
  ]
  expectStatus(await seller.delete(`/v1/holds/${released.id}`), 200)
  expectStatus(await pay(seller, paid), 201)
  const reasons = [
    (await pay(seller, released)).body.reason,
    (await pay(seller, paid)).body.reason,
    (await pay(seller, open, { amount: 1 })).body.reason,
    (await pay(seller, open, { currency: 'eur' })).body.reason,
    (await pay(seller, open, { hold: 'hold_00000000000000000000000000' })).body.reason,
  ]
  expect(reasons).toEqual([
    'hold_released',
    'hold_already_captured',
    'amount_mismatch',
    'currency_mismatch',
    'unknown_hold',
  ])
})

test('S6: a payment of another amount or currency buys nothing and is owed back', async () => {
  const drop = await dropOf(3, { fees: [{ name: 'Parcel', kind: 'shipping', amount: 5 }] })
  const hold = await takeHold(seller, drop)
  expect(hold.amount).toBe(105)
  const wrong = [{ amount: 104 }, { amount: 106 }, { amount: 100 }, { amount: 0 }, { currency: 'jpy' }]
  for (const fields of wrong) {
    expect((await pay(seller, hold, fields)).body).toMatchObject({ status: 'refund_due', order: null })
  }
  expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 1, sold: 0 })
  expect((await pay(seller, hold)).body).toMatchObject({ status: 'captured' })
})

test('S8: nothing makes the server trust strangers: no live mode without secrets, no payment without a key', async () => {
  const refusals = {
    live: 'STRIPE_SECRET_KEY is not set, and PENSTOCK_MODE=live needs it',
    production: 'PENSTOCK_MODE is "production"',
    TEST: 'PENSTOCK_MODE is "TEST"',
  }
  for (const [mode, refusal] of Object.entries(refusals)) {
    const environment = { PENSTOCK_DATA: join(folder, 'never'), PENSTOCK_PORT: '0', PENSTOCK_MODE: mode }
    const program = Program.start('cli', ['start'], environment)
    expect((await program.exited).code).toBe(2)
    expect(program.output).toContain(refusal)
  }
  const drop = await dropOf(1)
  const hold = await takeHold(browser, drop)
  const before = footprint(box.databasePath)
  expectProblem(await anybody.post('/v1/payments', paymentBody(hold)), 401, 'unauthorized', null)
  expectProblem(await browser.post('/v1/payments', paymentBody(hold)), 403, 'forbidden', null)
  expect(footprint(box.databasePath)).toEqual(before)
})

test('S9: one request cannot buy everything: bounds of a line, of an order, of a customer', async () => {
  const drop = await openDrop(seller, {
    max_per_customer: 6,
    skus: [
      { name: 'A', unit_amount: 1, stock: 10_000, max_per_order: 4 },
      { name: 'B', unit_amount: 1, stock: 10_000 },
    ],
  })
  const [a, b] = [skuOf(drop).id, skuOf(drop, 1).id]
  const email = newEmail()
  const take = (...lines: readonly [string, number][]): Promise<Answer<WireHold>> =>
    browser.post('/v1/holds', {
      drop: drop.id,
      lines: lines.map(([sku, quantity]) => ({ sku, quantity })),
      customer: { email },
    })
  for (const quantity of [1_001, 10_000, 1e15, 0, -1, 1.5]) {
    expectProblem(await take([b, quantity]), 400, 'invalid_request', 'lines[0].quantity')
  }
  expectProblem(await take([b, 1], [a, 5]), 409, 'limit_reached', 'lines[1].quantity')
  expectProblem(await take([a, 3], [a, 2]), 409, 'limit_reached', 'lines[0].quantity')
  expectProblem(await take([a, 4], [b, 3]), 409, 'limit_reached', 'lines')
  expectStatus(await take([a, 4], [b, 2]), 201)
  expectProblem(await take([b, 1]), 409, 'limit_reached', 'lines')
})

test('S10: a code belongs to the unit that was bought, not to the drop', async () => {
  const skus = ['A', 'B', 'C'].map((name) => ({ name, unit_amount: 10, stock: 5 }))
  const drop = await openDrop(seller, { skus })
  const wanted = [2, 0, 1].map((index) => skuOf(drop, index).id)
  const lines = wanted.map((sku) => ({ sku, quantity: 1 }))
  const hold = expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop, { lines })), 201).body
  const order = await orderOf((await pay(seller, hold)).body)
  const codes = present(order.codes, 'the codes')
  expect(codes.map(({ sku }) => sku)).toEqual(wanted)
  for (const [index, { code }] of codes.entries()) {
    const answer = expectStatus(await seller.post(`/v1/codes/${code}/verify`), 200)
    expect(answer.body).toMatchObject({ order: order.id, sku: wanted[index] })
  }
})

test('S11: every id is a text, and no number passes what a JavaScript client can hold', async () => {
  const drop = await openDrop(seller, { skus: [{ name: 'A', unit_amount: 1_000_000_000_000, stock: 100_000_000 }] })
  const hold = await takeHold(seller, drop)
  const { body: payment } = await pay(seller, hold)
  const order = await orderOf(payment)
  const refused = (await seller.get('/v1/drops/none')).body
  const numbers: number[] = []
  const named: [string, unknown][] = []
  const walk = (name: string, value: unknown): void => {
    if (typeof value === 'number') numbers.push(value)
    if (/^(id|drop|hold|payment|order|sku|request_id|provider_payment_id)$/.test(name)) named.push([name, value])
    if (typeof value !== 'object' || value === null) return
    for (const [key, item] of Object.entries(value)) walk(Array.isArray(value) ? '' : key, item)
  }
  for (const body of [drop, hold, payment, order, refused]) walk('', body)
  expect(named.length).toBeGreaterThan(15)
  for (const [name, value] of named) expect([name, typeof value]).toEqual([name, 'string'])
  expect(numbers.length).toBeGreaterThan(15)
  for (const number of numbers) expect(Number.isSafeInteger(number)).toBe(true)
})

test('S12: an order is read with a secret key or with the secret of its hold, and neither is found by guessing', async () => {
  const drop = await dropOf(9)
  const customer = { email: newEmail(), phone: '+49 221 4711' }
  const hold = expectStatus(await browser.post<WireHold>('/v1/holds', holdBody(drop, { customer })), 201).body
  const { order } = (await pay(seller, hold)).body
  expectProblem(await anybody.get(`/v1/orders/${order}`), 401, 'unauthorized', null)
  expectProblem(await browser.get(`/v1/orders/${order}`), 403, 'invalid_client_secret', 'Penstock-Client-Secret')
  for (const path of ['/v1/orders', '/v1/orders?phone=%2B492214711']) {
    expectProblem(await anybody.get(path), 401, 'unauthorized', null)
    expectProblem(await browser.get(path), 403, 'forbidden', null)
  }
  expectProblem(await seller.get('/v1/orders?phone=%2B492214711'), 400, 'invalid_request', 'phone')
  expectProblem(await browser.get(`/v1/holds/${hold.id}`), 403, 'invalid_client_secret', 'Penstock-Client-Secret')
  const wrong = { 'penstock-client-secret': `${hold.client_secret}x` }
  expectProblem(
    await browser.get(`/v1/holds/${hold.id}`, wrong),
    403,
    'invalid_client_secret',
    'Penstock-Client-Secret',
  )
  // Behind the ten characters of time there are 74 random bits: neighbours have nothing else in common.
  const others = await times(20, () => takeHold(seller, drop).catch(() => hold))
  const randoms = new Set(others.map(({ id }) => id.slice(-15)))
  expect(randoms.size).toBe(new Set(others.map(({ id }) => id)).size)
  expect(randoms.size).toBeGreaterThan(5)
})

function ordersIn(path: string): number {
  const db = openReader(path)
  try {
    return Number(db.prepare('SELECT count(*) FROM orders').pluck().get())
  } finally {
    db.close()
  }
}

test('S13: a copy of the database file alone loses sales; the documented copy of a running box has them all', async () => {
  const manual = readFileSync(new URL('../../../docs/operations.md', import.meta.url), 'utf8')
  expect(manual).toContain('copying them with `cp` while a box runs is not a backup')
  expect(manual).toContain('VACUUM INTO')
  // A box of its own: too few commits for a checkpoint.
  const data = mkdtempSync(join(folder, 'running-'))
  const running = await Box.start({ dataFolder: data, httpProcesses: 1 })
  const shop = new Client(running.url, running.secretKey)
  const { order } = (await pay(shop, await takeHold(shop, await openDrop(shop)))).body
  const torn = join(folder, 'torn.db')
  const restoredData = mkdtempSync(join(folder, 'restored-'))
  const whole = join(restoredData, 'penstock.db')
  copyFileSync(running.databasePath, torn)
  vacuumInto(running.databasePath, whole)
  shop.close()
  await running.stop()
  expect(ordersIn(torn)).toBe(0)
  expect(ordersIn(whole)).toBe(1)
  expect(auditDatabase(whole)).toEqual([])
  const restored = await Box.start({ dataFolder: restoredData, httpProcesses: 1 })
  const client = new Client(restored.url, restored.secretKey)
  expect((await client.get(`/v1/orders/${order}`)).body).toMatchObject({ id: order, status: 'paid' })
  client.close()
  await restored.stop()
})

test('S14: an acknowledged payment was flushed, and survives kill -9 of the writer', async () => {
  const db = openWriter(join(folder, 'pragmas.db'))
  expect([db.pragma('journal_mode', { simple: true }), db.pragma('synchronous', { simple: true })]).toEqual(['wal', 2])
  db.close()
  const drop = await dropOf(3)
  const hold = await takeHold(seller, drop)
  const body = paymentBody(hold)
  const paid = expectStatus(await seller.post<WirePayment>('/v1/payments', body), 201)
  await box.killWriter()
  expect(await orderOf(paid.body)).toMatchObject({ hold: hold.id, payment: paid.body.id })
  const again = expectStatus(await seller.post('/v1/payments', body), 200)
  expect(again.text).toBe(paid.text)
})

test('S15: a flood for ten units sells exactly ten, and none is not ten', async () => {
  const drop = await dropOf(10)
  const results = await times(60, async () => {
    const hold = await scattered.post<WireHold>('/v1/holds', holdBody(drop))
    if (hold.status !== 201) return (hold.body as unknown as WireProblem).code
    return (await pay(scattered, hold.body)).body.status
  })
  expect(results.filter((result) => result === 'captured')).toHaveLength(10)
  expect(results.filter((result) => result === 'sold_out')).toHaveLength(50)
  expect(await readDrop(seller, drop.id)).toMatchObject({
    status: 'sold_out',
    skus: [{ stock: 10, held: 0, sold: 10 }],
  })
})

/** `/a/{b|c}` is `/a/b` and `/a/c`. */
function eachOf(path: string): string[] {
  const choice = /\{(\w+(?:\|\w+)+)\}/.exec(path)
  return choice?.[1]?.split('|').map((one) => path.replace(choice[0], one)) ?? [path]
}

test('S16: every route and every error in the documents is in the code, and every error of the code in them', async () => {
  const api = readFileSync(new URL('../../../docs/api.md', import.meta.url), 'utf8')
  const routes = [...api.matchAll(/`(GET|POST|PATCH|DELETE) (\/[^\s`?]*)/g)].flatMap(([, method = '', path = '']) =>
    eachOf(path).map((one) => [method, one]),
  )
  expect(routes.length).toBeGreaterThan(15)
  for (const [method = '', path = ''] of routes) {
    const bytes = method === 'GET' ? undefined : '{}'
    const answer = await anybody.send<WireProblem>(method, path.replaceAll(/\{\w+\}/g, 'x'), bytes)
    // Without a key: the route is there when it asks for one, or, for the reports of providers, for a signature.
    const wanted = path.startsWith('/v1/webhooks/')
      ? ['provider_not_configured', 'invalid_signature']
      : ['unauthorized']
    if (answer.status !== 200) {
      expect(wanted.map((code) => `${method} ${path}: ${code}`)).toContain(`${method} ${path}: ${answer.body.code}`)
    }
  }
  const none = await anybody.send<WireProblem>('POST', '/v1/nothing', '{}')
  expectProblem(none, 404, 'route_not_found', null)
  const table = api.slice(api.indexOf('| status | codes |'))
  const rows = table.slice(0, table.indexOf('\n\n')).split('\n').slice(2)
  const documented = rows.flatMap((row) => [...row.matchAll(/`([a-z]+(?:_[a-z]+)+|[a-z]+)`/g)].map(([, code]) => code))
  const codes = new Set(documented.filter((word) => word !== 'param'))
  expect(codes).toEqual(new Set(Object.keys(problemKinds)))
  // What the documents do not promise: there is no limiter, and asking for one is an error.
  const environment = { PENSTOCK_DATA: join(folder, 'never'), PENSTOCK_PORT: '0', PENSTOCK_RATE_LIMIT: 'on' }
  const program = Program.start('cli', ['start'], environment)
  expect((await program.exited).code).toBe(2)
})
