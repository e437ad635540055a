import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'

/** A command as the first release took it, and what it answered. Later releases may know more fields of both. */
export interface Answered {
  readonly nowMs: number
  readonly command: Command
  readonly result: Result | undefined
}

const folder = new URL('../../store-sqlite/fixtures/', import.meta.url)

/** Makes the database of the first released schema, with a sale in it, at `path`. */
export function makeFirstDatabase(path: string): void {
  const db = new Database(path)
  try {
    db.pragma('journal_mode = WAL')
    db.exec(readFileSync(new URL('0001-with-data.sql', folder), 'utf8'))
  } finally {
    db.close()
  }
}

/** What was asked and answered while that sale ran, in order. */
export function firstAnswers(): readonly Answered[] {
  const lines = readFileSync(new URL('0001-answers.ndjson', folder), 'utf8').trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Answered)
}
