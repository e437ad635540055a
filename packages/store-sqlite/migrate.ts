import { readdirSync, readFileSync } from 'node:fs'
import type { Database as Connection } from 'better-sqlite3'

/**
 * Migrations are the numbered files of `migrations/`, forward only. The number of the last one applied is SQLite's
 * `user_version`. Each runs in its own transaction together with its number, so a crash leaves no half.
 */
const folder = new URL('./migrations/', import.meta.url)

interface Migration {
  readonly version: number
  readonly name: string
}

function listMigrations(): Migration[] {
  const names = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .toSorted()
  return names.map((name, index) => {
    const version = Number.parseInt(name, 10)
    if (version !== index + 1) throw new Error(`migration ${name} should have number ${index + 1}`)
    return { version, name }
  })
}

/** The schema version this build reads and writes. */
export const schemaVersion = listMigrations().length

/** Brings the database up to `schemaVersion`. Refuses one of a newer release. */
export function migrate(db: Connection): void {
  const version = readVersion(db)
  if (version > schemaVersion) throw new Error(mismatch(version))
  for (const migration of listMigrations().slice(version)) {
    const sql = readFileSync(new URL(migration.name, folder), 'utf8')
    db.exec(`BEGIN IMMEDIATE;\n${sql}\nPRAGMA user_version = ${migration.version};\nCOMMIT;`)
  }
}

/** Refuses a database of any other version than this build's. */
export function checkSchema(db: Connection): void {
  const version = readVersion(db)
  if (version !== schemaVersion) throw new Error(mismatch(version))
}

/** Of the open database; 0 when nothing was made in it yet. */
export function readVersion(db: Connection): number {
  return Number(db.pragma('user_version', { simple: true }))
}

function mismatch(version: number): string {
  const advice =
    version < schemaVersion ? 'stop the box and run penstock migrate' : 'run all processes of the newer release'
  return `the database has schema version ${version}, this release has ${schemaVersion}: ${advice}`
}
