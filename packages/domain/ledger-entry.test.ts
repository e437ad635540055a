import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ledgerEntryId, ledgerEntrySeq, saleShares, sharesBetween } from './ledger-entry.ts'
import type { Fee } from './fee.ts'

const shares = [
  { account: 'sales', amountMinor: 100 },
  { account: 'a', amountMinor: 0 },
  { account: 'b', amountMinor: 7 },
]

it.each([
  [0, 0, []],
  [0, 100, [['sales', 100]]],
  [30, 50, [['sales', 20]]],
  [
    90,
    103,
    [
      ['sales', 10],
      ['b', 3],
    ],
  ],
  [100, 107, [['b', 7]]],
  [
    0,
    107,
    [
      ['sales', 100],
      ['b', 7],
    ],
  ],
])('sharesBetween %i and %i', (from, to, expected) => {
  expect(sharesBetween(shares, from, to).map(({ account, amountMinor }) => [account, amountMinor])).toEqual(expected)
})

it('sharesBetween takes from each account what the level says, whatever went up and down before', () => {
  const levels = fc.array(fc.nat({ max: 107 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(levels, (steps) => {
      const taken = new Map<string, number>()
      const add = (account: string, amount: number): void => void taken.set(account, (taken.get(account) ?? 0) + amount)
      let level = 0
      for (const next of steps) {
        const [low, high, sign] = next > level ? [level, next, 1] : [next, level, -1]
        for (const { account, amountMinor } of sharesBetween(shares, low, high)) add(account, sign * amountMinor)
        level = next
      }
      expect([taken.get('sales') ?? 0, taken.get('b') ?? 0]).toEqual([Math.min(level, 100), Math.max(0, level - 100)])
      expect(taken.has('a')).toBe(false)
    }),
  )
})

const fee = (kind: Fee['kind'], amountMinor: number): Fee => ({ name: kind, kind, amountMinor })

it.each<[string, readonly Fee[], readonly (readonly [string, number])[]]>([
  ['goods alone', [], [['sales', 500]]],
  [
    'a fee beside the goods',
    [fee('shipping', 100)],
    [
      ['sales', 400],
      ['fees:shipping', 100],
    ],
  ],
  [
    'fees of one kind together',
    [fee('tax', 1), fee('service', 3), fee('tax', 2)],
    [
      ['sales', 494],
      ['fees:tax', 3],
      ['fees:service', 3],
    ],
  ],
  ['no account for a fee of nothing', [fee('tax', 0)], [['sales', 500]]],
  [
    'fees of goods that are free',
    [fee('tax', 500)],
    [
      ['sales', 0],
      ['fees:tax', 500],
    ],
  ],
])('saleShares of 500 has %s', (_, fees, expected) => {
  expect(saleShares(500, fees).map(({ account, amountMinor }) => [account, amountMinor])).toEqual(expected)
})

it.each([1, 42, 999_999_999_999_999])('ledgerEntrySeq reads what ledgerEntryId wrote: %i', (seq) => {
  expect(ledgerEntrySeq(ledgerEntryId(seq))).toBe(seq)
})

it.each(['', 'le_', 'le_0', 'le_01', 'le_-1', 'le_1.5', 'le_1x', 'xle_1', '1', 'le_9999999999999999'])(
  'ledgerEntrySeq does not take %j for an id',
  (text) => {
    expect(ledgerEntrySeq(text)).toBeNull()
  },
)
