import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { migrate, schemaVersion } from './migrate.ts'
import { openReader, openWriter } from './open.ts'
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
