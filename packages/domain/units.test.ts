import { expect, it } from 'vitest'
import { demandBySku } from './units.ts'

it('demandBySku adds up the lines of one SKU, in the order of their first lines', () => {
  const lines = [
    { skuId: 'sku_b', quantity: 2 },
    { skuId: 'sku_a', quantity: 1 },
    { skuId: 'sku_b', quantity: 3 },
  ]
  expect([...demandBySku(lines)]).toEqual([
    ['sku_b', 5],
    ['sku_a', 1],
  ])
})
