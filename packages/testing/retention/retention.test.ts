import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { keepMs, killedStore } from './killed-store.ts'
import type { RequestRecord } from '@penstock/domain/working-set.ts'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-retention-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function request(id: string, createdMs: number, lasting: boolean): RequestRecord {
  return { id, fingerprint: `of ${id}`, createdMs, lasting, answer: { kind: 'result', json: `{"at":${createdMs}}` } }
}

function insert(store: SqliteStore, nowMs: number, records: readonly RequestRecord[]): void {
  store.transact(nowMs, (set) => {
    for (const record of records) set.requests.insert(record.id, record)
  })
}

function find(store: SqliteStore, ids: Iterable<string>): (RequestRecord | undefined)[] {
  return store.transact(store.lastNowMs, (set) => [...ids].map((id) => set.requests.find(id))).value
}

function count(path: string, sql: string): number {
  const db = openReader(path)
  try {
    return Number(db.prepare(sql).pluck().get())
  } finally {
    db.close()
  }
}

const options = { retention: { keepMs, requestsPerStep: 4, rowsIdle: 6 }, indexTailMax: 16 }

const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('requests' as const),
      afterMs: fc.constantFrom(0, 1, 40, 300),
      size: fc.integer({ min: 1, max: 25 }),
      lastingEvery: fc.constantFrom(3, 1_000),
      /** Asks for so many keys of before again, as clients do whose key may be forgotten. */
      repeats: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('idle' as const), ticks: fc.integer({ min: 1, max: 12 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), afterMs: fc.constantFrom(500, 1_000, 5_000) }),
  },
  // Without closing the writer before: what only it knew is lost.
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
)

it('SqliteStore keeps every request as a plain map does until it is old enough, over restarts, and then forgets it', () => {
  let run = 0
  const seen = { forgotten: 0, repeated: 0 }
  fc.assert(
    fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
      const path = join(folder, `${(run += 1)}.db`)
      const stores = [new SqliteStore(path, options)]
      const current = (): SqliteStore => stores.at(-1) ?? expect.fail('a store is open')
      const model = new Map<string, RequestRecord>()
      let nowMs = 1_700_000_000_000
      let made = 0
      const mustFind = (record: RequestRecord): boolean => record.lasting || nowMs - record.createdMs < keepMs
      const check = (): void => {
        const records = [...model.values()]
        for (const [at, found] of find(current(), model.keys()).entries()) {
          const expected = records[at]
          if (found === undefined && expected !== undefined) expect(mustFind(expected)).toBe(false)
          else expect(found).toEqual(expected)
        }
      }
      for (const each of steps) {
        if (each.kind === 'wait') nowMs += each.afterMs
        if (each.kind === 'restart') stores.push(new SqliteStore(path, options))
        if (each.kind === 'idle') for (let tick = 0; tick < each.ticks; tick++) current().maintain(true)
        if (each.kind === 'requests') {
          nowMs += each.afterMs
          const again = [...model.keys()].filter((_, at) => at % 7 < each.repeats)
          const found = find(current(), again)
          const forgotten = again.filter((_, at) => found[at] === undefined)
          seen.forgotten += forgotten.length
          const fresh = Array.from({ length: each.size }, () => `r${(made += 1)}`)
          const records = [...forgotten, ...fresh].map((id, at) => request(id, nowMs, at % each.lastingEvery === 1))
          insert(current(), nowMs, records)
          for (const record of records) {
            if (model.delete(record.id)) seen.repeated += 1
            model.set(record.id, record)
          }
          current().maintain(false)
        }
        check()
      }
      // Long after: all that may go is gone, but for the newest.
      nowMs += 10 * keepMs
      const last = request('last', nowMs, false)
      insert(current(), nowMs, [last])
      model.set('last', last)
      for (let tick = 0; tick < 300; tick++) current().maintain(true)
      check()
      const lasting = [...model.values()].filter((record) => record.lasting).length
      expect(count(path, 'SELECT count(*) FROM request')).toBe(lasting + 1)
      expect(auditDatabase(path)).toEqual([])
      for (const store of stores) store.close()
    }),
    { numRuns: 40 },
  )
  expect(seen.forgotten).toBeGreaterThan(100)
  expect(seen.repeated).toBe(seen.forgotten)
})

/** Runs a writer that forgets until it has made `steps` steps, then kills it wherever it is. */
function forgetAndKill(path: string, steps: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./forget.ts', import.meta.url)), path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let made = 0
    child.stdout.on('data', (dots: Buffer) => {
      made += dots.length
      if (made >= steps) child.kill('SIGKILL')
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => {
      if (signal === 'SIGKILL') resolve()
      else reject(new Error(`the writer ended by itself: ${code ?? signal}`))
    })
  })
}

it('SqliteStore loses no request that it must keep when it is killed again and again while it forgets', async () => {
  const path = join(folder, 'killed.db')
  const startMs = 1_700_000_000_000
  const old = Array.from({ length: 4_000 }, (_, at) => request(`old ${at}`, startMs, at % 50 === 0))
  const young = Array.from({ length: 500 }, (_, at) => request(`young ${at}`, startMs + keepMs, false))
  const kept = [...old.filter((record) => record.lasting), ...young]
  const first = new SqliteStore(path, killedStore)
  for (let at = 0; at < old.length; at += 100) insert(first, startMs, old.slice(at, at + 100))
  for (let at = 0; at < young.length; at += 100) insert(first, startMs + keepMs, young.slice(at, at + 100))
  first.close()
  const left: number[] = []
  for (const steps of [3, 40, 1, 70, 30]) {
    await forgetAndKill(path, steps)
    expect(auditDatabase(path)).toEqual([])
    left.push(count(path, 'SELECT count(*) FROM request'))
    const again = new SqliteStore(path, killedStore)
    expect(
      find(
        again,
        kept.map(({ id }) => id),
      ),
    ).toEqual(kept)
    again.close()
  }
  // It was killed in the middle.
  expect(left[0]).toBeGreaterThan(kept.length + 100)
  expect(left.toSorted((a, b) => b - a)).toEqual(left)
  const last = new SqliteStore(path, killedStore)
  for (let tick = 0; tick < 2_000; tick++) last.maintain(true)
  expect(
    find(
      last,
      kept.map(({ id }) => id),
    ),
  ).toEqual(kept)
  last.close()
  expect(count(path, 'SELECT count(*) FROM request')).toBe(kept.length)
  expect(count(path, 'SELECT count(*) FROM request_index')).toBeLessThan(kept.length + kept.length / 4 + 100)
}, 60_000)
