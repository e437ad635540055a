import { expect, it } from 'vitest'
import { moveUnits, totalQuantity } from './stock.ts'
import { openSale, shoe, sock } from './test-sale.ts'

it('totalQuantity adds up all lines', () => {
  const lines = [
    { skuId: shoe, quantity: 2 },
    { skuId: sock, quantity: 1 },
    { skuId: shoe, quantity: 3 },
  ]
  expect(totalQuantity(lines)).toBe(6)
})

it.each([
  ['more held than there is', 11, { held: 1, sold: 0 }],
  ['more sold than there is', 11, { held: 0, sold: 1 }],
  ['less than nothing held', 1, { held: -1, sold: 0 }],
  ['less than nothing sold', 1, { held: 0, sold: -1 }],
  ['a sale of what is not held', 1, { held: -1, sold: 1 }],
] as const)('moveUnits throws on %s: that is a bug, not an outcome', (_, quantity, direction) => {
  const sale = openSale()
  expect(() => moveUnits(sale.set, [{ skuId: shoe, quantity }], direction)).toThrow(/would break stock 10/)
})

it('moveUnits throws on an unknown SKU', () => {
  const lines = [{ skuId: 'sku_none', quantity: 1 }]
  expect(() => moveUnits(openSale().set, lines, { held: 1, sold: 0 })).toThrow(/sku_none is missing/)
})
