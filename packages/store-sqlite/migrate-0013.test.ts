import { expect, it, onTestFinished } from 'vitest'
import { testHold } from '@penstock/domain/test-hold.ts'
import { olderDatabase, openUpgraded, readRows } from './test-older.ts'

/** The path of a database of schema 12 with these holds, by their ids. */
function makeOlder(holds: readonly (readonly [id: string, status: string | null])[]): string {
  return olderDatabase(onTestFinished, 12, (db) => {
    const start = db.prepare(
      `INSERT INTO hold_start (id, drop_id, amount, currency, lines, fees, customer, client_secret, created_ms, expires_ms)
       VALUES (?, 'drop_1', 107, 'usd', '[["sku_1",1,100]]', '[["Tax","tax",7]]', '{"email":"a@b.c"}', 'cs', 5, 9e15)`,
    )
    const end = db.prepare('INSERT INTO hold_end (hold_id, status) VALUES (?, ?)')
    for (const [id, status] of holds) {
      start.run(id)
      if (status !== null) end.run(id, status)
    }
  })
}

const rows = (path: string): unknown[] => readRows(path, 'SELECT id, seq, status, fees FROM hold ORDER BY seq')

const tax = '[["Tax","tax",7]]'

it('migration 13 numbers holds by their ids, keeps how each ended, and goes on behind them', () => {
  const path = makeOlder([
    ['hold_b', 'captured'],
    ['hold_a', 'expired'],
    ['hold_d', null],
    ['hold_c', 'released'],
  ])
  const store = openUpgraded(onTestFinished, path)
  expect(rows(path)).toEqual([
    ['hold_a', 1, 'expired', tax],
    ['hold_b', 2, 'captured', tax],
    ['hold_c', 3, 'released', tax],
    ['hold_d', 4, 'active', tax],
  ])
  store.transact(10, (set) => {
    const hold = set.holds.find('hold_d')
    if (hold === undefined) throw new Error('hold_d is gone')
    set.holds.update('hold_d', { ...hold, status: 'captured' })
    set.holds.insert('hold_0', { ...hold, id: 'hold_0' })
  })
  expect(rows(path).slice(3)).toEqual([
    ['hold_d', 4, 'captured', tax],
    ['hold_0', 5, 'active', tax],
  ])
})

it('migration 13 of a database without holds begins with number 1', () => {
  const path = makeOlder([])
  const hold = testHold({ id: 'hold_0', createdMs: 10, expiresMs: 20 })
  openUpgraded(onTestFinished, path).transact(10, (set) => set.holds.insert(hold.id, hold))
  expect(rows(path)).toEqual([['hold_0', 1, 'active', null]])
})
