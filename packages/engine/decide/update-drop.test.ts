import { expect, it } from 'vitest'
import { skusPerDropMax } from '@penstock/domain/limits.ts'
import {
  dropCommand,
  dropId,
  holdCommand,
  openSale,
  phaseCommand,
  shoe,
  sock,
  startMs,
  TestSale,
  updateCommand,
} from '../test-sale.ts'
import type { NewSku, UpdateDrop } from '@penstock/domain/command.ts'
import type { RejectionCode } from '@penstock/domain/result.ts'

const newSkus = (count: number): NewSku[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `sku_${index}`,
    name: 'New',
    unitAmountMinor: 1,
    stock: 1,
    maxPerOrder: null,
  }))

const tooMany = newSkus(skusPerDropMax - 1)
const badSku = {
  skuChanges: [{ skuId: 'sku_none', name: 'X', unitAmountMinor: null, maxPerOrder: null }],
  newSkus: tooMany,
}

/** Each row is also wrong in what the rows after it are about. */
it.each<[string, Partial<UpdateDrop>, RejectionCode, string, ((sale: TestSale) => void)?]>([
  ['an unknown drop', { dropId: 'drop_none' }, 'not_found', 'id'],
  [
    'an ended drop',
    { changes: { endsAtMs: 1, maxPerCustomer: 1 }, ...badSku },
    'invalid_transition',
    'id',
    (sale) => sale.accept(phaseCommand('end')),
  ],
  [
    'a cancelled drop',
    { changes: { endsAtMs: 1, maxPerCustomer: 1 }, ...badSku },
    'invalid_transition',
    'id',
    (sale) => sale.accept(phaseCommand('cancel')),
  ],
  [
    'an end that is not after the start',
    { changes: { endsAtMs: startMs, maxPerCustomer: 1 }, ...badSku },
    'invalid_request',
    'ends_at',
  ],
  [
    'a start that is not before the end',
    { changes: { startsAtMs: startMs + 9, maxPerCustomer: 1 }, ...badSku },
    'invalid_request',
    'ends_at',
    (sale) => sale.accept(updateCommand({ changes: { endsAtMs: startMs + 9 } })),
  ],
  [
    'a first limit once buyers may have come',
    { changes: { maxPerCustomer: 1 }, ...badSku },
    'invalid_transition',
    'max_per_customer',
  ],
  ['a change of an unknown SKU', badSku, 'not_found', 'skus'],
  ['more SKUs than a drop may have', { newSkus: tooMany }, 'invalid_request', 'skus'],
])('updateDrop refuses %s', (_, change, outcome, param, arrange) => {
  const sale = openSale()
  arrange?.(sale)
  const { writes } = sale.set
  expect(sale.run(updateCommand(change))).toEqual({ outcome, param, detail: expect.any(String) })
  expect(sale.set.writes).toBe(writes)
})

it('updateDrop changes the fields that are given and keeps the others', () => {
  const sale = openSale({ description: 'old', maxPerCustomer: 5, metadata: { a: '1' } })
  const before = sale.drop()
  const changes = { name: 'New', description: null, maxPerCustomer: 6, latePayment: 'refund', metadata: {} } as const
  expect(sale.run(updateCommand({ changes }))).toEqual({
    outcome: 'drop_saved',
    drop: { ...before, ...changes },
    skus: [sale.set.skus.find(shoe), sale.set.skus.find(sock)],
    nowMs: startMs,
    replayed: false,
  })
  expect(sale.drop()).toEqual({ ...before, ...changes })
})

it('updateDrop changes names and prices of SKUs; holds keep their price', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  const skuChanges = [
    { skuId: shoe, name: null, unitAmountMinor: 0, maxPerOrder: null },
    { skuId: sock, name: 'Socks', unitAmountMinor: null, maxPerOrder: null },
  ]
  sale.accept(updateCommand({ skuChanges }), holdCommand('hold_2'))
  expect(sale.set.skus.find(shoe)).toMatchObject({ name: 'Shoe', unitAmountMinor: 0, held: 2 })
  expect(sale.set.skus.find(sock)).toMatchObject({ name: 'Socks', unitAmountMinor: 25 })
  expect(sale.hold('hold_1').amountMinor).toBe(100)
  expect(sale.hold('hold_2').amountMinor).toBe(0)
})

it('updateDrop adds SKUs behind the old ones, up to the limit', () => {
  const sale = openSale()
  const added = newSkus(skusPerDropMax - 2)
  sale.accept(updateCommand({ newSkus: added }))
  expect(sale.drop().skuIds).toEqual([shoe, sock, ...added.map(({ id }) => id)])
  expect(sale.set.skus.find('sku_0')).toEqual({ ...added[0], dropId, held: 0, sold: 0 })
  sale.accept(holdCommand('hold_1', { lines: [{ skuId: 'sku_0', quantity: 1 }] }))
})

it('updateDrop sent again after a writer restart gives the same answer, also when the drop is now full', () => {
  const sale = openSale()
  const command = updateCommand({ newSkus: newSkus(skusPerDropMax - 2) })
  const first = sale.run(command)
  expect(sale.run(command)).toEqual(first)
  expect(sale.drop().skuIds).toHaveLength(skusPerDropMax)
})

it('updateDrop takes a first limit while the drop is a draft, and a change or removal later', () => {
  const sale = new TestSale()
  sale.accept(dropCommand(), updateCommand({ changes: { maxPerCustomer: 2 } }), phaseCommand('publish'))
  sale.accept(updateCommand({ changes: { maxPerCustomer: 1 } }), updateCommand({ changes: { maxPerCustomer: null } }))
  expect(sale.drop().maxPerCustomer).toBeNull()
})
