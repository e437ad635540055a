import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { idFloor } from '@penstock/domain/id.ts'
import { decide } from '@penstock/engine/decide.ts'
import { captureCommand, dropCommand, dropId, holdCommand, phaseCommand } from '@penstock/engine/test-sale.ts'
import { auditDatabase } from './audit.ts'
import { migrate, releasedMigrations } from './migrate.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { SqliteScanner } from './sqlite-scanner.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { ScanRequest } from '@penstock/store/scanner.ts'

const dayMs = 86_400_000
const soldMs = 1_700_000_000_000
const attachedMs = soldMs + 7 * dayMs
const nowMs = soldMs + 30 * dayMs

/** An id as it was made at `ms`; `letter` stands for the random bits. */
const id = (kind: 'hold' | 'payment' | 'order', ms: number, letter: string): string =>
  idFloor(kind, ms) + letter.repeat(16)

const holds = ['a', 'b', 'c', 'd'].map((letter, index) => id('hold', soldMs + index, letter))
const payments = ['e', 'f', 'g', 'h'].map((letter, index) => id('payment', soldMs + index, letter))
/** Of the first three payments: paid at once, cancelled, attached a week later. The second shares its payment's suffix. */
const orders = [id('order', soldMs, 'x'), id('order', soldMs + 1, 'f'), id('order', attachedMs, 'z')]

let folder = ''
let path = ''
let store: SqliteStore
let queries: SqliteQueries
let scanner: SqliteScanner

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-orders-'))
  path = join(folder, 'penstock.db')
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  migrate(db, { migrations: releasedMigrations.slice(0, 7) })
  const hold = db.prepare(
    `INSERT INTO hold_start (id, drop_id, amount, currency, lines, customer, client_secret, created_ms, expires_ms)
     VALUES (?, '${dropId}', 100, 'usd', '[["sku_shoe",1,100]]', '{"email":"a@b.c"}', 'cs', ?, ?)`,
  )
  const end = db.prepare("INSERT INTO hold_end (hold_id, status) VALUES (?, 'captured')")
  const payment = db.prepare(
    `INSERT INTO payment (id, provider, provider_payment_id, hold_id, order_id, amount, currency, status, reason, created_ms,
       attached_hold_id, refunded)
     VALUES (?, 'manual', ?, ?, ?, 100, 'usd', ?, ?, ?, ?, ?)`,
  )
  const order = db.prepare(
    `INSERT INTO orders (id, drop_id, hold_id, payment_id, amount, currency, status, created_ms, cancelled_ms, fulfilled_ms)
     VALUES (?, '${dropId}', ?, ?, 100, 'usd', 'paid', ?, ?, ?)`,
  )
  for (const holdId of holds.slice(0, 3)) {
    hold.run(holdId, soldMs, soldMs + 1)
    end.run(holdId)
  }
  payment.run(payments[0], 'p0', holds[0], orders[0], 'captured', null, soldMs, null, 0)
  payment.run(payments[1], 'p1', holds[1], orders[1], 'captured', null, soldMs + 1, null, 100)
  payment.run(payments[2], 'p2', 'hold_unknown', orders[2], 'captured', null, soldMs + 2, holds[2], 0)
  payment.run(payments[3], 'p3', holds[3], null, 'unmatched', 'unknown_hold', soldMs + 3, null, 0)
  order.run(orders[0], holds[0], payments[0], soldMs, null, null)
  order.run(orders[1], holds[1], payments[1], soldMs + 1, soldMs + 5, null)
  order.run(orders[2], holds[2], payments[2], attachedMs, null, attachedMs + 1)
  db.close()
  store = new SqliteStore(path)
  queries = new SqliteQueries(path)
  scanner = new SqliteScanner(path)
})

afterEach(() => {
  scanner.close()
  queries.close()
  store.close()
  rmSync(folder, { recursive: true })
})

function run(...commands: readonly Command[]): Result[] {
  return store.transact(nowMs, (set) => commands.map((command) => decide(set, command, nowMs))).value
}

function listOrders(change: Partial<ScanRequest<'orders'>> = {}) {
  const everything = { collection: 'orders', filters: {}, createdFromMs: null, createdBeforeMs: null, nowMs } as const
  const steps = { direction: 'newest_first', after: null, rowsMax: 100, matchesMax: 100 } as const
  return scanner.scan({ ...everything, ...steps, ...change }).rows.map(({ order }) => order.id)
}

