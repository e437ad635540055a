import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { appendedBytes, WalWatch } from './wal.ts'

test('appendedBytes counts a log that started anew from its beginning', () => {
  const before = { pageBytes: 4_096, frames: 100, salt: 1 }
  expect(appendedBytes(before, { ...before, frames: 110 })).toBe(10 * 4_120)
  expect(appendedBytes(before, { ...before, frames: 110, salt: 2 })).toBe(110 * 4_120)
})

test('WalWatch sees what a real database appends', () => {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-wal-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'x.db')
  const db = new Database(path)
  onTestFinished(() => void db.close())
  db.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (a)')
  const watch = new WalWatch(path)
  for (let row = 0; row < 5; row++) db.exec('INSERT INTO t VALUES (1)')
  // One page of the table each.
  expect(watch.stop()).toBe(5 * 4_120)
})
