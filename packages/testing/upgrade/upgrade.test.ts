import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { isRejected } from '@penstock/domain/result.ts'
import { captureCommand, holdCommand, requestKey } from '@penstock/engine/test-sale.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { schemaVersion } from '@penstock/store-sqlite/migrate.ts'
import { SqliteQueries } from '@penstock/store-sqlite/sqlite-queries.ts'
import { SqliteScanner } from '@penstock/store-sqlite/sqlite-scanner.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { filterNames } from '@penstock/store/scanner.ts'
import { run } from '../model/run-sale.ts'
import { firstAnswers, makeFirstDatabase } from './first-fixture.ts'
import type { CollectionName, Collections } from '@penstock/store/scanner.ts'
import type { Database as Connection } from 'better-sqlite3'

/**
 * A database of the first released schema, with a sale in it, is brought to the schema of this build and goes on
 * selling. It runs against whatever migrations there are.
 */

const answers = firstAnswers()
const afterMs = Math.max(...answers.map(({ nowMs }) => nowMs)) + 1_000
/** Tables of the first schema whose rows are facts: no migration may lose one. */
const factTables = ['drops', 'sku', 'hold', 'payment', 'orders', 'ledger_entry', 'ledger_balance', 'request', 'api_key']

let folder = ''
let path = ''
let store: SqliteStore
const lines: string[] = []
let countsBefore: Record<string, number> = {}
/** id → status */
let holdsBefore: ReadonlyMap<string, string> = new Map()
let orderIds: readonly string[] = []

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-upgrade-'))
  path = join(folder, 'penstock.db')
  makeFirstDatabase(path)
  const db = new Database(path)
  countsBefore = countRows(db)
  holdsBefore = new Map(db.prepare<[], [string, string]>('SELECT id, status FROM hold').raw().all())
  orderIds = db.prepare<[], string>('SELECT id FROM orders ORDER BY id DESC').pluck().all()
  db.close()
  store = new SqliteStore(path, { log: (line) => lines.push(line) })
  // As every start does, with the keys of the start before.
  const keys = [
    { id: 'key_secret', kind: 'secret', secretHash: 'a'.repeat(64), hint: 'sk_test_…aaaa' },
    { id: 'key_publishable', kind: 'publishable', secretHash: 'b'.repeat(64), hint: 'pk_test_…bbbb' },
  ] as const
  store.replaceBootstrapKeys(keys, afterMs)
})

afterAll(() => {
  store.close()
  rmSync(folder, { recursive: true })
})