it('migration 8 keeps every order, its id and what happened to it', () => {
  const of = { dropId, amountMinor: 100, currency: 'usd', cancelledMs: null, fulfilledMs: null }
  const expected = [
    { ...of, id: orders[0], holdId: holds[0], paymentId: payments[0], createdMs: soldMs },
    { ...of, id: orders[1], holdId: holds[1], paymentId: payments[1], createdMs: soldMs + 1, cancelledMs: soldMs + 5 },
    {
      ...of,
      id: orders[2],
      holdId: holds[2],
      paymentId: payments[2],
      createdMs: attachedMs,
      fulfilledMs: attachedMs + 1,
    },
  ]
  expect(orders.map((each) => queries.findOrder(each)?.order)).toEqual(expected)
  expect(payments.map((each) => queries.findPayment(each)?.orderId)).toEqual([...orders, null])
})

it('migration 8 keeps the numbers and every other fact of payments', () => {
  const db = new Database(path, { readonly: true })
  const rows = db.prepare('SELECT seq, id, hold_id, attached_hold_id, refunded, reason FROM payment ORDER BY seq').raw()
  expect(rows.all()).toEqual([
    [1, payments[0], holds[0], null, 0, null],
    [2, payments[1], holds[1], null, 100, null],
    [3, payments[2], 'hold_unknown', holds[2], 0, null],
    [4, payments[3], holds[3], null, 0, 'unknown_hold'],
  ])
  const kept = db.prepare('SELECT (SELECT count(*) FROM order_alias), (SELECT count(*) FROM order_change)').raw().get()
  // The others follow from their payments.
  expect(kept).toEqual([2, 2])
  db.close()
})

it('an order of before has one id: that which follows from its payment finds nothing', () => {
  const derived = payments.map((each) => `ord_${each.slice(4)}`)
  expect(derived.map((each) => queries.findOrder(each)?.order.id)).toEqual([undefined, orders[1], undefined, undefined])
  const found = run(...derived.map((orderId): Command => ({ kind: 'fulfil_order', key: null, orderId })))
  expect(found.map(({ outcome }) => outcome)).toEqual(['not_found', 'invalid_transition', 'not_found', 'not_found'])
  for (const orderId of derived.filter((each) => each !== orders[1])) {
    const filters = { order: orderId }
    const wanted = {
      filters,
      createdFromMs: null,
      createdBeforeMs: null,
      nowMs,
      after: null,
      rowsMax: 9,
      matchesMax: 9,
    }
    expect(scanner.scan({ ...wanted, collection: 'payments', direction: 'newest_first' }).rows).toEqual([])
  }
})

it('orders of before are listed with their payments, and their ids are places in the list', () => {
  const newest = orders.toReversed()
  expect(listOrders()).toEqual(newest)
  for (const [index, after] of newest.entries()) {
    expect(listOrders({ after })).toEqual(newest.slice(index + 1))
    expect(listOrders({ after, direction: 'oldest_first' })).toEqual(newest.slice(0, index).toReversed())
  }
  expect(listOrders({ filters: { payment: payments[2] ?? '' } })).toEqual([orders[2]])
})

it('an order that was attached is found by the time it was made, a week after its payment', () => {
  const [, , attached] = orders
  expect(listOrders({ createdFromMs: attachedMs })).toEqual([attached])
  expect(listOrders({ createdFromMs: attachedMs - dayMs, createdBeforeMs: attachedMs + 1 })).toEqual([attached])
  expect(listOrders({ createdFromMs: attachedMs + 1 })).toEqual([])
  expect(listOrders({ createdBeforeMs: attachedMs })).toEqual([orders[1], orders[0]])
  expect(listOrders({ createdFromMs: soldMs, direction: 'oldest_first', matchesMax: 2 })).toEqual(orders.slice(0, 2))
})

it('orders of before can be fulfilled and refunded, and new ones follow from their payments', () => {
  run(dropCommand(), phaseCommand('publish'))
  const own = { key: null, reason: null } as const
  const [first = '', , third = ''] = orders
  const results = run(
    { kind: 'fulfil_order', key: null, orderId: first },
    {
      ...own,
      kind: 'create_refund',
      refundId: 'rfnd_1',
      paymentId: payments[2] ?? '',
      amountMinor: 1,
      lines: null,
      restock: false,
    },
    holdCommand('hold_new'),
    captureCommand('hold_new', { paymentId: 'pay_new' }),
  )
  expect(results.map(({ outcome }) => outcome)).toEqual([
    'order_saved',
    'refund_saved',
    'hold_created',
    'payment_recorded',
  ])
  expect(queries.findOrder(first)?.order.fulfilledMs).toBe(nowMs)
  expect(queries.findOrder(third)).toMatchObject({ refundedMinor: 1, order: { createdMs: attachedMs } })
  expect(queries.findOrder('ord_new')?.order).toMatchObject({ paymentId: 'pay_new', createdMs: nowMs })
  const broken = auditDatabase(path).map(({ check }) => check)
  // The rows above are no whole sale: no ledger, no events, no counters.
  expect(broken.filter((check) => check.startsWith('order_') || check === 'captured_hold_has_one_order')).toEqual([])
})
