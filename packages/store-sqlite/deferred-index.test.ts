import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { DeferredIndex } from './deferred-index.ts'
import { hash53 } from './hash53.ts'
import { openWriter } from './open.ts'
import type { Database } from 'better-sqlite3'

let folder = ''
let db: Database

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-index-'))
  db = openWriter(join(folder, 'penstock.db'))
})

afterEach(() => {
  db.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Far below the real bound, so that a few hundred keys go through several rounds of merging. */
const tailMax = 40

const openIndex = (): DeferredIndex => new DeferredIndex(db, { name: 'request', key: 'id' }, tailMax)

/** One transaction as the store makes it: rows appended, old keys merged, then commit or rollback. */
function append(index: DeferredIndex, keys: readonly string[], fate: 'commit' | 'rollback'): void {
  db.exec('BEGIN IMMEDIATE')
  const insert = db.prepare(
    "INSERT INTO request (seq, id, fingerprint, answer_kind, answer, created_ms) VALUES (?, ?, 'f', 'result', '{}', 0)",
  )
  keys.forEach((key, at) => insert.run(index.lastSeq + 1 + at, key))
  index.merge(keys.length)
  if (fate === 'rollback') {
    db.exec('ROLLBACK')
    index.rolledBack()
    return
  }
  db.exec('COMMIT')
  index.committed(keys)
}

/** One step of an idle writer. */
function mergeIdle(index: DeferredIndex, fate: 'commit' | 'rollback'): void {
  if (!index.wantsIdleMerge()) return
  db.exec('BEGIN IMMEDIATE')
  index.mergeIdle()
  db.exec(fate)
  if (fate === 'commit') index.committed([])
  else index.rolledBack()
}

/** Steps until nothing is left to do; `onStep` after each. */
function emptyTail(index: DeferredIndex, onStep: () => void = expectProgressIsTrue): number {
  let steps = 0
  for (; index.wantsIdleMerge(); steps++) {
    if (steps === 1_000) throw new Error('it is never empty')
    mergeIdle(index, 'commit')
    onStep()
  }
  return steps
}

const count = (sql: string): number => Number(db.prepare(sql).pluck().get())
const progress = "SELECT indexed_seq FROM index_progress WHERE name = 'request'"

/** Rows behind the progress are read again at a start: all others have to be in the index. */
function expectProgressIsTrue(): void {
  const behind = `seq <= (${progress}) AND seq NOT IN (SELECT seq FROM request_index)`
  expect(count(`SELECT count(*) FROM request WHERE ${behind}`)).toBe(0)
  expect(count(progress)).toBeLessThanOrEqual(count('SELECT coalesce(max(seq), 0) FROM request'))
}

test('DeferredIndex finds exactly the committed keys, whatever was merged, rolled back or lost in a crash', () => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('append' as const), size: fc.integer({ min: 1, max: 30 }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('rollback' as const), size: fc.integer({ min: 1, max: 30 }) }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('reopen' as const), size: fc.constant(0) }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constantFrom('idle' as const, 'idle rollback' as const), size: fc.constant(0) }),
    },
  )
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      db.exec('DELETE FROM request; DELETE FROM request_index; UPDATE index_progress SET indexed_seq = 0')
      let index = openIndex()
      const rows = new Map<string, number>()
      const undone: string[] = []
      let made = 0
      for (const { kind, size } of steps) {
        const keys = Array.from({ length: size }, () => `key ${(made += 1)}`)
        if (kind === 'reopen') {
          index = openIndex()
        } else if (kind === 'idle' || kind === 'idle rollback') {
          mergeIdle(index, kind === 'idle' ? 'commit' : 'rollback')
        } else if (kind === 'rollback') {
          append(index, keys, 'rollback')
          undone.push(...keys)
        } else {
          for (const [at, key] of keys.entries()) rows.set(key, index.lastSeq + 1 + at)
          append(index, keys, 'commit')
        }
        expectProgressIsTrue()
      }
      for (const [key, seq] of rows) expect(index.find(key)).toBe(seq)
      for (const key of undone) expect(index.find(key)).toBeUndefined()
    }),
    { numRuns: 60 },
  )
})

test('DeferredIndex keeps its memory bounded and moves the rest to the index', () => {
  const index = openIndex()
  for (let batch = 0; batch < 100; batch++) {
    append(
      index,
      Array.from({ length: 10 }, (_, at) => `key ${batch} ${at}`),
      'commit',
    )
  }
  expect(count('SELECT count(*) FROM request_index')).toBeGreaterThanOrEqual(1_000 - tailMax - 10)
  // What a restart reads again is what the last two rounds may have left.
  const behind = count("SELECT max(seq) - (SELECT indexed_seq FROM index_progress WHERE name = 'request') FROM request")
  expect(behind).toBeGreaterThan(0)
  expect(behind).toBeLessThan(4 * tailMax + 2 * 10)
  expect(index.find('key 0 0')).toBe(1)
})

