/**
 * Writes `packages/store-sqlite/fixtures/0001-with-data.sql`, a database of the first released schema with a sale in it,
 * and `0001-answers.ndjson`, what was asked and answered while it was made. Run it with the release that has that schema:
 *
 *   node packages/testing/upgrade/make-fixture.ts
 *
 * Never run it to make a failing upgrade test pass: a released database does not change. The same bytes every time.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DeferredIndex } from '@penstock/store-sqlite/deferred-index.ts'
import { schemaVersion } from '@penstock/store-sqlite/migrate.ts'
import { openReader, openWriter } from '@penstock/store-sqlite/open.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { run } from '../model/run-sale.ts'
import { firstMs, firstSale } from './first-sale.ts'
import type { Answered } from './first-fixture.ts'
import type { Moment } from './first-sale.ts'

if (schemaVersion !== 1) {
  throw new Error(`this release has schema ${schemaVersion}: the fixture comes from the release with schema 1`)
}

const folder = mkdtempSync(join(tmpdir(), 'penstock-fixture-'))
const path = join(folder, 'penstock.db')

function sell(moments: readonly Moment[]): Answered[] {
  const store = new SqliteStore(path)
  const answered = moments.flatMap(({ nowMs, commands }) => {
    const results = run(store, commands, nowMs)
    return commands.map((command, index) => ({ nowMs, command, result: results[index] }))
  })
  store.close()
  return answered
}

/**
 * What the writer does once more keys than it keeps in memory have come, with a smaller memory: all keys so far move
 * into the index, or the first few do and the round stays unfinished.
 */
function moveKeys(newKeys: number): void {
  const db = openWriter(path)
  for (const table of [
    { name: 'payment', key: "provider || '/' || provider_payment_id" },
    { name: 'request', key: 'id' },
  ]) {
    const index = new DeferredIndex(db, table, 0)
    db.exec('BEGIN IMMEDIATE')
    index.merge(newKeys)
    db.exec('COMMIT')
  }
  db.close()
}

function dump(): string {
  const db = openReader(path)
  const objects = db
    .prepare<[], { type: string; name: string; sql: string | null }>(
      'SELECT type, name, sql FROM sqlite_schema ORDER BY rowid',
    )
    .all()
  const lines = objects.flatMap(({ type, name, sql }) => {
    if (sql === null) return []
    if (type !== 'table') return [`${sql};`]
    const columns = db.prepare<[], string>(`SELECT name FROM pragma_table_info('${name}')`).pluck().all()
    const values = columns.map((column) => `quote(${column})`).join(` || ', ' || `)
    const rows = db.prepare<[], string>(`SELECT ${values} FROM ${name} ORDER BY ${columns[0]}`).pluck().all()
    return [
      `${sql};`,
      ...rows.map((row) => `INSERT INTO ${name} VALUES (${row.replaceAll('\n', "' || char(10) || '")});`),
    ]
  })
  const version = Number(db.pragma('user_version', { simple: true }))
  db.close()
  return ['BEGIN;', ...lines, `PRAGMA user_version = ${version};`, 'COMMIT;', ''].join('\n')
}

/** The columns of the first schema: later releases put more in. */
function addBootstrapKeys(): void {
  new SqliteStore(path).close()
  const db = openWriter(path)
  const insert = db.prepare('INSERT INTO api_key (secret_hash, id, kind, created_ms) VALUES (?, ?, ?, ?)')
  insert.run('a'.repeat(64), 'key_secret', 'secret', firstMs)
  insert.run('b'.repeat(64), 'key_publishable', 'publishable', firstMs)
  db.close()
}

addBootstrapKeys()
const answers = [...sell(firstSale.slice(0, 5))]
moveKeys(1_000)
answers.push(...sell(firstSale.slice(5, 6)))
moveKeys(1)
answers.push(...sell(firstSale.slice(6)))

const target = new URL('../../store-sqlite/fixtures/', import.meta.url)
writeFileSync(new URL('0001-with-data.sql', target), dump())
writeFileSync(new URL('0001-answers.ndjson', target), answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''))
rmSync(folder, { recursive: true })
