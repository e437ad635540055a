import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrate, schemaVersion } from './migrate.ts'
import { openReader, openWriter } from './open.ts'
import { SqliteStore } from './sqlite-store.ts'

const migrations = join(import.meta.dirname, 'migrations')
let folder = ''
let path = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-migrate-'))
  path = join(folder, 'penstock.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Makes a database of this release, then says it is of version `version`. */
function makeDatabase(version: number): void {
  const db = openWriter(path)
  db.pragma(`user_version = ${version}`)
  db.close()
}

it('migrate brings an empty database to this version, and a second run changes nothing', () => {
  const db = new Database(path)
  migrate(db)
  expect(db.pragma('user_version', { simple: true })).toBe(schemaVersion)
  const before = db.serialize()
  migrate(db)
  expect(db.serialize().equals(before)).toBe(true)
  db.close()
})

it.each<[string, () => unknown]>([
  ['openWriter', () => openWriter(path)],
  ['SqliteStore', () => new SqliteStore(path)],
  ['openReader', () => openReader(path)],
])('%s refuses a database of a newer release and leaves it untouched', (_, open) => {
  makeDatabase(schemaVersion + 1)
  const before = readFileSync(path)
  expect(open).toThrow(`has schema version ${schemaVersion + 1}, this release has ${schemaVersion}`)
  expect(readFileSync(path).equals(before)).toBe(true)
})

it('openReader refuses a database of an older release: the writer migrates', () => {
  makeDatabase(schemaVersion - 1)
  expect(() => openReader(path)).toThrow(`has schema version ${schemaVersion - 1}, this release has ${schemaVersion}`)
})

it('migrate keeps the money of an older release: nothing of it is refunded or disputed', () => {
  const db = new Database(path)
  for (const name of readdirSync(migrations).toSorted().slice(0, 2))
    db.exec(readFileSync(join(migrations, name), 'utf8'))
  db.pragma('user_version = 2')
  db.exec(`
    INSERT INTO payment VALUES (1, 'pay_1', 'manual', 'p', 'hold_1', 'ord_1', 100, 'usd', 'captured', NULL, 5);
    INSERT INTO orders VALUES ('ord_1', 'drop_1', 'hold_1', 'pay_1', 100, 'usd', 'paid', 5);
    INSERT INTO ledger_entry VALUES (1, 'pay_1', 'cash:manual', 'sales', 100, 'usd', 5)`)
  migrate(db)
  const money = db.prepare(`SELECT refunded, disputed, lost, attached_hold_id, cancelled_ms, fulfilled_ms, cause_id
    FROM payment JOIN orders ON orders.payment_id = payment.id JOIN ledger_entry ON ledger_entry.payment_id = payment.id`)
  expect(money.raw().all()).toEqual([[0, 0, 0, null, null, null, null]])
  expect(() => db.exec('UPDATE payment SET refunded = 60, disputed = 41')).toThrow(/CHECK constraint failed/)
  db.close()
})

it('migrate leaves no half of a migration that fails', () => {
  const db = new Database(path)
  // The first migration stumbles over it after it has made other tables.
  db.exec('CREATE TABLE request (id TEXT)')
  expect(() => migrate(db)).toThrow(/request already exists/)
  db.close()
  const again = new Database(path)
  expect(again.pragma('user_version', { simple: true })).toBe(0)
  expect(again.prepare('SELECT name FROM sqlite_schema').pluck().all()).toEqual(['request'])
  again.close()
})
