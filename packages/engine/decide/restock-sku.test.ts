import { expect, it } from 'vitest'
import { stockMax } from '@penstock/domain/limits.ts'
import { captureCommand, holdCommand, openSale, phaseCommand, restockCommand, shoe } from '../test-sale.ts'
import type { RestockSku } from '@penstock/domain/command.ts'
import type { RejectionCode } from '@penstock/domain/result.ts'
import type { TestSale } from '../test-sale.ts'

/** Ten shoes: one sold, one held. Each row is also wrong in what the rows after it are about. */
it.each<[string, number, Partial<RestockSku>, RejectionCode, string, ((sale: TestSale) => void)?]>([
  ['an unknown drop', stockMax, { dropId: 'drop_none', skuId: 'sku_none' }, 'not_found', 'id'],
  ['an unknown SKU', stockMax, { skuId: 'sku_none' }, 'not_found', 'sku', (sale) => sale.accept(phaseCommand('end'))],
  ['an ended drop', stockMax, {}, 'invalid_transition', 'id', (sale) => sale.accept(phaseCommand('end'))],
  ['more than the largest stock', stockMax - 9, {}, 'invalid_request', 'quantity'],
  ['taking away a unit that is held or sold', -9, {}, 'invalid_request', 'quantity'],
])('restockSku refuses %s', (_, quantity, change, outcome, param, arrange) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), holdCommand('hold_2'), captureCommand('hold_2'))
  arrange?.(sale)
  const { writes } = sale.set
  expect(sale.run(restockCommand(quantity, change))).toEqual({ outcome, param, detail: expect.any(String) })
  expect(sale.set.writes).toBe(writes)
})

it.each([
  [5, 15],
  [-8, 2],
  [0, 10],
  [stockMax - 10, stockMax],
])('restockSku by %i makes 10 units %i', (quantity, stock) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), holdCommand('hold_2'), captureCommand('hold_2'))
  expect(sale.run(restockCommand(quantity))).toMatchObject({
    outcome: 'drop_saved',
    skus: [{ id: shoe, stock, held: 1, sold: 1 }, {}],
  })
  expect(sale.set.skus.find(shoe)?.stock).toBe(stock)
})
