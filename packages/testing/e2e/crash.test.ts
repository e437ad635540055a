import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { mintId } from '@penstock/domain/id.ts'
import { requestDeadlineMs } from '@penstock/domain/limits.ts'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { Load } from './buyers.ts'
import { IpcPeer } from './ipc-peer.ts'
import { expectProblem } from './expect-problem.ts'
import {
  expectStatus,
  footprint,
  holdBody,
  openDrop,
  pay,
  poll,
  present,
  readDrop,
  seededRandom,
  seqOf,
  skuOf,
} from './shop.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { WireDrop, WireHold } from '../wire-types.ts'

/** TEST_SEED repeats a run: the same kills at the same points of the load. */
const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000)
const random = seededRandom(seed)

const buyers = 2_000
const connections = 24

/** `count` points of the load at random, in order, and apart enough that each kill meets some load. */
function momentsOf(count: number): number[] {
  const stretch = Math.floor((buyers * 0.9) / count)
  return Array.from({ length: count }, (_, index) => Math.floor((index + random() * 0.8) * stretch) + 20)
}

let box: Box
let seller: Client
let drop: WireDrop
const summary: string[] = []

beforeEach(async () => {
  box = await Box.start({ httpProcesses: 2 })
  seller = new Client(box.url, box.secretKey, { connections: 2 })
  drop = await openDrop(seller, { skus: [{ name: 'One', unit_amount: 100, stock: 1_000_000 }] })
})

afterEach(async () => {
  seller.close()
  await box.stop()
})

beforeAll(() => {
  summary.push(`crash: seed ${seed}`)
})

afterAll(() => console.log(summary.join('\n')))

/** Every acknowledgement is a row, once; and there is no row that nobody was told of. */
function checkAcknowledged(load: Load): void {
  expect(auditDatabase(box.databasePath)).toEqual([])
  const db = openReader(box.databasePath)
  try {
    const ids = (sql: string): unknown[] => db.prepare(sql).pluck().all()
    expect(ids("SELECT id FROM hold WHERE status = 'captured' ORDER BY id")).toEqual(
      load.holds.map(({ id }) => id).toSorted(),
    )
    const paid = load.payments.map((payment) => `${payment.id} ${payment.order} ${payment.provider_payment_id}`)
    const orders = `SELECT payment_id || ' ' || orders.id || ' ' || provider_payment_id
      FROM orders JOIN payment ON payment.id = payment_id ORDER BY payment_id`
    expect(ids(orders)).toEqual(paid.toSorted())
    expect(ids('SELECT id FROM hold').length).toBe(load.holds.length)
    expect(ids('SELECT sold FROM sku')).toEqual([load.payments.length])
    expect(ids('SELECT held FROM sku')).toEqual([0])
  } finally {
    db.close()
  }
}

function startLoad(hasKey: (buyer: number) => boolean): { load: Load; done: Promise<void> } {
  const load = new Load({ url: box.url, secretKey: box.secretKey, drop, buyers, connections, hasKey })
  return { load, done: load.run() }
}

async function killHttp(index: number): Promise<void> {
  const pid = present(box.pids.http[index], `HTTP process ${index}`)
  process.kill(pid, 'SIGKILL')
  await box.until(({ pids }) => pids.http[index] !== null && pids.http[index] !== pid)
}

describe('kill -9 under load', () => {
  it('of the writer, several times: a pause for everybody, an error for nobody', async () => {
    // Half of the buyers send no key: the HTTP processes' own resending must not double anything either.
    const { load, done } = startLoad((buyer) => buyer % 2 === 0)
    const over = new AbortController()
    const reads: string[] = []
    const watch = async (): Promise<void> => {
      const reader = new Client(box.url, box.publishableKey, { connections: 1 })
      let [lastSeq, lastSold] = [0, 0]
      while (!over.signal.aborted) {
        const answer = await reader.get<WireDrop>(`/v1/drops/${drop.id}`)
        const { sold } = skuOf(answer.body)
        // One connection, one process: time does not run backwards there, whatever the writer goes through.
        if (answer.status !== 200 || seqOf(answer) < lastSeq || sold < lastSold) reads.push(answer.text)
        ;[lastSeq, lastSold] = [seqOf(answer), sold]
      }
      reader.close()
    }
    const watching = watch()
    const moments = momentsOf(4)
    const { http } = box.pids
    for (const moment of moments) {
      await load.whenPaid(moment)
      await box.killWriter()
    }
    await done
    over.abort()
    await watching
    summary.push(
      `  writer killed after ${moments.join(', ')} payments: slowest answer ${Math.round(load.slowestMs)} ms`,
    )
    expect(load.failures).toEqual([])
    expect([load.retries, load.payments.length]).toEqual([0, buyers])
    expect(load.slowestMs).toBeLessThan(requestDeadlineMs)
    expect(reads).toEqual([])
    expect(box.pids.http).toEqual(http)
    checkAcknowledged(load)
  })

  it('of an HTTP process: its buyers try again with their keys and end with one outcome each', async () => {
    const { load, done } = startLoad(() => true)
    const { writer } = box.pids
    const moments = momentsOf(3)
    for (const [index, moment] of moments.entries()) {
      await load.whenPaid(moment)
      await killHttp(index % 2)
    }
    await done
    summary.push(
      `  HTTP process killed after ${moments.join(', ')} payments: ${load.retries} requests tried again, ${load.replays} had had their effect`,
    )
    expect(load.failures).toEqual([])
    expect(load.payments.length).toBe(buyers)
    // At least one buyer was hit, or the test showed nothing; and none more than once a kill.
    expect(load.retries).toBeGreaterThan(0)
    expect(load.retries).toBeLessThanOrEqual(connections * moments.length)
    expect(box.pids.writer).toBe(writer)
    checkAcknowledged(load)
  })

  it('of the writer and an HTTP process together: still one outcome each', async () => {
    const { load, done } = startLoad(() => true)
    const moments = momentsOf(2)
    for (const [index, moment] of moments.entries()) {
      await load.whenPaid(moment)
      await Promise.all([box.killWriter(), killHttp(index % 2)])
    }
    await done
    summary.push(`  both killed after ${moments.join(', ')} payments: ${load.retries} requests tried again`)
    expect(load.failures).toEqual([])
    expect(load.payments.length).toBe(buyers)
    checkAcknowledged(load)
  })
})

