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
  // As openWriter sets it.
  db.pragma('foreign_keys = OFF')
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

it('migration 4 keeps every drop and SKU, lets a drop be cancelled, and nothing else', () => {
  const phases = ['draft', 'published', 'paused', 'ended']
  const db = openFirstRelease(
    ...phases.map(
      (phase, index) => `INSERT INTO drops VALUES
        ('drop_${index}', 'N', NULL, 'http://i', 'usd', 1, ${index}, 3, NULL, 'refund', '{"a":"b"}', '${phase}', 4)`,
    ),
    "INSERT INTO sku VALUES ('sku_1', 'drop_1', 0, 'A', 5, 9, 2, 3)",
  )
  const columns = `id, name, description, image, currency, starts_ms, ends_ms, hold_ttl_ms, max_per_customer, late_payment,
    metadata, phase, created_ms`
  const before = db.prepare(`SELECT ${columns} FROM drops`).all()
  migrate(db)
  expect(before).toHaveLength(4)
  expect(db.prepare(`SELECT ${columns} FROM drops`).all()).toEqual(before)
  expect(db.prepare('SELECT fees FROM drops').pluck().all()).toEqual([null, null, null, null])
  expect(db.prepare('SELECT * FROM sku').get()).toEqual({
    id: 'sku_1',
    drop_id: 'drop_1',
    position: 0,
    name: 'A',
    unit_amount: 5,
    stock: 9,
    held: 2,
    sold: 3,
    max_per_order: null,
  })
  db.exec("UPDATE drops SET phase = 'cancelled' WHERE id = 'drop_1'")
  expect(() => db.exec("UPDATE drops SET phase = 'gone'")).toThrow(/CHECK constraint failed/)
  expect(() => db.exec('UPDATE sku SET max_per_order = 0')).toThrow(/CHECK constraint failed/)
  db.pragma('foreign_keys = ON')
  expect(db.pragma('foreign_key_check')).toEqual([])
  expect(() => db.exec("UPDATE sku SET drop_id = 'drop_none'")).toThrow(/FOREIGN KEY/)
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
})
