import { hash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkSchema, migrate, readMigrations, releasedMigrations, SchemaError, schemaVersion } from './migrate.ts'
import { openReader, openWriter } from './open.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { Migration } from './migrate.ts'

let folder = ''
let path = ''
const open: Connection[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-migrate-'))
  path = join(folder, 'penstock.db')
})
afterEach(() => {
  for (const db of open.splice(0)) db.close()
  rmSync(folder, { recursive: true })
})

function openRaw(): Connection {
  const db = new Database(path)
  db.pragma('foreign_keys = OFF')
  open.push(db)
  return db
}

function migration(version: number, sql: string): Migration {
  return { version, name: `${String(version).padStart(4, '0')}-test.sql`, sql, checksum: hash('sha256', sql) }
}

const parents = 'CREATE TABLE parent (id INTEGER PRIMARY KEY) STRICT; INSERT INTO parent VALUES (1);'
const children =
  'CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id)) STRICT; INSERT INTO child VALUES (7, 1);'
const first = migration(1, parents)
const second = migration(2, children)

const version = (db: Connection): unknown => db.pragma('user_version', { simple: true })
const tables = (db: Connection): unknown[] =>
  db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").pluck().all()
const journal = (db: Connection): unknown[] =>
  db.prepare("SELECT version || ' ' || name || ' ' || substr(checksum, 1, 6) FROM schema_migration").pluck().all()

/** Makes a database of this release, then says it is of version `number`. */
function makeDatabase(number: number): void {
  const db = openWriter(path)
  db.pragma(`user_version = ${number}`)
  db.close()
}

it('releasedMigrations: what is released never changes', () => {
  const released = { '0001-init.sql': '061bbe4867be185fabf482cc55ac56418d7113813a0127c6692dc757744b3c0d' }
  const found = releasedMigrations.map(({ name, checksum }) => [name, checksum])
  expect(Object.fromEntries(found)).toMatchObject(released)
})

it('migrate brings an empty database to this version without a word, and a second run changes nothing', () => {
  const db = openRaw()
  const lines: string[] = []
  migrate(db, { log: (line) => lines.push(line) })
  expect(version(db)).toBe(schemaVersion)
  expect(journal(db)).toEqual(
    releasedMigrations.map((each) => `${each.version} ${each.name} ${each.checksum.slice(0, 6)}`),
  )
  const before = db.serialize()
  migrate(db)
  expect(db.serialize().equals(before)).toBe(true)
  expect(lines).toEqual([])
})

it('migrate says what it does to a database with data, one line each, and that only a backup leads back', () => {
  const db = openRaw()
  migrate(db, { migrations: [first] })
  const lines: string[] = []
  const third = migration(3, 'CREATE TABLE more (id INTEGER)')
  migrate(db, { migrations: [first, second, third], log: (line) => lines.push(line) })
  expect(lines).toEqual([
    expect.stringMatching(/^migrating the database from schema 1 to 3 for release .*backup made before$/),
    'migration 1 of 2: 0002-test.sql ...',
    'migration 2 of 2: 0003-test.sql ...',
    'migrated: the database has schema 3',
  ])
})

it('migrate adopts a database of the first schema, which kept no journal', () => {
  const db = openRaw()
  db.exec(parents)
  db.pragma('user_version = 1')
  migrate(db, { migrations: [first, second] })
  expect(db.prepare('SELECT version, name, checksum, release FROM schema_migration').raw().all()).toEqual([
    [1, '0001-test.sql', first.checksum, '0.1.0'],
    [2, '0002-test.sql', second.checksum, expect.stringMatching(/^\d+\.\d+\.\d+/)],
  ])
})

it.each<[string, () => unknown]>([
  ['openWriter', () => openWriter(path)],
  ['SqliteStore', () => new SqliteStore(path)],
  ['openReader', () => openReader(path)],
])('%s refuses a database of a newer release, says which one it needs, and leaves it untouched', (_, attempt) => {
  const db = openWriter(path)
  db.exec(`INSERT INTO schema_migration VALUES (${schemaVersion + 1}, 'x', 'y', '9.8.7')`)
  db.pragma(`user_version = ${schemaVersion + 1}`)
  db.close()
  const before = readFileSync(path)
  expect(attempt).toThrow(SchemaError)
  expect(attempt).toThrow(
    new RegExp(
      `schema version ${schemaVersion + 1}, .* knows ${schemaVersion}: run release 9.8.7 or newer, or put back`,
    ),
  )
  expect(readFileSync(path).equals(before)).toBe(true)
})

it('openReader refuses a database of an older release: the writer migrates, after a backup', () => {
  makeDatabase(schemaVersion - 1)
  expect(() => openReader(path)).toThrow(
    new RegExp(`schema version ${schemaVersion - 1}, .* needs ${schemaVersion}: back up the data folder, then start`),
  )
})