describe('a commit whose answer was lost with the writer', () => {
  it('is answered again, and not done again, when the command is sent again', async () => {
    const path = join(box.dataFolder, 'writer.sock')
    const id = (kind: IdKind): string => mintId(kind, Date.now(), randomBytes(10))
    const skuId = skuOf(drop).id
    const customer = { email: 'a@b', phone: null, externalId: null, name: null, shippingAddress: null }
    const hold = { kind: 'create_hold', key: null, holdId: id('hold'), clientSecret: 'cs_x', dropId: drop.id, customer }
    const payment = {
      kind: 'capture_payment',
      key: null,
      paymentId: id('payment'),
      orderId: id('order'),
      holdId: hold.holdId,
      provider: 'manual',
      providerPaymentId: 'p1',
      amountMinor: 200,
      currency: 'usd',
    }
    const released = { ...hold, holdId: id('hold') }
    const lines = [{ skuId, quantity: 2 }]
    const key = (name: string): object => ({ id: `key ${name}`, fingerprint: name })
    const commands = [
      { ...hold, lines, replace: null },
      payment,
      { ...released, lines, replace: null },
      { kind: 'release_hold', key: null, holdId: released.holdId, proof: null },
      { kind: 'restock_sku', key: key('restock'), dropId: drop.id, skuId, quantity: 5 },
      { ...hold, key: key('hold'), holdId: id('hold'), lines, replace: null },
      { ...payment, key: key('payment'), paymentId: id('payment'), orderId: id('order'), providerPaymentId: 'p2' },
      { kind: 'change_drop_phase', key: key('pause'), dropId: drop.id, action: 'pause' },
    ].map((command, index) => ({ id: index, command }))
    const sendAll = async (): Promise<string[]> => {
      const peer = await IpcPeer.greet(path)
      peer.sendCommands(commands)
      await poll('every reply', 5_000, () => peer.replies.length === commands.length)
      peer.end()
      // Keyed ones are replays, the others look new.
      return peer.replies.map(({ result }) => JSON.stringify({ ...result, replayed: null }))
    }
    const first = await sendAll()
    const before = footprint(box.databasePath)
    expect(before).toMatchObject({ hold: 3, payment: 2, orders: 1, request: 5 })
    await box.killWriter()
    expect(await sendAll()).toEqual(first)
    expect(footprint(box.databasePath)).toEqual(before)
    expect(auditDatabase(box.databasePath)).toEqual([])
  })
})

describe('without a writer', () => {
  it('readyz says so, healthz and reads do not care', async () => {
    const pid = present(box.pids.writer, 'the writer')
    process.kill(pid, 'SIGKILL')
    const answer = await poll('readyz notices', 5_000, async () => {
      const ready = await seller.get('/readyz')
      return ready.status !== 200 && ready
    })
    expectProblem(answer, 503, 'not_ready', null)
    expect(answer.headers['retry-after']).toBe('1')
    expectStatus(await seller.get('/healthz'), 200)
    expect((await readDrop(seller, drop.id)).status).toBe('live')
    await poll('readyz recovers', 10_000, async () => (await seller.get('/readyz')).status === 200)
  })

  it('for longer than the deadline a request ends as unknown, and its key finds the outcome later', async () => {
    const hold = expectStatus(await seller.post<WireHold>('/v1/holds', holdBody(drop)), 201).body
    const pid = present(box.pids.writer, 'the writer')
    process.kill(pid, 'SIGSTOP')
    const key = { 'idempotency-key': 'through the dark' }
    const body = { hold: hold.id, provider: 'manual', provider_payment_id: 'p1', amount: hold.amount, currency: 'usd' }
    const startMs = performance.now()
    try {
      const unknown = await seller.post('/v1/payments', body, key)
      const tookMs = performance.now() - startMs
      expectProblem(unknown, 504, 'deadline_exceeded', null)
      expect(tookMs).toBeGreaterThan(requestDeadlineMs - 100)
      expect(tookMs).toBeLessThan(requestDeadlineMs + 1_000)
    } finally {
      process.kill(pid, 'SIGCONT')
    }
    const paid = expectStatus(await seller.post('/v1/payments', body, key), 201)
    expect(paid.body).toMatchObject({ status: 'captured', hold: hold.id })
    expect((await pay(seller, hold, { provider_payment_id: 'p1' })).status).toBe(200)
    expect(skuOf(await readDrop(seller, drop.id))).toMatchObject({ held: 0, sold: 1 })
    expect(auditDatabase(box.databasePath)).toEqual([])
  })
})
