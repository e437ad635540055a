import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import { openReader } from '@penstock/store-sqlite/open.ts'
import type { Answer, Client, Headers } from '../client.ts'
import type { WireDrop, WireHold, WirePayment, WireSku } from '../wire-types.ts'

/** What the tests of a whole box do again and again. */

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000)
}

/** The value, or an error that says what is missing. */
export function present<Value>(value: Value | null | undefined, what: string): Value {
  if (value === undefined || value === null) throw new Error(`${what} is missing`)
  return value
}

/** The answer, once its status is as expected; otherwise an error with the whole body. */
export function expectStatus<Body>(answer: Answer<Body>, status: number): Answer<Body> {
  if (answer.status !== status) throw new Error(`answered ${answer.status}, expected ${status}: ${answer.text}`)
  return answer
}

/** Looks every few milliseconds until `condition` gives something but false, null or undefined. */
export async function poll<Value>(
  what: string,
  deadlineMs: number,
  condition: () => Value | Promise<Value>,
): Promise<Exclude<Value, false | null | undefined>> {
  const endMs = performance.now() + deadlineMs
  for (;;) {
    const value = await condition()
    if (value !== false && value !== null && value !== undefined) {
      return value as Exclude<Value, false | null | undefined>
    }
    if (performance.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

export const minimalDrop = {
  name: 'Test drop',
  currency: 'usd',
  skus: [{ name: 'One size', unit_amount: 4_999, stock: 100 }],
}

export async function createDrop(seller: Client, fields: object = {}): Promise<WireDrop> {
  return expectStatus(await seller.post<WireDrop>('/v1/drops', { ...minimalDrop, ...fields }), 201).body
}

/** A published drop; `fields` over the minimal ones. */
export async function openDrop(seller: Client, fields: object = {}): Promise<WireDrop> {
  const { id } = await createDrop(seller, fields)
  return expectStatus(await seller.post<WireDrop>(`/v1/drops/${id}/publish`), 200).body
}

export function skuOf(drop: WireDrop, index = 0): WireSku {
  return present(drop.skus[index], `SKU ${index} of ${drop.id}`)
}

let buyers = 0

export function newEmail(): string {
  buyers += 1
  return `buyer-${buyers}@example.com`
}

export function holdBody(drop: WireDrop, fields: object = {}, quantity = 1) {
  return {
    drop: drop.id,
    lines: [{ sku: skuOf(drop).id, quantity }],
    customer: { email: newEmail() },
    ...fields,
  }
}

export async function takeHold(client: Client, drop: WireDrop, quantity = 1, headers: Headers = {}): Promise<WireHold> {
  return expectStatus(await client.post<WireHold>('/v1/holds', holdBody(drop, {}, quantity), headers), 201).body
}

export function paymentBody(hold: WireHold, fields: object = {}) {
  return {
    hold: hold.id,
    provider: 'manual',
    provider_payment_id: `test_${randomUUID()}`,
    amount: hold.amount,
    currency: hold.currency,
    ...fields,
  }
}

export function pay(seller: Client, hold: WireHold, fields: object = {}): Promise<Answer<WirePayment>> {
  return seller.post<WirePayment>('/v1/payments', paymentBody(hold, fields))
}

export async function readDrop(client: Client, id: string, minSeq?: string): Promise<WireDrop> {
  const headers: Headers = minSeq === undefined ? {} : { 'penstock-min-seq': minSeq }
  return expectStatus(await client.get<WireDrop>(`/v1/drops/${id}`, headers), 200).body
}

/** The commit an answer was made at or after. */
export function seqOf(answer: Answer<unknown>): number {
  return Number(answer.headers['penstock-seq'])
}

const tables = [
  'drops',
  'sku',
  'hold',
  'buyer_units',
  'payment',
  'orders',
  'refund',
  'order_line_refund',
  'dispute',
  'ledger_entry',
  'ledger_balance',
  'code_use',
  'request',
  'api_key',
  'webhook_endpoint',
  'webhook_secret',
  'webhook_delivery',
]

export type Footprint = Readonly<Record<string, number>>

/** How many rows every table has, and the number of the last commit: equal before and after means nothing was written. */
export function footprint(databasePath: string): Footprint {
  const db = openReader(databasePath)
  try {
    const counts = tables.map((table) => [table, count(db, `SELECT count(*) FROM ${table}`)] as const)
    const keyUse = count(db, 'SELECT coalesce(sum(last_used_ms), 0) FROM api_key')
    return { ...Object.fromEntries(counts), keyUse, seq: count(db, 'SELECT seq FROM writer_state') }
  } finally {
    db.close()
  }
}

/** Nothing was written since `before`, unless an HTTP process reported which keys it saw, as each does every minute. */
export function expectNothingWritten(databasePath: string, before: Footprint): void {
  const after = footprint(databasePath)
  const wasReported = after['keyUse'] !== before['keyUse']
  expect(wasReported ? { ...after, keyUse: before['keyUse'], seq: before['seq'] } : after).toEqual(before)
}

function count(db: ReturnType<typeof openReader>, sql: string): number {
  return Number(db.prepare(sql).pluck().get())
}

/** A small seeded generator (mulberry32): a failed run can be repeated. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
