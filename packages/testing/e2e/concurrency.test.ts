import { randomBytes, randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { mintId } from '@penstock/domain/id.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { IpcPeer } from './ipc-peer.ts'
import {
  createDrop,
  expectStatus,
  footprint,
  holdBody,
  minimalDrop,
  newEmail,
  openDrop,
  pay,
  paymentBody,
  poll,
  readDrop,
  skuOf,
  takeHold,
} from './shop.ts'
import type { Answer } from '../client.ts'
import type { WireDrop, WireHold, WirePayment, WireProblem } from '../wire-types.ts'

/** How often each value of `of` occurs. */
function tally<Item>(items: readonly Item[], of: (item: Item) => string | number): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const item of items) counts[of(item)] = (counts[of(item)] ?? 0) + 1
  return counts
}

function times<Value>(count: number, make: (index: number) => Promise<Value>): Promise<Value[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)))
}

describe('many buyers at once', () => {
  let box: Box
  let flood: Client
  /** A new connection for every request: both HTTP processes get their share. */
  let scattered: Client

  beforeAll(async () => {
    box = await Box.start({ httpProcesses: 2 })
    const session = { seq: 0 }
    flood = new Client(box.url, box.secretKey, { session, connections: 1_000 })
    scattered = new Client(box.url, box.secretKey, { session, connections: 0 })
  })

  afterAll(async () => {
    flood.close()
    scattered.close()
    await box.stop()
  })

  afterEach(() => {
    expect(auditDatabase(box.databasePath)).toEqual([])
  })

  it('a flood of holds with one deadline ends within a second of it, however many one command may end', async () => {
    const count = 8_000
    const drop = await openDrop(flood, { hold_ttl: 2, skus: [{ name: 'Many', unit_amount: 10, stock: count }] })
    const holds = Array.from({ length: count }, (_, id) => ({
      id,
      command: {
        kind: 'create_hold',
        key: null,
        holdId: mintId('hold', Date.now(), randomBytes(10)),
        clientSecret: 'secret',
        dropId: drop.id,
        lines: [{ skuId: skuOf(drop).id, quantity: 1 }],
        customer: { email: newEmail(), phone: null, externalId: null, name: null, shippingAddress: null },
        replace: null,
      },
    }))
    // Straight to the writer, so that all of them are made in one moment.
    const peer = await IpcPeer.greet(join(box.dataFolder, 'writer.sock'))
    peer.sendCommands(holds)
    await poll('every hold', 10_000, () => peer.replies.length === count)
    peer.end()
    const deadlines = peer.replies.map(({ result }) => (result['hold'] as { expiresMs: number }).expiresMs)
    const endedMs = await poll('every unit to be back', 20_000, async () =>
      skuOf(await readDrop(flood, drop.id)).available === count ? Date.now() : null,
    )
    // At 1,024 for each tick of 200 ms it would take 1.6 s.
    expect(endedMs - Math.max(...deadlines)).toBeLessThan(1_000)
  })

  it('1,000 holds on 100 units: 100 are made, and when all are paid exactly the stock is sold', async () => {
    const drop = await openDrop(flood, { skus: [{ name: 'One', unit_amount: 10, stock: 100 }] })
    const seen: WireDrop[] = []
    const bought = new AbortController()
    const watch = async (): Promise<void> => {
      while (!bought.signal.aborted) seen.push(await readDrop(scattered, drop.id))
    }
    const watching = watch()
    const answers = await times(1_000, () => flood.post<WireHold>('/v1/holds', holdBody(drop)))
    expect(tally(answers, ({ status, body }) => `${status} ${(body as unknown as WireProblem).code}`)).toEqual({
      '201 undefined': 100,
      '409 sold_out': 900,
    })
    expect(skuOf(await readDrop(flood, drop.id))).toMatchObject({ stock: 100, held: 100, sold: 0, available: 0 })

    const holds = answers.filter(({ status }) => status === 201).map(({ body }) => body)
    const payments = await Promise.all(holds.map((hold) => pay(flood, hold)))
    bought.abort()
    await watching
    expect(tally(payments, ({ status, body }) => `${status} ${body.status}`)).toEqual({ '201 captured': 100 })
    expect(new Set(payments.map(({ body }) => body.order)).size).toBe(100)
    expect(await readDrop(flood, drop.id)).toMatchObject({ status: 'sold_out', skus: [{ held: 0, sold: 100 }] })
    // No reader ever saw more than the stock.
    expect(seen.length).toBeGreaterThan(0)
    for (const sku of seen.map((read) => skuOf(read))) {
      expect(sku.held + sku.sold).toBeLessThanOrEqual(100)
      expect(sku.available).toBe(100 - sku.held - sku.sold)
    }
  })

  it('holds of several lines take all of them or none', async () => {
    const skus = [7, 20, 50].map((stock, index) => ({ name: `Size ${index}`, unit_amount: 10, stock }))
    const drop = await openDrop(flood, { skus })
    const lines = drop.skus.map(({ id }) => ({ sku: id, quantity: 1 }))
    const answers = await times(300, () => flood.post('/v1/holds', holdBody(drop, { lines })))
    expect(tally(answers, ({ status }) => status)).toEqual({ 201: 7, 409: 293 })
    expect((await readDrop(flood, drop.id)).skus.map(({ held }) => held)).toEqual([7, 7, 7])
  })

  it('a buyer in fifty spellings gets no more than the limit', async () => {
    const drop = await openDrop(flood, { max_per_customer: 2 })
    const spellings = [
      'ann@example.com',
      'ANN@example.com',
      'ann+1@Example.COM',
      'Ann+x+y@EXAMPLE.com',
      'aNN+@example.com',
    ]
    const answers = await times(50, (index) => {
      const customer = { email: spellings[index % spellings.length] }
      return scattered.post<WireProblem>('/v1/holds', holdBody(drop, { customer }))
    })
    expect(tally(answers, ({ status, body }) => `${status} ${body.code}`)).toEqual({
      '201 undefined': 2,
      '409 limit_reached': 48,
    })
    expect(skuOf(await readDrop(flood, drop.id))).toMatchObject({ held: 2, available: 98 })
  })

  it('paying and releasing a hold at the same moment leaves one of the two', async () => {
    const drop = await openDrop(flood, { late_payment: 'refund' })
    const rounds = await times(40, async () => {
      const hold = await takeHold(flood, drop)
      const [payment, release] = await Promise.all([pay(scattered, hold), scattered.delete(`/v1/holds/${hold.id}`)])
      return `${payment.body.status} ${release.status}`
    })
    const outcomes = tally(rounds, (outcome) => outcome)
    const { 'captured 409': paid = 0, 'refund_due 200': released = 0, ...others } = outcomes
    expect(others).toEqual({})
    expect(paid + released).toBe(40)
    expect(skuOf(await readDrop(flood, drop.id))).toMatchObject({ held: 0, sold: paid })
  })

  describe('one Idempotency-Key, 100 times in parallel', () => {
    interface Row {
      readonly what: string
      readonly make: () => Promise<{ path: string; body: object }>
      /** Rows that one effect adds. */
      readonly added: Readonly<Record<string, number>>
    }
    const rows: Row[] = [
      {
        what: 'a drop',
        make: () => Promise.resolve({ path: '/v1/drops', body: minimalDrop }),
        added: { drops: 1, sku: 1, request: 1 },
      },
      {
        what: 'a publication',
        make: async () => ({ path: `/v1/drops/${(await createDrop(flood)).id}/publish`, body: {} }),
        added: { request: 1 },
      },
      {
        what: 'a restock',
        make: async () => {
          const drop = await openDrop(flood)
          return { path: `/v1/drops/${drop.id}/restock`, body: { sku: skuOf(drop).id, quantity: 1 } }
        },
        added: { request: 1 },
      },
      {
        what: 'a hold',
        make: async () => ({ path: '/v1/holds', body: holdBody(await openDrop(flood)) }),
        added: { hold: 1, request: 1 },
      },
      {
        what: 'a payment',
        make: async () => ({ path: '/v1/payments', body: paymentBody(await takeHold(flood, await openDrop(flood))) }),
        added: { payment: 1, orders: 1, ledger_entry: 1, request: 1 },
      },
    ]

    it.each(rows)('$what: one effect, equal bytes', async ({ make, added }) => {
      const { path, body } = await make()
      const before = footprint(box.databasePath)
      const headers = { 'idempotency-key': randomUUID() }
      const answers = await times(100, () => scattered.post(path, body, headers))
      expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
      expect(answers[0]?.status).toBeLessThan(300)
      // The first one only is not a replay.
      expect(tally(answers, (answer) => String(answer.headers['idempotent-replayed'] ?? 'first'))).toEqual({
        first: 1,
        true: 99,
      })
      const after = footprint(box.databasePath)
      const difference = Object.entries(after).filter(([table]) => !['seq', 'ledger_balance'].includes(table))
      const grown = difference.map(([table, count]) => [table, count - (before[table] ?? 0)] as const)
      expect(Object.fromEntries(grown.filter(([, count]) => count !== 0))).toEqual(added)
    })

    it('with two different requests: one of them, and refusals for the other', async () => {
      const drop = await openDrop(flood)
      const bodies = [holdBody(drop), holdBody(drop)]
      const headers = { 'idempotency-key': randomUUID() }
      const answers = await times(100, async (index) => {
        const body = bodies[index % 2] ?? {}
        return { body, answer: await scattered.post('/v1/holds', body, headers) }
      })
      const accepted = answers.filter(({ answer }) => answer.status === 201)
      expect(new Set(accepted.map(({ answer }) => answer.text)).size).toBe(1)
      expect(tally(answers, ({ answer }) => answer.status)).toEqual({ 201: 50, 422: 50 })
      expect(new Set(accepted.map(({ body }) => body)).size).toBe(1)
      expect(skuOf(await readDrop(flood, drop.id))).toMatchObject({ held: 1 })
    })
  })

  it('one payment reported 100 times without a key: one order', async () => {
    const drop = await openDrop(flood)
    const body = paymentBody(await takeHold(flood, drop))
    const answers: Answer<WirePayment>[] = await times(100, () => scattered.post<WirePayment>('/v1/payments', body))
    expect(tally(answers, ({ status }) => status)).toEqual({ 200: 99, 201: 1 })
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers[0]?.body).toMatchObject({ status: 'captured' })
    expect(skuOf(await readDrop(flood, drop.id))).toMatchObject({ held: 0, sold: 1 })
  })

  it('50 different payments for one hold: one order, the others are refunded', async () => {
    const drop = await openDrop(flood)
    const hold = await takeHold(flood, drop)
    const answers = await times(50, () => pay(scattered, hold))
    for (const answer of answers) expectStatus(answer, 201)
    expect(tally(answers, ({ body }) => `${body.status} ${body.reason}`)).toEqual({
      'captured null': 1,
      'refund_due hold_already_captured': 49,
    })
    expect(skuOf(await readDrop(flood, drop.id))).toMatchObject({ held: 0, sold: 1 })
  })
})
