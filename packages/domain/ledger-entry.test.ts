import { expect, it } from 'vitest'
import { saleShares } from './ledger-entry.ts'
import type { Fee } from './fee.ts'

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
])('saleShares of 500 has %s', (_, fees, shares) => {
  expect(saleShares(500, fees).map(({ account, amountMinor }) => [account, amountMinor])).toEqual(shares)
})