function countRows(db: Connection): Record<string, number> {
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM ${table}`).pluck().get())
  return Object.fromEntries(factTables.map((table) => [table, count(table)]))
}

it('the fixture has holds in every status, money of every fate and answers of every kind', () => {
  expect(new Set(holdsBefore.values())).toEqual(new Set(['active', 'captured', 'released', 'expired']))
  const statuses = answers.map(({ result }) => (result?.outcome === 'payment_recorded' ? result.payment.status : ''))
  expect(statuses).toEqual(expect.arrayContaining(['captured', 'refund_due', 'unmatched']))
  expect(Object.values(countsBefore).every((count) => count > 0)).toBe(true)
})

it('a database of the first schema is migrated, and says so', () => {
  const db = new Database(path, { readonly: true })
  expect(db.pragma('user_version', { simple: true })).toBe(schemaVersion)
  expect(countRows(db)).toEqual(countsBefore)
  db.close()
  expect(lines.length === 0).toBe(schemaVersion === 1)
})

it('the audit finds nothing wrong in it', () => {
  expect(auditDatabase(path)).toEqual([])
})

it('every row of it can be read', () => {
  const queries = new SqliteQueries(path)
  const holds = [...holdsBefore.keys()].map((id) => queries.findHold(id))
  const orderOf = orderIds.map((id) => queries.findOrder(id))
  const { drops } = queries.listDrops()
  const credentials = ['a', 'b'].map((letter) => queries.findCredential(letter.repeat(64)))
  queries.close()
  expect(new Map(holds.map((hold) => [hold?.id, hold?.status]))).toEqual(holdsBefore)
  expect(orderOf.map((each) => each?.order.id)).toEqual(orderIds)
  expect(credentials).toMatchObject([{ kind: 'secret' }, { kind: 'publishable' }])
  for (const { result } of answers) {
    if (result?.outcome !== 'hold_created') continue
    const hold = holds.find((each) => each?.id === result.hold.id)
    expect(hold).toMatchObject({ ...result.hold, status: holdsBefore.get(result.hold.id) })
  }
  expect(drops.map(({ drop, skus }) => [drop.name, drop.phase, skus.length])).toEqual([
    ['Friday drop', 'published', 3],
    ['Shoe', 'published', 1],
    ['Shoe', 'draft', 0],
    ['Shoe', 'ended', 0],
  ])
})

it('every row of it can be listed', () => {
  const scanner = new SqliteScanner(path)
  const list = <Name extends CollectionName>(collection: Name): readonly Collections[Name][] => {
    const selection = { collection, filters: {}, createdFromMs: null, createdBeforeMs: null, nowMs: afterMs }
    return scanner.scan({ ...selection, direction: 'newest_first', after: null, rowsMax: 9_999, matchesMax: 9_999 })
      .rows
  }
  const lengths = (Object.keys(filterNames) as CollectionName[]).map((name) => [name, list(name).length])
  expect(list('orders').map(({ order }) => order.id)).toEqual(orderIds)
  scanner.close()
  const { hold, payment, orders, ledger_entry } = countsBefore
  expect(Object.fromEntries(lengths)).toEqual({
    holds: hold,
    payments: payment,
    orders,
    refunds: 0,
    disputes: 0,
    ledger_entries: ledger_entry,
    events: payment,
    webhook_deliveries: 0,
  })
})

it('a key that was used before the upgrade gets its first answer, and writes nothing', () => {
  const { seq } = store
  let replays = 0
  for (const { command, result } of answers) {
    if (command.key === null || result === undefined || isRejected(result)) continue
    const again = run(store, [command], afterMs)[0]
    expect(again).toMatchObject({ ...result, replayed: true })
    const other = { ...command, key: { ...command.key, fingerprint: 'other' } }
    expect(run(store, [other], afterMs)).toMatchObject([{ outcome: 'key_reused' }])
    replays += 1
  }
  expect(replays).toBe(countsBefore.request)
  expect(store.seq).toBe(seq)
})

it('a payment that was reported without a key before the upgrade is known', () => {
  const paid = answers.filter(({ command }) => command.kind === 'capture_payment' && command.key === null)
  expect(paid.length).toBeGreaterThan(0)
  for (const { command, result } of paid) expect(run(store, [command], afterMs)).toMatchObject([{ ...result }])
})

it('a database of the first schema goes on selling: another hold, its payment, the end of the holds of before', () => {
  const drop = answers.find(({ command }) => command.kind === 'create_drop')?.command
  if (drop?.kind !== 'create_drop') throw new Error('the fixture begins with a drop')
  const [size] = drop.skus
  const hold = holdCommand('hold_after', {
    dropId: drop.dropId,
    lines: [{ skuId: size?.id ?? '', quantity: 1 }],
    key: requestKey('hold after'),
  })
  const pay = captureCommand('hold_after', {
    amountMinor: size?.unitAmountMinor ?? 0,
    key: requestKey('payment after'),
  })
  expect(run(store, [hold, pay], afterMs)).toMatchObject([
    { outcome: 'hold_created', replayed: false },
    { outcome: 'payment_recorded', payment: { status: 'captured' } },
  ])
  expect(run(store, [hold, pay], afterMs)).toMatchObject([{ replayed: true }, { replayed: true }])
  const active = [...holdsBefore.values()].filter((status) => status === 'active').length
  const ended = run(store, [{ kind: 'expire_holds', key: null }], afterMs + drop.holdTtlMs)
  expect(ended).toMatchObject([{ outcome: 'holds_expired', count: active }])
  expect(auditDatabase(path)).toEqual([])
})
