import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { buyerUnitsId } from '@penstock/domain/customer.ts'
import { auditDatabase } from './audit.ts'
import { migrate, releasedMigrations } from './migrate.ts'
import { SqliteStore } from './sqlite-store.ts'

/** More than a batch could merge at once, were they left to the writer. */
const buyers = 3_000
const idOf = (index: number): string => buyerUnitsId('drop_1', `email:${index}@example.com`)

/** The path of a database of schema 11 with counters of `count` buyers. */
function makeOlder(count: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-buyers-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'penstock.db')
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  migrate(db, { migrations: releasedMigrations.slice(0, 11) })
  const insert = db.prepare('INSERT INTO buyer_units (id, units) VALUES (?, ?)')
  db.transaction(() => {
    for (let index = 0; index < count; index++) insert.run(idOf(index), index % 4)
  })()
  db.close()
  return path
}

function openStore(path: string): SqliteStore {
  const store = new SqliteStore(path)
  onTestFinished(() => store.close())
  return store
}

function read(path: string, sql: string): unknown {
  const db = new Database(path, { readonly: true })
  try {
    return db.prepare(sql).raw().get()
  } finally {
    db.close()
  }
}

it('migration 12 keeps every counter, and the index finds it', () => {
  const path = makeOlder(buyers)
  const store = openStore(path)
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
  const store = openStore(path)
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
  openStore(path).transact(1, (set) => set.buyers.insert('new', { id: 'new', units: 1 }))
  expect(
    read(path, "SELECT seq, (SELECT indexed_seq FROM index_progress WHERE name = 'buyer_units') FROM buyer_units"),
  ).toEqual([1, 0])
})
