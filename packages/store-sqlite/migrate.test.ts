import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrate, schemaVersion } from './migrate.ts'
import { openReader, openWriter } from './open.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { SqliteStore } from './sqlite-store.ts'

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

it('migrate takes a database of the first release, whose bootstrap keys the next start puts in again', () => {
  const db = new Database(path)
  const sql = readFileSync(new URL('migrations/0001-init.sql', import.meta.url), 'utf8')
  db.exec(`BEGIN; ${sql}; PRAGMA user_version = 1; COMMIT`)
  db.exec("INSERT INTO api_key (secret_hash, id, kind, created_ms) VALUES ('aa', 'key_a', 'secret', 1)")
  db.close()
  const store = new SqliteStore(path)
  store.replaceBootstrapKeys([{ id: 'key_a', kind: 'secret', secretHash: 'aa', hint: 'sk_test_…0000' }], 2)
  store.close()
  const queries = new SqliteQueries(path)
  expect(queries.findCredential('aa')).toEqual({ id: 'key_a', kind: 'secret', scopes: ['*'], expiresMs: null })
  queries.close()
})
