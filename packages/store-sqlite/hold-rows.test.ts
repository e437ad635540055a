import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { testHold } from '@penstock/domain/test-hold.ts'
import { openReader } from './open.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { HoldStatus } from '@penstock/domain/hold.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

const nowMs = 1_700_000_000_000

let folder = ''
let path = ''
let store: SqliteStore
const stores: SqliteStore[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-holds-'))
  path = join(folder, 'penstock.db')
  store = openStore()
})
afterEach(() => {
  for (const opened of stores.splice(0)) opened.close()
  rmSync(folder, { recursive: true })
})

/** As a writer starts after its predecessor was killed: nothing was closed. */
function openStore(): SqliteStore {
  const opened = new SqliteStore(path)
  stores.push(opened)
  return opened
}

function change(work: (set: WorkingSet) => void): void {
  store.transact(nowMs, work)
}

function start(set: WorkingSet, id: string, status: HoldStatus = 'active'): void {
  set.holds.insert(id, testHold({ id, createdMs: nowMs, expiresMs: nowMs + 60_000, status }))
}

function end(set: WorkingSet, id: string, status: Exclude<HoldStatus, 'active'>): void {
  const hold = set.holds.find(id)
  if (hold === undefined) throw new Error(`there is no ${id}`)
  set.holds.update(id, { ...hold, status })
}

/** `id number status`, as readers see them, in the order of their numbers. */
function rows(): string[] {
  const db = openReader(path)
  try {
    return db.prepare<[], string>("SELECT id || ' ' || seq || ' ' || status FROM hold ORDER BY seq").pluck().all()
  } finally {
    db.close()
  }
}

it('HoldRows numbers holds in the order of their commits, whatever their ids', () => {
  change((set) => ['c', 'a'].forEach((id) => start(set, id)))
  change((set) => start(set, 'b'))
  expect(rows()).toEqual(['c 1 active', 'a 2 active', 'b 3 active'])
})

it('HoldRows ends each hold alone: kept or not, in any order, and in the batch that made it', () => {
  change((set) => ['a', 'b', 'c', 'd'].forEach((id) => start(set, id)))
  change((set) => end(set, 'c', 'captured'))
  store = openStore()
  change((set) => {
    end(set, 'b', 'released')
    start(set, 'e', 'expired')
    start(set, 'f')
    end(set, 'f', 'released')
  })
  change((set) => start(set, 'g'))
  change((set) => end(set, 'g', 'captured'))
  const ends = ['b 2 released', 'c 3 captured', 'd 4 active', 'e 5 expired', 'f 6 released', 'g 7 captured']
  expect(rows()).toEqual(['a 1 active', ...ends])
  const seen = store.transact(nowMs, (set) => ['b', 'd', 'e', 'g'].map((id) => set.holds.find(id)?.status))
  expect(seen.value).toEqual(['released', 'active', 'expired', 'captured'])
})

it('HoldRows finds holds whose ids come before, between and behind those that are stored, also after a restart', () => {
  const find = (...ids: readonly string[]): boolean[] =>
    store.transact(nowMs, (set) => ids.map((id) => set.holds.find(id) !== undefined)).value
  expect(find('', 'm')).toEqual([false, false])
  change((set) => start(set, 'm'))
  change((set) => ['z', 'b'].forEach((id) => start(set, id)))
  // Not in memory any more.
  change((set) => end(set, 'z', 'released'))
  expect(find('a', 'b', 'm', 'n', 'z', 'za')).toEqual([false, true, true, false, true, false])
  store = openStore()
  expect(find('a', 'b', 'm', 'n', 'z', 'za')).toEqual([false, true, true, false, true, false])
})

it('HoldRows ends a hold once more when late money takes its units again', () => {
  change((set) => start(set, 'a'))
  change((set) => end(set, 'a', 'expired'))
  change((set) => end(set, 'a', 'captured'))
  expect(rows()).toEqual(['a 1 captured'])
})

it('HoldRows gives the numbers of a failed batch to the next one', () => {
  change((set) => start(set, 'a'))
  expect(() =>
    change((set) => {
      start(set, 'lost')
      end(set, 'a', 'captured')
      set.skus.update('sku_none', { id: 'sku_none' } as never)
    }),
  ).toThrow('sku_none')
  change((set) => start(set, 'b'))
  expect(rows()).toEqual(['a 1 active', 'b 2 active'])
})

it('HoldRows shows every hold as it ended, however starts, ends, failures and restarts follow each other', () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('start' as const), count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), at: fc.nat(), fails: fc.boolean() }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      path = join(mkdtempSync(join(folder, 'run-')), 'penstock.db')
      store = openStore()
      const model: { id: string; status: HoldStatus }[] = []
      for (const each of steps) {
        if (each.kind === 'restart') store = openStore()
        else if (each.kind === 'start') {
          // Ids go down, so that their order is not that of the numbers.
          const ids = Array.from({ length: each.count }, (_, index) => `hold_${10_000 - model.length - index}`)
          change((set) => ids.forEach((id) => start(set, id)))
          model.push(...ids.map((id) => ({ id, status: 'active' as const })))
        } else {
          const hold = model.filter(({ status }) => status === 'active').at(each.at % Math.max(1, model.length))
          if (hold === undefined) continue
          try {
            change((set) => {
              end(set, hold.id, 'captured')
              if (each.fails) throw new RangeError('on purpose')
            })
            hold.status = 'captured'
          } catch (error) {
            if (!(error instanceof RangeError)) throw error
          }
        }
      }
      expect(rows()).toEqual(model.map(({ id, status }, index) => `${id} ${index + 1} ${status}`))
      for (const opened of stores.splice(0)) opened.close()
    }),
    { numRuns: 30 },
  )
})
