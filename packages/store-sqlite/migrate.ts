import { hash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { buyerUnitsId } from '@penstock/domain/customer.ts'
import { addHash53 } from './hash53.ts'
import type { Database as Connection } from 'better-sqlite3'

/** One numbered file of `migrations/`: forward only, and never changed once it is released. */
export interface Migration {
  readonly version: number
  /** `0002-hold-due.sql` */
  readonly name: string
  readonly sql: string
  /** SHA-256 of the text, hexadecimal. Line ends count as `\n`, so that a checkout may convert them. */
  readonly checksum: string
}

export interface MigrateOptions {
  /** Progress, one line each: a migration of a large database may take minutes. */
  readonly log?: (line: string) => void
  readonly migrations?: readonly Migration[]
}

/** What a database says about one migration that was applied to it. */
interface Applied {
  readonly name: string
  readonly checksum: string
  /** Which release applied it. */
  readonly release: string
}

/** All packages of a release have one version. */
const { version: release } = JSON.parse(readFileSync(new URL('./package.json', import.meta.url), 'utf8')) as {
  version: string
}

/**
 * Which migrations were applied, with which text, by which release. Made by this file, not by a migration: the first
 * released schema does not have it.
 */
const journalSql = `CREATE TABLE IF NOT EXISTS schema_migration (
  version INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL, release TEXT NOT NULL) STRICT`

/** The schema that did not keep a journal, and the release that has it. */
const withoutJournal = { version: 1, release: '0.1.0' } as const

/**
 * This release cannot use the database as it is, and starting again does not help: another schema, another text of a
 * migration, or a migration that failed. The message says what to do.
 */
export class SchemaError extends Error {
  readonly code = 'schema_mismatch'
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'SchemaError'
  }
}

/** Reads the migrations of a folder. Refuses a name out of shape, a gap and two files of one number. */
export function readMigrations(folder: URL): readonly Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
  return names.map((name, index) => {
    const number = String(index + 1).padStart(4, '0')
    if (!/^\d{4}-[a-z0-9-]+\.sql$/.test(name) || !name.startsWith(number)) {
      throw new Error(`migration ${name} should be named ${number}-what-it-does.sql: numbers have no gaps`)
    }
    const sql = readFileSync(new URL(name, folder), 'utf8').replaceAll('\r\n', '\n')
    return { version: index + 1, name, sql, checksum: hash('sha256', sql) }
  })
}

export const releasedMigrations = readMigrations(new URL('./migrations/', import.meta.url))

/** The schema version this build reads and writes. */
export const schemaVersion = releasedMigrations.length

/**
 * Brings the database up to the last migration; the writer's part. Each runs in a transaction of its own, together with
 * its number (SQLite's `user_version`) and the checksum of its text, so that a crash leaves all of it or nothing.
 * Foreign keys must be off: a rebuilt table is dropped for a moment.
 *
 * Throws SchemaError: before anything is written, for a database of a newer release and for one that was made with
 * another text of a migration; and for a migration that failed, which is undone, while those before it stay.
 */
export function migrate(
  db: Connection,
  { log = () => {}, migrations = releasedMigrations }: MigrateOptions = {},
): void {
  const from = readVersion(db)
  if (from > migrations.length) throw new SchemaError(explainNewer(db, from, migrations.length))
  checkTexts(db, from, migrations)
  const pending = migrations.slice(from)
  if (pending.length === 0) return
  addFunctions(db)
  const isNew = from === 0
  const say = isNew ? () => {} : log
  say(
    `migrating the database from schema ${from} to ${migrations.length} for release ${release}; ` +
      'the only way back to the older release is a backup made before',
  )
  for (const [index, migration] of pending.entries()) {
    say(`migration ${index + 1} of ${pending.length}: ${migration.name} ...`)
    apply(db, migration, migrations, isNew)
  }
  // A rebuilt table went through the WAL as a whole. Nobody reads yet.
  db.pragma('wal_checkpoint(TRUNCATE)')
  say(`migrated: the database has schema ${migrations.length}`)
}

/** Throws SchemaError for a database of any other schema than this build's, older or newer: the part of readers. */
export function checkSchema(db: Connection, migrations: readonly Migration[] = releasedMigrations): void {
  const version = readVersion(db)
  if (version > migrations.length) throw new SchemaError(explainNewer(db, version, migrations.length))
  if (version < migrations.length) throw new SchemaError(explainOlder(db, version, migrations.length))
  checkTexts(db, version, migrations)
}

