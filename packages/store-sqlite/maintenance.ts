import { existsSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { auditChecks, runAudit } from './audit.ts'
import { acquireWriterLock, isLocked } from './lock.ts'
import { readVersion, schemaVersion } from './migrate.ts'
import { NoDatabaseError, openWriter } from './open.ts'
import type { Maintenance } from '@penstock/store/maintenance.ts'

/** `Maintenance` of a folder with `penstock.db` and `writer.lock`. */
export const sqliteMaintenance: Maintenance = {
  engine: readEngine(),
  schemaVersion,
  auditChecks,
  readSchemaVersion: (dataFolder) => {
    const path = databaseIn(dataFolder)
    return existsSync(path) ? readSchemaVersion(path) : null
  },
  isCourierRunning: (dataFolder) => isLocked(join(dataFolder, 'courier.lock')),
  audit: (dataFolder, options) => runAudit(databaseIn(dataFolder), options),
  migrate: (dataFolder, { log }) => {
    const path = databaseIn(dataFolder)
    if (!existsSync(path)) throw new NoDatabaseError(path)
    const lock = acquireWriterLock(join(dataFolder, 'writer.lock'))
    try {
      const from = readSchemaVersion(path)
      openWriter(path, { log }).close()
      return { from, to: schemaVersion }
    } finally {
      lock.release()
    }
  },
}

function databaseIn(dataFolder: string): string {
  return join(dataFolder, 'penstock.db')
}

function readSchemaVersion(path: string): number {
  const db = new Database(path, { readonly: true, fileMustExist: true })
  try {
    return readVersion(db)
  } finally {
    db.close()
  }
}

function readEngine(): string {
  const db = new Database(':memory:')
  try {
    return `SQLite ${String(db.prepare('SELECT sqlite_version()').pluck().get())}`
  } finally {
    db.close()
  }
}
