import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { buyerUnitsId } from '@penstock/domain/customer.ts'
import { migrate } from './migrate.ts'
import type { Database as Connection } from 'better-sqlite3'

/** A database as the first release left it: version 1, with rows of its time. */
function openFirstRelease(...statements: readonly string[]): Connection {
  const db = new Database(':memory:')
  onTestFinished(() => void db.close())
  db.exec(readFileSync(new URL('./migrations/0001-init.sql', import.meta.url), 'utf8'))
  db.pragma('user_version = 1')
  for (const statement of statements) db.exec(statement)
  return db
}

const remember = (id: string, answer: object): string =>
  `INSERT INTO request (id, fingerprint, answer_kind, answer, created_ms)
   VALUES ('${id}', 'f', 'result', '${JSON.stringify(answer)}', 1)`

it('migration 4 gives drops no fees, SKUs no limit, and remembered answers the same', () => {
  const sku = { id: 'sku_1', name: 'A', stock: 3 }
  const db = openFirstRelease(
    remember('saved', { outcome: 'drop_saved', drop: { id: 'drop_1', name: 'A' }, skus: [sku, sku], nowMs: 1 }),
    remember('duplicate', { outcome: 'payment_recorded', payment: { id: 'pay_1' }, duplicate: true }),
  )
  migrate(db)
  const answers = db.prepare('SELECT answer FROM request ORDER BY seq').pluck().all()
  const limited = { ...sku, maxPerOrder: null }
  expect(answers.map((text) => JSON.parse(String(text)) as unknown)).toEqual([
    { outcome: 'drop_saved', drop: { id: 'drop_1', name: 'A', fees: [] }, skus: [limited, limited], nowMs: 1 },
    { outcome: 'payment_recorded', payment: { id: 'pay_1' }, duplicate: true },
  ])
})

it('migration 4 takes the customer out of answers about released holds', () => {
  const hold = { id: 'hold_1', status: 'expired', customer: { email: 'ann@example.com' } }
  const db = openFirstRelease(remember('released', { outcome: 'hold_released', hold, replayed: false }))
  migrate(db)
  expect(JSON.parse(String(db.prepare('SELECT answer FROM request').pluck().get()))).toEqual({
    outcome: 'hold_released',
    holdId: 'hold_1',
    status: 'expired',
  })
})

it('migration 4 renames the counters of buyers as new ones are named', () => {
  const keys = ['email:ann@example.com', 'phone:+49221', 'external: id with  spaces ', 'external:']
  const db = openFirstRelease(
    ...keys.map((key, index) => `INSERT INTO buyer_units (id, units) VALUES ('drop_1 ${key}', ${index})`),
  )
  migrate(db)
  const rows = db.prepare('SELECT id, units FROM buyer_units ORDER BY units').raw().all()
  expect(rows).toEqual(keys.map((key, index) => [buyerUnitsId('drop_1', key), index]))
})
