import fc from 'fast-check'
import { expect, it } from 'vitest'
import { computeFees, noFees, shareOf, totalFees } from './fee.ts'
import { amountMax, basisPointsMax } from './limits.ts'
import type { FeeRule } from './fee.ts'

const flat: FeeRule = { name: 'Parcel', kind: 'shipping', amountMinor: 499, basisPoints: null }
const vat: FeeRule = { name: 'VAT', kind: 'tax', amountMinor: null, basisPoints: 1_900 }

it.each([
  ['nothing of nothing', 0, 1_900, 0],
  ['nothing at no rate', 4_999, 0, 0],
  ['everything at 100 %', 4_999, 10_000, 4_999],
  ['a whole share', 10_000, 1_900, 1_900],
  ['below half down', 1_234, 1, 0],
  ['just below half down', 4_999, 1, 0],
  ['half up', 5_000, 1, 1],
  ['19 % of 49.99, 949.81, up', 4_999, 1_900, 950],
  ['half up behind whole ten-thousands', 15_000, 1, 2],
  // In floats 1.005 * 100 is 100.49999999999999.
  ['a half that floats lose', 10_050, 100, 101],
  ['a product beyond 2^53', 999_999_999_999, 9_999, 999_899_999_999],
  ['a product beyond 2^53 that a float would round up', 999_270_232_451, 9_949, 994_173_954_265],
  ['a half at the greatest amount', 999_999_995_000, 1, 100_000_000],
])('shareOf takes %s', (_, amountMinor, basisPoints, share) => {
  expect(shareOf(amountMinor, basisPoints)).toBe(share)
})

it('shareOf equals the same sum in big integers, for every amount and rate', () => {
  const amounts = fc.oneof(
    fc.integer({ min: 0, max: amountMax }),
    fc.integer({ min: amountMax - 20_000, max: amountMax }),
  )
  fc.assert(
    fc.property(amounts, fc.integer({ min: 0, max: basisPointsMax }), (amountMinor, basisPoints) => {
      const exact = (BigInt(amountMinor) * BigInt(basisPoints) + 5_000n) / 10_000n
      expect(BigInt(shareOf(amountMinor, basisPoints))).toBe(exact)
    }),
    { numRuns: 2_000 },
  )
})

it('computeFees gives one line a rule in order, each rounded by itself, and their total', () => {
  const half = { ...vat, name: 'City tax', basisPoints: 50 }
  const fees = computeFees([flat, half, half, vat], 100)
  expect(fees).toEqual([
    { name: 'Parcel', kind: 'shipping', amountMinor: 499 },
    { name: 'City tax', kind: 'tax', amountMinor: 1 },
    { name: 'City tax', kind: 'tax', amountMinor: 1 },
    { name: 'VAT', kind: 'tax', amountMinor: 19 },
  ])
  expect(totalFees(fees)).toBe(520)
})

it('computeFees makes no list where a drop has no fees', () => {
  expect(computeFees([], 4_999)).toBe(noFees)
  expect(totalFees(noFees)).toBe(0)
})
