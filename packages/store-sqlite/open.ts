import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'
import { readerBusyMs, writerBusyMs } from '@penstock/domain/limits.ts'
import { checkSchema, migrate } from './migrate.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { MigrateOptions } from './migrate.ts'

/** The first release without the WAL-reset bug, which loses committed pages (sqlite.org/wal.html#walresetbug). */
const versionMin = [3, 51, 3] as const

/** PRAGMA synchronous: 2 is FULL, which flushes the WAL before COMMIT returns. */
const synchronousFull = 2

/** No writer has been here yet, or another data folder was meant. */
export class NoDatabaseError extends Error {
  readonly code = 'no_database'
  constructor(path: string) {
    super(`there is no database at ${path}; penstock start makes one`)
    this.name = 'NoDatabaseError'
  }
}

/**
 * The one read-write connection, migrated and ready. Throws when SQLite is too old, when `synchronous` does not read
 * back as FULL; SchemaError when the database cannot be brought to this release's schema.
 *
 * better-sqlite3 compiles SQLite to fall back to NORMAL in WAL mode, where a commit is not flushed, so FULL is set after
 * the journal mode and read back: without it an acknowledged payment could vanish in a power cut.
 */
export function openWriter(path: string, options: Pick<MigrateOptions, 'log'> = {}): Connection {
  const db = new Database(path, { timeout: writerBusyMs })
  try {
    assertVersion(db)
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    // macOS only: there a plain fsync leaves the data in the drive's cache.
    db.pragma('fullfsync = ON')
    db.pragma('checkpoint_fullfsync = ON')
    // Checkpoints run between commits, when we choose: see checkpoint.ts.
    db.pragma('wal_autocheckpoint = 0')
    // 16 MiB. Not more: a commit that split a page scans the whole table of cached pages (SQLite borrows the number of
    // page 262145 while it sorts siblings, and then looks for pages behind the end), which took 13% of the writer's
    // time at 128 MiB. What is not here is in the kernel's page cache.
    db.pragma('cache_size = -16384')
    db.pragma('temp_store = MEMORY')
    db.pragma('foreign_keys = OFF')
    const synchronous = db.pragma('synchronous', { simple: true })
    if (synchronous !== synchronousFull)
      throw new Error(`PRAGMA synchronous is ${String(synchronous)}, expected 2 (FULL)`)
    migrate(db, options)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** A connection that only moves the WAL into the database, beside the writer's. */
export function openCheckpointer(path: string): Connection {
  const db = new Database(path, { fileMustExist: true, timeout: writerBusyMs })
  db.pragma('synchronous = FULL')
  db.pragma('checkpoint_fullfsync = ON')
  db.pragma('wal_autocheckpoint = 0')
  return db
}

/** A read-only connection. The writer must have created (NoDatabaseError) and migrated the database (SchemaError). */
export function openReader(path: string): Connection {
  if (!existsSync(path)) throw new NoDatabaseError(path)
  const db = new Database(path, { readonly: true, fileMustExist: true, timeout: readerBusyMs })
  try {
    assertVersion(db)
    db.pragma('query_only = 1')
    checkSchema(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/** The SQLite that better-sqlite3 brings. */
export function readSqliteVersion(): string {
  const db = new Database(':memory:')
  try {
    return versionOf(db)
  } finally {
    db.close()
  }
}

function versionOf(db: Connection): string {
  return String(db.prepare('SELECT sqlite_version()').pluck().get())
}

function assertVersion(db: Connection): void {
  const version = versionOf(db)
  const parts = version.split('.').map(Number)
  const difference = versionMin.map((min, index) => (parts[index] ?? 0) - min).find((delta) => delta !== 0) ?? 0
  if (difference < 0) throw new Error(`SQLite ${version} is too old: ${versionMin.join('.')} or newer is needed`)
}
