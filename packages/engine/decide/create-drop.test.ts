import { expect, it } from 'vitest'
import { dropCommand, dropId, holdCommand, phaseCommand, shoe, sock, startMs, TestSale } from '../test-sale.ts'
import type { CreateDrop } from '@penstock/domain/command.ts'

it.each<[string, Partial<CreateDrop>]>([
  ['an end before the start', { startsAtMs: 2_000, endsAtMs: 1_000 }],
  ['an end at the start', { startsAtMs: 2_000, endsAtMs: 2_000 }],
  ['an end in the past of a sale that starts now', { startsAtMs: null, endsAtMs: startMs }],
])('createDrop refuses %s', (_, change) => {
  const sale = new TestSale()
  expect(sale.run(dropCommand(change))).toMatchObject({ outcome: 'invalid_request', param: 'ends_at' })
  expect(sale.set.writes).toBe(0)
})

it('createDrop makes a draft with all its SKUs', () => {
  const sale = new TestSale()
  const command = dropCommand({
    description: 'Fast',
    image: 'https://example.com/shoe.png',
    startsAtMs: startMs + 5_000,
    endsAtMs: startMs + 6_000,
    maxPerCustomer: 2,
    latePayment: 'refund',
    fees: [{ name: 'VAT', kind: 'tax', amountMinor: null, basisPoints: 1_900 }],
    metadata: { team: 'red' },
  })
  expect(sale.run(command)).toEqual({
    outcome: 'drop_saved',
    drop: {
      id: dropId,
      name: 'Shoe',
      description: 'Fast',
      image: 'https://example.com/shoe.png',
      currency: 'usd',
      startsAtMs: startMs + 5_000,
      endsAtMs: startMs + 6_000,
      holdTtlMs: 600_000,
      maxPerCustomer: 2,
      latePayment: 'refund',
      fees: [{ name: 'VAT', kind: 'tax', amountMinor: null, basisPoints: 1_900 }],
      metadata: { team: 'red' },
      phase: 'draft',
      createdMs: startMs,
      skuIds: [shoe, sock],
    },
    skus: [
      { id: shoe, name: 'Shoe', unitAmountMinor: 100, stock: 10, maxPerOrder: null, dropId, held: 0, sold: 0 },
      { id: sock, name: 'Sock', unitAmountMinor: 25, stock: 5, maxPerOrder: null, dropId, held: 0, sold: 0 },
    ],
    nowMs: startMs,
    replayed: false,
  })
})

it('createDrop without a start starts at the current whole second', () => {
  const sale = new TestSale()
  sale.nowMs = startMs + 999
  sale.accept(dropCommand({ startsAtMs: null }))
  expect(sale.drop().startsAtMs).toBe(startMs)
})

it('createDrop answers a known id with the drop as it is now, whatever the command says', () => {
  const sale = new TestSale()
  sale.accept(dropCommand(), phaseCommand('publish'), holdCommand('hold_1'))
  const { writes } = sale.set
  const again = sale.run(dropCommand({ name: 'Other', startsAtMs: 2, endsAtMs: 1 }))
  expect(again).toMatchObject({ outcome: 'drop_saved', drop: { name: 'Shoe', phase: 'published' } })
  expect(again).toMatchObject({ skus: [{ held: 1 }, { held: 0 }] })
  expect(sale.set.writes).toBe(writes)
})
