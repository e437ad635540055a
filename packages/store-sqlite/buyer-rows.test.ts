import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { buyerUnitsIds } from '@penstock/domain/customer.ts'
import { decide } from '@penstock/engine/decide.ts'
import {
  dropCommand,
  dropId,
  holdCommand,
  phaseCommand,
  releaseCommand,
  shoe,
  startMs,
} from '@penstock/engine/test-sale.ts'
import { auditDatabase } from './audit.ts'
import { openReader } from './open.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Customer } from '@penstock/domain/customer.ts'
import type { Result } from '@penstock/domain/result.ts'

/** So few keys in memory that a dozen buyers go through several rounds of merging. */
const indexTailMax = 4
const limit = 3

let folder = ''
let path = ''
const stores: SqliteStore[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-buyers-'))
  path = join(folder, 'penstock.db')
})

afterEach(() => {
  closeAll()
  rmSync(folder, { recursive: true })
})

function closeAll(): void {
  for (const store of stores.splice(0)) store.close()
}

/** As a writer starts after its predecessor was killed: nothing was closed. */
function openStore(): SqliteStore {
  const store = new SqliteStore(path, { indexTailMax })
  stores.push(store)
  return store
}

function openSale(): SqliteStore {
  const store = openStore()
  const skus = [{ id: shoe, name: 'Shoe', unitAmountMinor: 100, stock: 10_000, maxPerOrder: null }]
  run(store, dropCommand({ maxPerCustomer: limit, skus }), phaseCommand('publish'))
  return store
}

function run(store: SqliteStore, ...commands: readonly Command[]): Result[] {
  return store.transact(startMs, (set) => commands.map((command) => decide(set, command, startMs))).value
}

/** Two buyers share a phone, so that they count in one counter. */
const buyer = (index: number): Customer => ({
  email: `buyer${index}@example.com`,
  phone: index % 3 === 0 ? null : `+49 ${Math.floor(index / 2)}`,
  externalId: null,
  name: null,
  shippingAddress: null,
})

const hold = (id: string, index: number, quantity = 1): Command =>
  holdCommand(id, { customer: buyer(index), lines: [{ skuId: shoe, quantity }] })

function query(sql: string): unknown[] {
  const db = openReader(path)
  try {
    return db.prepare(sql).raw().all()
  } finally {
    db.close()
  }
}

const failing = (store: SqliteStore, ...commands: readonly Command[]): unknown =>
  store.transact(startMs, (set) => {
    for (const command of commands) decide(set, command, startMs)
    // More is refunded than was paid: the last of what is saved fails.
    const line = { orderId: 'ord_1', skuId: 'sku_1', paidQuantity: 1, refundedQuantity: 2, restockedQuantity: 0 }
    set.lineRefunds.insert('ord_1 sku_1', line)
  })

test('BuyerRows appends buyers in the order they came and updates those it knows where they are', () => {
  const store = openSale()
  const [ann, bob, cid] = [buyer(0), buyer(3), buyer(6)]
  run(store, hold('hold_1', 6), hold('hold_2', 0), hold('hold_3', 6))
  run(store, hold('hold_4', 3), hold('hold_5', 0, 2))
  run(store, releaseCommand('hold_1'))
  const ids = [cid, ann, bob].flatMap((customer) => buyerUnitsIds(dropId, customer))
  expect(query('SELECT seq, id, units FROM buyer_units ORDER BY seq')).toEqual([
    [1, ids[0], 1],
    [2, ids[1], 3],
    [3, ids[2], 1],
  ])
})

test('BuyerRows finds every buyer after a kill, merged or not, and counts on', () => {
  const store = openSale()
  const buyers = Array.from({ length: 40 }, (_, index) => index * 3)
  for (const index of buyers) run(store, hold(`hold_${index}`, index, limit - 1))
  const [[rows, merged, indexed]] = query(
    `SELECT (SELECT count(*) FROM buyer_units), (SELECT count(*) FROM buyer_units_index),
     (SELECT indexed_seq FROM index_progress WHERE name = 'buyer_units')`,
  ) as [[number, number, number]]
  // Some keys were in memory only, and some of the index are read again from their rows.
  expect(rows).toBe(40)
  expect([merged > 0, merged < rows, indexed < rows]).toEqual([true, true, true])
  const again = openStore()
  for (const index of buyers) {
    const outcomes = run(again, hold(`second_${index}`, index), hold(`third_${index}`, index))
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['hold_created', 'limit_reached'])
  }
  expect(query('SELECT count(*) FROM buyer_units')).toEqual([[40]])
  closeAll()
  expect(auditDatabase(path)).toEqual([])
})

