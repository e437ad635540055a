import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openReader, openWriter } from './open.ts'

let folder = ''
let path = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-open-'))
  path = join(folder, 'penstock.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

it('openWriter flushes every commit: synchronous reads back 2, in WAL mode, without automatic checkpoints', () => {
  const db = openWriter(path)
  const pragmas = ['synchronous', 'journal_mode', 'wal_autocheckpoint'].map((name) => db.pragma(name, { simple: true }))
  db.close()
  expect(pragmas).toEqual([2, 'wal', 0])
})

it('openReader sees a commit as soon as it is made, and nothing before', () => {
  const writer = openWriter(path)
  const reader = openReader(path)
  const readSeq = reader.prepare<[], number>('SELECT seq FROM writer_state').pluck()
  writer.exec('BEGIN IMMEDIATE; UPDATE writer_state SET seq = 7')
  expect(readSeq.get()).toBe(0)
  writer.exec('COMMIT')
  expect(readSeq.get()).toBe(7)
  reader.close()
  writer.close()
})

it.each([
  'UPDATE writer_state SET seq = 1',
  'DELETE FROM writer_state',
  'CREATE TABLE more (id INTEGER)',
  'PRAGMA user_version = 9',
])('openReader cannot write: %s', (sql) => {
  const writer = openWriter(path)
  const reader = openReader(path)
  expect(reader.readonly).toBe(true)
  expect(() => reader.exec(sql)).toThrow(/readonly|read-only|query_only/i)
  reader.close()
  writer.close()
})

it('openReader refuses a path without a database, and makes none', () => {
  expect(() => openReader(path)).toThrow(/there is no database at .*penstock\.db/)
  expect(() => openReader(path)).toThrow(/there is no database/)
})
