import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { migrate, releasedMigrations } from './migrate.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Database as Connection } from 'better-sqlite3'

/** Vitest's `onTestFinished`: only tests may import it. */
type AtEnd = (work: () => void) => void

/** The path of a database of an older schema, with the rows that `fill` puts there; gone when the test ends. */
export function olderDatabase(atEnd: AtEnd, schema: number, fill: (db: Connection) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-older-'))
  atEnd(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'penstock.db')
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  migrate(db, { migrations: releasedMigrations.slice(0, schema) })
  db.transaction(() => fill(db))()
  db.close()
  return path
}

/** Migrates it, and is closed when the test ends. */
export function openUpgraded(atEnd: AtEnd, path: string): SqliteStore {
  const store = new SqliteStore(path)
  atEnd(() => store.close())
  return store
}

/** Rows as lists of columns, read by nobody's connection but its own. */
export function readRows(path: string, sql: string): unknown[] {
  const db = new Database(path, { readonly: true })
  try {
    return db.prepare(sql).raw().all()
  } finally {
    db.close()
  }
}
