import { expect, it } from 'vitest'
import { availableUnits, dropStatus, dropStatuses, nextPhase } from './drop.ts'
import { testDrop } from './test-drop.ts'
import type { Drop, DropAction, DropPhase, DropStatus, Sku } from './drop.ts'

const startsAtMs = 1_000_000
const endsAtMs = 2_000_000

const drop = testDrop({ startsAtMs, endsAtMs, skuIds: ['sku_1', 'sku_2'] })

const sku = (counters: Partial<Sku>): Sku => ({
  id: 'sku_1',
  dropId: 'drop_1',
  name: 'Size 42',
  unitAmountMinor: 100,
  stock: 10,
  maxPerOrder: null,
  held: 0,
  sold: 0,
  ...counters,
})

const inStock = [sku({}), sku({ sold: 10 })]
const soldOut = [sku({ sold: 10 }), sku({ stock: 0 })]
const allHeld = [sku({ held: 10 }), sku({ sold: 10 })]

interface StatusCase {
  readonly what: string
  readonly change?: Partial<Drop>
  readonly skus?: readonly Sku[]
  readonly nowMs?: number
  readonly status: DropStatus
}

const middle = 1_500_000
const statusCases: readonly StatusCase[] = [
  { what: 'a draft before its start', change: { phase: 'draft' }, nowMs: 0, status: 'draft' },
  { what: 'a draft past its end', change: { phase: 'draft' }, nowMs: endsAtMs, status: 'draft' },
  { what: 'a sold out draft', change: { phase: 'draft' }, skus: soldOut, status: 'draft' },
  { what: 'one ended by hand before its start', change: { phase: 'ended' }, nowMs: 0, status: 'ended' },
  { what: 'one ended by hand while sold out', change: { phase: 'ended' }, skus: soldOut, status: 'ended' },
  { what: 'one cancelled before its start', change: { phase: 'cancelled' }, nowMs: 0, status: 'cancelled' },
  { what: 'one cancelled past its end', change: { phase: 'cancelled' }, nowMs: endsAtMs, status: 'cancelled' },
  { what: 'one cancelled while sold out', change: { phase: 'cancelled' }, skus: soldOut, status: 'cancelled' },
  { what: 'one at exactly its end', nowMs: endsAtMs, status: 'ended' },
  { what: 'one paused past its end', change: { phase: 'paused' }, nowMs: endsAtMs, status: 'ended' },
  { what: 'one sold out past its end', skus: soldOut, nowMs: endsAtMs + 1, status: 'ended' },
  { what: 'one paused before its start', change: { phase: 'paused' }, nowMs: 0, status: 'paused' },
  { what: 'one paused while sold out', change: { phase: 'paused' }, skus: soldOut, status: 'paused' },
  { what: 'one paused at its last moment', change: { phase: 'paused' }, nowMs: endsAtMs - 1, status: 'paused' },
  { what: 'one a moment before its start', nowMs: startsAtMs - 1, status: 'scheduled' },
  { what: 'one without stock before its start', skus: soldOut, nowMs: startsAtMs - 1, status: 'scheduled' },
  { what: 'one whose last unit is sold', skus: soldOut, status: 'sold_out' },
  { what: 'one without stock at exactly its start', skus: soldOut, nowMs: startsAtMs, status: 'sold_out' },
  { what: 'one at exactly its start', nowMs: startsAtMs, status: 'live' },
  { what: 'one at its last moment', nowMs: endsAtMs - 1, status: 'live' },
  { what: 'one whose last units are held, not sold', skus: allHeld, status: 'live' },
  { what: 'one without an end, years later', change: { endsAtMs: null }, nowMs: 9e12, status: 'live' },
]

it.each(statusCases)('dropStatus of $what is $status', ({ change, skus = inStock, nowMs = middle, status }) => {
  expect(dropStatus({ ...drop, ...change }, skus, nowMs)).toBe(status)
})

it('dropStatus can give every status there is', () => {
  expect(new Set(statusCases.map(({ status }) => status))).toEqual(new Set(dropStatuses))
})

it.each<[DropPhase, DropAction, DropPhase | null]>([
  ['draft', 'publish', 'published'],
  ['draft', 'pause', null],
  ['draft', 'resume', null],
  ['draft', 'end', null],
  ['published', 'publish', 'published'],
  ['published', 'pause', 'paused'],
  ['published', 'resume', 'published'],
  ['published', 'end', 'ended'],
  ['paused', 'publish', null],
  ['paused', 'pause', 'paused'],
  ['paused', 'resume', 'published'],
  ['paused', 'end', 'ended'],
  ['ended', 'publish', null],
  ['ended', 'pause', null],
  ['ended', 'resume', null],
  ['ended', 'end', 'ended'],
  ['draft', 'cancel', null],
  ['published', 'cancel', 'cancelled'],
  ['paused', 'cancel', 'cancelled'],
  ['ended', 'cancel', 'cancelled'],
  ['cancelled', 'cancel', 'cancelled'],
  ['cancelled', 'publish', null],
  ['cancelled', 'pause', null],
  ['cancelled', 'resume', null],
  ['cancelled', 'end', null],
])('nextPhase from %s by %s is %s', (phase, action, next) => {
  expect(nextPhase(phase, action)).toBe(next)
})

it('availableUnits is what is neither held nor sold', () => {
  expect(availableUnits(sku({ stock: 10, held: 3, sold: 4 }))).toBe(3)
  expect(availableUnits(sku({ stock: 10, held: 6, sold: 4 }))).toBe(0)
})
