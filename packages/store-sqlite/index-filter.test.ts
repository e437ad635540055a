import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { hash53 } from './hash53.ts'
import { IndexFilter } from './index-filter.ts'
import { openWriter } from './open.ts'
import type { Database } from 'better-sqlite3'

let folder = ''
let db: Database

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-filter-'))
  db = openWriter(join(folder, 'penstock.db'))
})

afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

const hashes = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, at) => hash53(`key ${from + at}`))

/** One transaction as the deferred index makes it. `filter`: those that follow the index. */
function insert(list: readonly number[], filters: readonly IndexFilter[] = []): void {
  const row = db.prepare('INSERT INTO payment_index (hash, seq) VALUES (?, 1)')
  db.exec('BEGIN IMMEDIATE')
  for (const hash of list) {
    for (const filter of filters) filter.add(hash)
    row.run(hash)
  }
  db.exec('COMMIT')
  for (const filter of filters) filter.committed()
}

const missed = (filter: IndexFilter, list: readonly number[]): number[] => list.filter((hash) => !filter.mayHave(hash))
const settled = (filter: IndexFilter): Promise<void> => vi.waitFor(() => expect(filter.isReading).toBe(false), 10_000)
/** Most hashes that are nowhere are known not to be there. */
const expectUseful = (filter: IndexFilter): void =>
  expect(missed(filter, hashes(1e9, 1_000)).length).toBeGreaterThan(700)

test('IndexFilter knows at once what a small index has, and what is added', () => {
  insert(hashes(0, 1_000))
  const filter = new IndexFilter(db, 'payment_index', 1_000)
  expect(filter.isReading).toBe(false)
  insert(hashes(1_000, 1_000), [filter])
  expect(missed(filter, hashes(0, 2_000))).toEqual([])
  expectUseful(filter)
})

test('IndexFilter says yes to everything until a thread has read a large index, and misses nothing of the meantime', async () => {
  insert(hashes(0, 200_000))
  const filter = new IndexFilter(db, 'payment_index', 199_999)
  expect(filter.isReading).toBe(true)
  expect(missed(filter, hashes(1e9, 1_000))).toEqual([])
  let from = 200_000
  while (filter.isReading) {
    insert(hashes(from, 500), [filter])
    from += 500
    expect(missed(filter, hashes(from - 500, 500))).toEqual([])
    await new Promise(setImmediate)
  }
  expect(missed(filter, hashes(0, from))).toEqual([])
  expectUseful(filter)
})

test('IndexFilter reads the index again when it is full, also within the commit that fills it', async () => {
  const filter = new IndexFilter(db, 'payment_index')
  insert(hashes(0, 700_000), [filter])
  expect(filter.isReading).toBe(true)
  insert(hashes(700_000, 1_000), [filter])
  await settled(filter)
  expect(missed(filter, hashes(0, 701_000))).toEqual([])
  expectUseful(filter)
})

test('IndexFilter forgets what is no longer there when it reads again', async () => {
  const gone = hashes(0, 450_000)
  const filter = new IndexFilter(db, 'payment_index')
  insert(gone, [filter])
  expect(filter.isReading).toBe(false)
  db.exec('DELETE FROM payment_index')
  expect(missed(filter, gone)).toEqual([])
  const added = hashes(450_000, 200_000)
  insert(added, [filter])
  expect(filter.isReading).toBe(true)
  await settled(filter)
  expect(missed(filter, gone).length).toBeGreaterThan(gone.length / 2)
  expect(missed(filter, added)).toEqual([])
})
