import { existsSync } from 'node:fs'
import Database from 'better-sqlite3'

/** Held by the one writer of a data folder; the kernel frees it when the process dies, however it dies. */
export interface WriterLock {
  release(): void
}

/** Somebody else is the writer of this data folder. */
export class WriterLockedError extends Error {
  readonly code = 'writer_locked'
  constructor(path: string, cause: unknown) {
    super(`another writer runs on this data folder (it holds ${path})`, { cause })
    this.name = 'WriterLockedError'
  }
}

/**
 * Node has no flock, but SQLite has: an otherwise empty database kept in EXCLUSIVE locking mode. Throws
 * WriterLockedError at once when it is taken. The lock keeps writers apart in time; the epoch in the main database
 * (`SqliteStore`) keeps out one that was paused, replaced and then woke up.
 */
export function acquireWriterLock(path: string): WriterLock {
  const db = new Database(path, { timeout: 0 })
  try {
    db.pragma('locking_mode = EXCLUSIVE')
    db.exec('BEGIN EXCLUSIVE; CREATE TABLE IF NOT EXISTS lock (pid INTEGER); COMMIT')
  } catch (error) {
    db.close()
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY') throw new WriterLockedError(path, error)
    throw error
  }
  return { release: () => void db.close() }
}

/** Whether somebody holds the lock now. Takes nothing: whoever wants the lock meanwhile may have to try again. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false
  const db = new Database(path, { readonly: true, timeout: 0 })
  try {
    db.pragma('schema_version')
    return false
  } catch (error) {
    if (error instanceof Database.SqliteError && error.code === 'SQLITE_BUSY') return true
    throw error
  } finally {
    db.close()
  }
}