test('BuyerRows forgets what a failed batch appended, updated and merged', () => {
  const store = openSale()
  const known = Array.from({ length: indexTailMax }, (_, index) => index * 3)
  run(store, ...known.map((index) => hold(`hold_${index}`, index)))
  const strangers = Array.from({ length: 12 }, (_, index) => hold(`hold_${index + 100}`, (index + 100) * 3, limit))
  expect(() => failing(store, hold('hold_x', 0), ...strangers)).toThrow(/CHECK constraint failed/)
  // A batch without new buyers commits after the failed one, which had merged the keys of the known ones.
  expect(run(store, hold('hold_y', 3))).toMatchObject([{ outcome: 'hold_created' }])
  const left = known.map((index) => run(store, hold(`all_${index}`, index, limit))[0]?.outcome)
  expect(left).toEqual(known.map(() => 'limit_reached'))
  const outcomes = run(store, hold('hold_z', 0, limit - 1), ...strangers).map(({ outcome }) => outcome)
  expect(new Set(outcomes)).toEqual(new Set(['hold_created']))
  expect(query('SELECT count(*), max(seq) FROM buyer_units')).toEqual([[16, 16]])
  closeAll()
  expect(auditDatabase(path)).toEqual([])
})

type Step =
  | { readonly kind: 'hold' | 'fail'; readonly buyer: number; readonly quantity: number }
  | { readonly kind: 'release'; readonly buyer: number }
  | { readonly kind: 'commit' | 'kill' | 'restart' }

const anyBuyer = fc.integer({ min: 0, max: 29 })
const quantity = fc.integer({ min: 1, max: limit })
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('hold' as const), buyer: anyBuyer, quantity }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release' as const), buyer: anyBuyer }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('commit' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('fail' as const), buyer: anyBuyer, quantity }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('kill' as const, 'restart' as const) }) },
)

/** What the limit means, in maps: units of each counter, and the active holds of each buyer. */
class Limits {
  readonly units = new Map<string, number>()
  readonly holds = new Map<number, { id: string; quantity: number }[]>()

  take(index: number, id: string, taken: number): 'hold_created' | 'limit_reached' {
    const counters = buyerUnitsIds(dropId, buyer(index))
    if (counters.some((counter) => (this.units.get(counter) ?? 0) + taken > limit)) return 'limit_reached'
    this.#count(index, taken)
    this.holds.set(index, [...(this.holds.get(index) ?? []), { id, quantity: taken }])
    return 'hold_created'
  }

  /** The id of the hold that is given back, if the buyer has one. */
  giveBack(index: number): string | undefined {
    const given = this.holds.get(index)?.pop()
    if (given !== undefined) this.#count(index, -given.quantity)
    return given?.id
  }

  #count(index: number, change: number): void {
    for (const counter of buyerUnitsIds(dropId, buyer(index))) {
      this.units.set(counter, (this.units.get(counter) ?? 0) + change)
    }
  }
}

test('limits hold whatever was merged, failed, killed or restarted between any two batches', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 10, maxLength: 120 }), (steps) => {
      closeAll()
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
      let store = openSale()
      const limits = new Limits()
      let made = 0
      let batch: { command: Command; outcome: string }[] = []
      const commit = (): void => {
        const outcomes = run(store, ...batch.map(({ command }) => command)).map(({ outcome }) => outcome)
        expect(outcomes).toEqual(batch.map(({ outcome }) => outcome))
        batch = []
      }
      for (const step of [...steps, { kind: 'commit' } as const]) {
        if (step.kind === 'hold') {
          const id = `hold_${(made += 1)}`
          batch.push({
            command: hold(id, step.buyer, step.quantity),
            outcome: limits.take(step.buyer, id, step.quantity),
          })
        } else if (step.kind === 'release') {
          const id = limits.giveBack(step.buyer)
          if (id !== undefined) batch.push({ command: releaseCommand(id), outcome: 'hold_released' })
        } else {
          commit()
          if (step.kind === 'fail')
            expect(() => failing(store, hold('hold_x', step.buyer, step.quantity))).toThrow('CHECK')
          if (step.kind === 'restart') closeAll()
          if (step.kind === 'kill' || step.kind === 'restart') store = openStore()
        }
      }
      expect(new Map(query('SELECT id, units FROM buyer_units') as [string, number][])).toEqual(limits.units)
      expect(auditDatabase(path)).toEqual([])
    }),
    { numRuns: 40 },
  )
})