function apply(db: Connection, migration: Migration, migrations: readonly Migration[], isNew: boolean): void {
  const { version, name, sql, checksum } = migration
  try {
    db.exec('BEGIN IMMEDIATE')
    db.exec(sql)
    if (!db.inTransaction) throw new Error('it ended its transaction')
    // Reads all of the database, so only after a migration that moved rows from one table to another.
    if (!isNew && /\bDROP\s+TABLE\b/i.test(sql)) checkRebuilt(db)
    db.exec(journalSql)
    const record = db.prepare('INSERT INTO schema_migration (version, name, checksum, release) VALUES (?, ?, ?, ?)')
    const [first] = migrations
    if (version === withoutJournal.version + 1 && first !== undefined && readJournal(db).size === 0) {
      record.run(first.version, first.name, first.checksum, withoutJournal.release)
    }
    record.run(version, name, checksum, release)
    db.pragma(`user_version = ${version}`)
    db.exec('COMMIT')
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK')
    const reason = error instanceof Error ? error.message : String(error)
    throw new SchemaError(`migration ${name} failed and was undone: ${reason}`, error)
  }
}

function checkRebuilt(db: Connection): void {
  const orphans = db.pragma('foreign_key_check') as readonly { table: string; rowid: number; parent: string }[]
  const [orphan] = orphans
  if (orphan !== undefined)
    throw new Error(`${orphans.length} rows of ${orphan.table} point to no row of ${orphan.parent}`)
  const found = String(db.pragma('integrity_check(1)', { simple: true }))
  if (found !== 'ok') throw new Error(`the integrity check found: ${found}`)
}

const restore = 'put back a backup'

/** Every migration that was applied has the text it had then. */
function checkTexts(db: Connection, version: number, migrations: readonly Migration[]): void {
  if (version <= withoutJournal.version && !hasJournal(db)) return
  if (!hasJournal(db)) throw new SchemaError(`the database has lost the record of its migrations: ${restore}`)
  const journal = readJournal(db)
  for (const { version: number, name, checksum } of migrations.slice(0, version)) {
    const applied = journal.get(number)
    if (applied === undefined)
      throw new SchemaError(`the database has no record of its migration ${number}: ${restore}`)
    if (applied.checksum === checksum) continue
    throw new SchemaError(
      `migration ${name} is not what was applied to this database: that was ${applied.name} of release ` +
        `${applied.release} (SHA-256 ${applied.checksum.slice(0, 12)}, here ${checksum.slice(0, 12)}). Released migrations ` +
        `never change: run release ${applied.release}, or put its file back`,
    )
  }
}

function explainNewer(db: Connection, version: number, known: number): string {
  const maker = hasJournal(db) ? readJournal(db).get(version)?.release : undefined
  const needed = maker === undefined ? 'the newer release that made it' : `release ${maker} or newer`
  return (
    `the database has schema version ${version}, this release ${release} knows ${known}: run ${needed}, ` +
    `or put back the backup that was made before the upgrade`
  )
}

function explainOlder(db: Connection, version: number, known: number): string {
  const maker = hasJournal(db) ? readJournal(db).get(version)?.release : undefined
  const or = maker === undefined || maker === release ? '' : `; or run release ${maker}`
  return (
    `the database has schema version ${version}, this release ${release} needs ${known}: back up the data folder, ` +
    `then start the writer of this release (penstock start, or penstock migrate), which migrates it${or}`
  )
}

/** What migrations need beyond SQL. */
function addFunctions(db: Connection): void {
  // 0012: a deferred index, filled.
  addHash53(db)
  // 0006: `drop_... email:ann@example.com` to the id without the address.
  db.function('buyer_units_id', { deterministic: true }, (id) => {
    const [dropId = '', ...key] = String(id).split(' ')
    return buyerUnitsId(dropId, key.join(' '))
  })
}

/** Of the open database; 0 when nothing was made in it yet. */
export function readVersion(db: Connection): number {
  return Number(db.pragma('user_version', { simple: true }))
}

function hasJournal(db: Connection): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'schema_migration'").get() !== undefined
}

function readJournal(db: Connection): ReadonlyMap<number, Applied> {
  const rows = db
    .prepare<[], Applied & { readonly version: number }>(
      'SELECT version, name, checksum, release FROM schema_migration',
    )
    .all()
  return new Map(rows.map((row) => [row.version, row]))
}