test('DeferredIndex is emptied while nobody buys, a step at a time, and then a start has nothing to read', () => {
  const index = new DeferredIndex(db, { name: 'request', key: 'id' }, 40_000)
  const keys = Array.from({ length: 11_000 }, (_, at) => `key ${at}`)
  append(index, keys.slice(0, 9_999), 'commit')
  // Less than a quarter of the tail: not worth its writes.
  expect(index.wantsIdleMerge()).toBe(false)
  append(index, keys.slice(9_999, 10_000), 'commit')
  expect(index.wantsIdleMerge()).toBe(true)
  append(index, keys.slice(10_000), 'commit')
  const sizes = [0]
  emptyTail(index, () => {
    expectProgressIsTrue()
    sizes.push(count('SELECT count(*) FROM request_index'))
  })
  const steps = sizes.slice(1).map((size, at) => size - (sizes[at] ?? 0))
  // A share has one or two keys: a step ends with the first that is enough.
  expect([Math.min(...steps.slice(0, -1)), Math.max(...steps)]).toEqual([256, expect.closeTo(258, -1)])
  expect([sizes.at(-1), count(progress)]).toEqual([11_000, 11_000])
  append(index, ['one more'], 'commit')
  expect(index.wantsIdleMerge()).toBe(false)
  const reopened = openIndex()
  expect([...keys, 'one more'].map((key) => reopened.find(key))).toEqual([...keys.keys(), 11_000].map((at) => at + 1))
})

test('DeferredIndex looks at a part of a tail that has few keys, and finds them all in some steps', () => {
  const index = openIndex()
  const keys = Array.from({ length: 30 }, (_, at) => `key ${at}`)
  append(index, keys, 'commit')
  const progresses = [0]
  const steps = emptyTail(index, () => {
    expectProgressIsTrue()
    progresses.push(count(progress))
    mergeIdle(index, 'rollback')
  })
  expect(new Set(progresses)).toEqual(new Set([0, 30]))
  expect(steps).toBeGreaterThan(8)
  expect(steps).toBeLessThanOrEqual(16)
})

test('DeferredIndex reads less than three tails again after a quiet time and a long sale', () => {
  const index = openIndex()
  const sell = (payments: number): void => {
    for (let batch = 0; batch < payments; batch += 8) {
      append(
        index,
        Array.from({ length: 8 }, (_, at) => `key ${index.lastSeq + at}`),
        'commit',
      )
      expectProgressIsTrue()
    }
  }
  sell(200)
  emptyTail(index)
  const before = index.lastSeq
  sell(tailMax)
  expect(count(progress)).toBe(before)
  // A round began when the tail was full: it ends with all that was in it then.
  while (count(progress) === before) sell(8)
  expect(count(progress)).toBeGreaterThanOrEqual(before + tailMax)
  expect(index.lastSeq - before).toBeLessThan(3 * tailMax)
})

test('DeferredIndex tells keys with one hash apart by their rows', () => {
  const index = openIndex()
  append(index, ['first', 'second'], 'commit')
  // As if both keys had this hash.
  const hash = hash53('absent')
  db.prepare('INSERT INTO request_index (hash, seq) VALUES (?, 1), (?, 2)').run(hash, hash)
  expect(openIndex().find('absent')).toBeUndefined()
  db.prepare('INSERT INTO request_index (hash, seq) VALUES (?, 1), (?, 2)').run(hash53('second'), hash53('second'))
  expect(openIndex().find('second')).toBe(2)
})

test('hash53 is an exact integer, spreads over its range and differs between neighbours', () => {
  const hashes = Array.from({ length: 20_000 }, (_, at) => hash53(`manual/pi_${at}`))
  expect(hashes.every((hash) => Number.isSafeInteger(hash) && hash >= 0 && hash < 2 ** 53)).toBe(true)
  expect(new Set(hashes).size).toBe(hashes.length)
  const buckets = new Map<number, number>()
  for (const hash of hashes) {
    const bucket = Math.floor(hash / 2 ** 43)
    buckets.set(bucket, (buckets.get(bucket) ?? 0) + 1)
  }
  // 1,024 buckets of about 20; ten standard deviations is about 45.
  expect(Math.max(...buckets.values())).toBeLessThan(65)
})
