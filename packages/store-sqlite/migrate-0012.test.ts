import { expect, it, onTestFinished } from 'vitest'
import { buyerUnitsId } from '@penstock/domain/customer.ts'
import { auditDatabase } from './audit.ts'
import { olderDatabase, openUpgraded, readRows } from './test-older.ts'

/** More than a batch could merge at once, were they left to the writer. */
const buyers = 3_000
const idOf = (index: number): string => buyerUnitsId('drop_1', `email:${index}@example.com`)

/** The path of a database of schema 11 with counters of `count` buyers. */
function makeOlder(count: number): string {
  return olderDatabase(onTestFinished, 11, (db) => {
    const insert = db.prepare('INSERT INTO buyer_units (id, units) VALUES (?, ?)')
    for (let index = 0; index < count; index++) insert.run(idOf(index), index % 4)
  })
}

/** The first row. */
const read = (path: string, sql: string): unknown => readRows(path, sql)[0]

it('migration 12 keeps every counter, and the index finds it', () => {
  const path = makeOlder(buyers)
  const store = openUpgraded(onTestFinished, path)
  const units = store.transact(1, (set) =>
    Array.from({ length: buyers }, (_, index) => set.buyers.find(idOf(index))?.units),
  ).value
  expect(units).toEqual(Array.from({ length: buyers }, (_, index) => index % 4))
  expect(store.transact(1, (set) => set.buyers.find(idOf(buyers))).value).toBeUndefined()
  // None was read into memory: all of them are in the index.
  const state = `SELECT (SELECT count(*) FROM buyer_units_index), (SELECT max(seq) FROM buyer_units), indexed_seq
    FROM index_progress WHERE name = 'buyer_units'`
  expect(read(path, state)).toEqual([buyers, buyers, buyers])
  expect(auditDatabase(path)).toEqual([])
})

it('migration 12 leaves counters that are counted on and new ones behind them', () => {
  const path = makeOlder(3)
  const store = openUpgraded(onTestFinished, path)
  const oldId = idOf(1)
  store.transact(1, (set) => {
    set.buyers.insert('new', { id: 'new', units: 1 })
    set.buyers.update(oldId, { id: oldId, units: 7 })
  })
  expect(store.transact(1, (set) => [set.buyers.find(oldId)?.units, set.buyers.find('new')?.units]).value).toEqual([
    7, 1,
  ])
  expect(read(path, "SELECT count(*), (SELECT seq FROM buyer_units WHERE id = 'new') FROM buyer_units")).toEqual([4, 4])
})

it('migration 12 of a database without buyers begins with the first', () => {
  const path = makeOlder(0)
  openUpgraded(onTestFinished, path).transact(1, (set) => set.buyers.insert('new', { id: 'new', units: 1 }))
  expect(
    read(path, "SELECT seq, (SELECT indexed_seq FROM index_progress WHERE name = 'buyer_units') FROM buyer_units"),
  ).toEqual([1, 0])
})
