import fc from 'fast-check'
import { expect, it } from 'vitest'
import { liveMarginMs } from '@penstock/domain/limits.ts'
import { Catalogue } from '@penstock/http/catalogue.ts'
import { refuseSoldOut } from '@penstock/http/sold-out.ts'
import { decide } from '@penstock/engine/decide.ts'
import { randomSale, startMs } from './random-sale.ts'
import { openMemory } from './run-sale.ts'
import type { Command, CreateHold } from '@penstock/domain/command.ts'
import type { Sku } from '@penstock/domain/drop.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { CatalogueSnapshot } from '@penstock/store/queries.ts'
import type { MemoryData, MemoryStore } from './memory-store.ts'

/** An HTTP process that hears of every commit of `data`. */
function follow(data: MemoryData, clock: () => number): Catalogue {
  const catalogue = new Catalogue({ listDrops: () => readDrops(data) }, clock)
  catalogue.reload()
  return catalogue
}

function readDrops({ seq, drops, skus }: MemoryData): CatalogueSnapshot {
  const skuOf = (id: string): Sku => skus.get(id) ?? expect.fail(`no SKU ${id}`)
  return { seq, drops: [...drops.values()].map((drop) => ({ drop, skus: drop.skuIds.map(skuOf) })) }
}

/** As an HTTP process asks: a hold of its own, in place of none, with a key that nobody used or without one. */
function asNew(command: CreateHold, { requests }: MemoryData): CreateHold {
  const key = command.key === null || requests.has(command.key.id) ? null : command.key
  return { ...command, holdId: `${command.holdId} asked`, key, replace: null }
}

it('refuseSoldOut says what decide says at the same commit, and nothing where decide accepts', () => {
  let refused = 0
  let accepted = 0
  let keyed = 0
  const skew = fc.integer({ min: -liveMarginMs, max: liveMarginMs })
  fc.assert(
    fc.property(randomSale(), skew, (moments, skewMs) => {
      const { store, data } = openMemory()
      let nowMs = startMs
      const clock = (): number => nowMs + skewMs
      const catalogue = follow(data, clock)
      const compare = (command: Command): void => {
        if (command.kind !== 'create_hold') return
        const asked = asNew(command, data)
        if (asked.key !== null) keyed += 1
        const refusal = refuseSoldOut({ catalogue, writer, clock }, asked.dropId, asked.lines)
        const result = decideOnly(store, asked, nowMs)
        if (result.outcome === 'hold_created') accepted += 1
        if (refusal === null) return
        refused += 1
        expect(result).toEqual(refusal)
      }
      for (const { nowMs: momentMs, commands } of moments) {
        nowMs = momentMs
        for (const command of commands) {
          compare(command)
          const { seq, changes } = store.transact(nowMs, (set) => decide(set, command, nowMs))
          const { dropIds } = changes
          const skus = changes.skus.map(({ id, stock, held, sold }) => ({ skuId: id, stock, held, sold }))
          catalogue.apply({ seq, skus, dropIds })
          compare(command)
        }
      }
    }),
    { numRuns: 500 },
  )
  expect(refused).toBeGreaterThan(1_000)
  expect(accepted).toBeGreaterThan(1_000)
  expect(keyed).toBeGreaterThan(1_000)
})

/** What the writer would say now; nothing is saved. */
function decideOnly(store: MemoryStore, command: Command, nowMs: number): Result {
  const results: Result[] = []
  const discard = new Error('nothing is to be saved')
  try {
    store.transact(nowMs, (set) => {
      results.push(decide(set, command, nowMs))
      throw discard
    })
  } catch (error) {
    if (error !== discard) throw error
  }
  return results[0] ?? expect.fail('nothing was decided')
}

const writer = { isConnected: true, submit: () => false }
