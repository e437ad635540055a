import { expect, it } from 'vitest'
import { cameOfAge, PassWalk } from './pass-walk.ts'
import type { Place } from '@penstock/store/provider-queries.ts'

const agesMs = [10, 50, 100]

it.each([
  ['too young', 0, 9, false],
  ['at its first age', 0, 10, true],
  ['at its first age, which was in the last pass', 10, 49, false],
  ['between two passes', 49, 51, true],
  ['past several ages at once', 5, 99, true],
  ['at the last', 99, 100, true],
  ['behind the last', 100, 199, false],
  ['at a multiple of the last', 199, 200, true],
  ['at another multiple', 250, 320, true],
  ['in a first pass, old', Number.NEGATIVE_INFINITY, 1_000_000, true],
  ['in a first pass, too young', Number.NEGATIVE_INFINITY, 9, false],
])('cameOfAge: %s', (_, after, until, expected) => {
  expect(cameOfAge(7_000, agesMs, 7_000 + after, 7_000 + until)).toBe(expected)
})

interface Row {
  readonly createdMs: number
  readonly id: string
}

const compare = (a: Place, b: Place): number =>
  a.createdMs === b.createdMs ? (a.id < b.id ? -1 : a.id > b.id ? 1 : 0) : a.createdMs - b.createdMs

/** A list that is read two rows at a time, and what the walk made of it. */
function open(rows: Row[], pageSize = 2) {
  const offered: string[] = []
  let room = Number.POSITIVE_INFINITY
  const walk = new PassWalk<Row>({
    read: (after) =>
      rows
        .toSorted(compare)
        .filter((row) => compare(row, after) > 0)
        .slice(0, pageSize),
    placeOf: (row) => row,
    basesOf: ({ createdMs }) => [createdMs],
    agesMs,
    passMs: 10,
    offer: ({ id }) => {
      if (room === 0) return false
      room -= 1
      offered.push(id)
      return true
    },
  })
  return {
    rows,
    /** Ticks until a pass that starts at `nowMs` must have ended; what it offered. */
    pass: (nowMs: number): string[] => {
      for (let tick = 0; tick < 20; tick++) walk.tick(nowMs)
      return offered.splice(0)
    },
    limit: (count: number) => {
      room = count
    },
  }
}

const row = (createdMs: number, id: string): Row => ({ createdMs, id })

it('PassWalk offers everything once, and then what came of age', () => {
  const { pass } = open([row(1_000, 'a'), row(1_005, 'b'), row(2_000, 'c')])
  expect(pass(2_001)).toEqual(['a', 'b', 'c'])
  expect(pass(2_009)).toEqual([])
  // c is 10 old; b came to a multiple of 100.
  expect(pass(2_011)).toEqual(['b', 'c'])
  expect(pass(2_021)).toEqual([])
  expect(pass(2_051)).toEqual(['c'])
  expect(pass(2_104)).toEqual(['a', 'c'])
  expect(pass(2_115)).toEqual(['b'])
})

it('PassWalk offers what is new in the next pass, also of the millisecond it knew and with a smaller id', () => {
  const { pass, rows } = open([row(1_000, 'm')])
  expect(pass(1_000)).toEqual(['m'])
  rows.push(row(1_000, 'a'), row(1_000, 'z'), row(1_001, 'b'))
  expect(pass(1_001)).toEqual([])
  // m comes to its first age.
  expect(pass(1_010)).toEqual(['a', 'm', 'z', 'b'])
  expect(pass(1_020)).toEqual(['b'])
})

it('PassWalk does not take for new what is left when newer rows are gone', () => {
  const { pass, rows } = open([row(1_000, 'a'), row(1_001, 'b')])
  expect(pass(1_001)).toEqual(['a', 'b'])
  rows.pop()
  expect(pass(1_012)).toEqual(['a'])
  expect(pass(1_023)).toEqual([])
})

it('PassWalk waits in front of what there is no room for, and forgets none', () => {
  const { pass, limit } = open([row(1, 'a'), row(2, 'b'), row(3, 'c'), row(4, 'd')])
  limit(1)
  expect(pass(5)).toEqual(['a'])
  expect(pass(1_000_003)).toEqual([])
  limit(2)
  expect(pass(1_000_003)).toEqual(['b', 'c'])
  limit(9)
  // The rest of the first pass, then one that started when there was time for it, in which all came of age again.
  expect(pass(1_000_005)).toEqual(['d', 'a', 'b', 'c', 'd'])
})
