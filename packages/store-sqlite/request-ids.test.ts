import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { requestRetentionMs } from '@penstock/domain/limits.ts'
import { openReader } from './open.ts'
import { RequestIds } from './request-ids.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { RequestRecord } from '@penstock/domain/working-set.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { RequestIdsOptions } from './request-ids.ts'

const startMs = 1_700_000_000_000

let folder = ''
let path = ''
let store: SqliteStore
let reader: Connection

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-request-ids-'))
  path = join(folder, 'penstock.db')
  store = new SqliteStore(path)
  reader = openReader(path)
})
afterEach(() => {
  reader.close()
  store.close()
  rmSync(folder, { recursive: true })
})

const open = (options?: RequestIdsOptions): RequestIds => new RequestIds(reader, options)

function request(id: string, createdMs: number): RequestRecord {
  return { id, fingerprint: 'f', createdMs, lasting: false, answer: { kind: 'hold', holdId: `hold of ${id}` } }
}

/** Commits one request with each id. */
function commit(nowMs: number, ...ids: readonly string[]): void {
  store.transact(nowMs, ({ requests }) => {
    for (const id of ids) requests.insert(id, request(id, nowMs))
  })
}

const numbered = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => `k${from + at}`)

it('knows what was committed before it was asked, and nothing else', () => {
  commit(startMs, 'before')
  const ids = open()
  expect(ids.mayHave('before')).toBe(true)
  expect(ids.mayHave('after')).toBe(false)
  commit(startMs + 1, 'after', 'too')
  expect(['before', 'after', 'too', 'never'].map((id) => ids.mayHave(id))).toEqual([true, true, true, false])
})

it('has nothing in an empty database', () => {
  expect(open().mayHave('any')).toBe(false)
})

it('does not know what is not committed', () => {
  const ids = open()
  const asked = store.transact(startMs, ({ requests }) => {
    requests.insert('open', request('open', startMs))
    return ids.mayHave('open')
  })
  expect(asked.value).toBe(false)
  expect(ids.mayHave('open')).toBe(true)
})

it('says maybe until it has read everything, a bounded number of rows a question', () => {
  commit(startMs, ...numbered(0, 10))
  const ids = open({ rowsPerLook: 4 })
  expect([1, 2, 3, 4].map(() => ids.mayHave('never'))).toEqual([true, true, false, false])
  commit(startMs, ...numbered(10, 4))
  expect([1, 2].map(() => ids.mayHave('never'))).toEqual([true, false])
  for (const id of numbered(0, 14)) expect(ids.mayHave(id)).toBe(true)
})

it('begins with the oldest request that has to be kept', () => {
  for (let day = 0; day < 7; day++) commit(startMs + day * 1_000, `day ${day}`, `eve ${day}`)
  const ids = open({ keepMs: 2_000, rowsPerLook: 7 })
  // Days 4, 5 and 6: six rows, fewer than one look has. Not one more would do.
  expect(ids.mayHave('never')).toBe(false)
  expect([3, 4, 5, 6].map((day) => ids.mayHave(`day ${day}`))).toEqual([false, true, true, true])
  const tooFew = open({ keepMs: 2_000, rowsPerLook: 6 })
  expect(tooFew.mayHave('never')).toBe(true)
})

it('finds its beginning between rows that were forgotten', () => {
  commit(startMs, ...numbered(0, 20))
  commit(startMs + requestRetentionMs, ...numbered(20, 20))
  commit(startMs + requestRetentionMs + 1, 'last')
  for (let tick = 0; tick < 20; tick++) store.maintain(true)
  expect(reader.prepare('SELECT count(*) FROM request').pluck().get()).toBe(21)
  const ids = open({ rowsPerLook: 22 })
  expect(ids.mayHave('k0')).toBe(false)
  expect([...numbered(20, 20), 'last'].every((id) => ids.mayHave(id))).toBe(true)
})

it('makes room when it is full, and reads everything again', () => {
  const count = 700_000
  // The smallest set is too full with a quarter of its 2,097,152 places taken.
  const ids = open({ idsAtFirst: 1, rowsPerLook: count - 1 })
  expect(ids.mayHave('never there')).toBe(false)
  const writer = new Database(path)
  writer.exec(`INSERT INTO request (seq, id, fingerprint, answer_kind, answer, created_ms, lasting)
    WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n WHERE seq < ${count})
    SELECT seq, 'k' || seq, 'f', 'hold', 'h', ${startMs}, 0 FROM n`)
  writer.close()
  expect([1, 2, 3].map(() => ids.mayHave('never there'))).toEqual([true, true, false])
  for (let seq = 1; seq <= count; seq += 997) expect(ids.mayHave(`k${seq}`)).toBe(true)
  // One that is opened now knows from the start how much room it needs: it reads them once.
  const later = open({ idsAtFirst: 1, rowsPerLook: count - 1 })
  expect([1, 2].map(() => later.mayHave('never there'))).toEqual([true, false])
})