it('migrate and checkSchema refuse, by name, a released migration with another text, and write nothing', () => {
  const db = openRaw()
  migrate(db, { migrations: [first, second] })
  const before = db.serialize()
  const changed = [first, migration(2, `${children} -- better`), migration(3, 'CREATE TABLE more (id INTEGER)')]
  expect(() => migrate(db, { migrations: changed })).toThrow(/^migration 0002-test.sql is not what was applied/)
  expect(() => checkSchema(db, changed.slice(0, 2))).toThrow(/^migration 0002-test.sql is not what was applied/)
  expect(() => checkSchema(db, [first, second])).not.toThrow()
  expect(db.serialize().equals(before)).toBe(true)
})

it.each([
  ['without its journal', 'DROP TABLE schema_migration'],
  ['without a line of its journal', 'DELETE FROM schema_migration WHERE version = 2'],
])('migrate refuses a database %s', (_, sql) => {
  const db = openRaw()
  migrate(db, { migrations: [first, second] })
  db.exec(sql)
  expect(() => migrate(db, { migrations: [first, second] })).toThrow(/record of its migration.*backup/)
  expect(() => checkSchema(db, [first, second])).toThrow(/record of its migration/)
})

it.each<[string, string, RegExp]>([
  ['that fails half way', 'CREATE TABLE more (id INTEGER); CREATE TABLE parent (id INTEGER);', /parent already exists/],
  [
    'that rebuilds a table and loses rows others point to',
    'CREATE TABLE new_parent (id INTEGER PRIMARY KEY) STRICT; DROP TABLE parent; ALTER TABLE new_parent RENAME TO parent;',
    /1 rows of child point to no row of parent/,
  ],
  [
    'that leaves rows which break a check',
    `PRAGMA ignore_check_constraints = ON; CREATE TABLE new_child (id INTEGER PRIMARY KEY, parent_id INTEGER CHECK (id < 5));
     INSERT INTO new_child SELECT * FROM child; DROP TABLE child; ALTER TABLE new_child RENAME TO child;
     PRAGMA ignore_check_constraints = OFF;`,
    /integrity check found: CHECK constraint failed in child/,
  ],
])('migrate leaves nothing of a migration %s, and keeps those before it', (_, sql, reason) => {
  const db = openRaw()
  const broken = migration(3, sql)
  migrate(db, { migrations: [first] })
  expect(() => migrate(db, { migrations: [first, second, broken] })).toThrow(reason)
  expect(() => migrate(db, { migrations: [first, second, broken] })).toThrow(
    /^migration 0003-test.sql failed and was undone/,
  )
  expect(version(db)).toBe(2)
  expect(tables(db)).toEqual(['child', 'parent', 'schema_migration'])
  expect(journal(db)).toHaveLength(2)
  expect(db.prepare('SELECT * FROM child').raw().all()).toEqual([[7, 1]])
})

it('migrate refuses a migration that ends its own transaction', () => {
  const db = openRaw()
  expect(() => migrate(db, { migrations: [migration(1, 'COMMIT;')] })).toThrow(/ended its transaction/)
})

it('migrate leaves no half of the first migration either', () => {
  const db = openRaw()
  // The first migration stumbles over it after it has made other tables.
  db.exec('CREATE TABLE request (id TEXT)')
  expect(() => migrate(db)).toThrow(/request already exists/)
  expect(version(db)).toBe(0)
  expect(tables(db)).toEqual(['request'])
})

it.each([
  ['a gap', ['0001-a.sql', '0003-b.sql'], '0003-b.sql should be named 0002-'],
  ['two of one number', ['0001-a.sql', '0002-b.sql', '0002-c.sql'], '0002-c.sql should be named 0003-'],
  ['a start above 1', ['0002-a.sql'], '0002-a.sql should be named 0001-'],
  ['a name out of shape', ['1-a.sql'], '1-a.sql should be named 0001-'],
])('readMigrations refuses %s', (_, names, message) => {
  const own = join(folder, 'migrations')
  mkdirSync(own)
  for (const name of names) writeFileSync(join(own, name), 'SELECT 1')
  expect(() => readMigrations(pathToFileURL(`${own}/`))).toThrow(message)
})

it('readMigrations takes line ends as they come', () => {
  const checksums = ['a;\nb;\n', 'a;\r\nb;\r\n'].map((text, index) => {
    const own = join(folder, String(index))
    mkdirSync(own)
    writeFileSync(join(own, '0001-a.sql'), text)
    return readMigrations(pathToFileURL(`${own}/`))[0]?.checksum
  })
  expect(checksums[0]).toBe(checksums[1])
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
