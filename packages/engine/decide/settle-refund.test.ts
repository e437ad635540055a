import { expect, it } from 'vitest'
import {
  captureCommand,
  customer,
  holdCommand,
  openSale,
  refundCommand,
  requestKey,
  settleCommand,
  shoe,
} from '../test-sale.ts'
import type { TestSale } from '../test-sale.ts'

/** Three shoes paid by a provider, one of them being refunded: 100 of 300. */
function refundingSale(restock = true): TestSale {
  const sale = openSale({ maxPerCustomer: 9 })
  const lines = [{ skuId: shoe, quantity: 3 }]
  sale.accept(
    holdCommand('hold_1', { lines, customer: customer('ann@example.com') }),
    captureCommand('hold_1', { provider: 'stripe', amountMinor: 300 }),
    refundCommand('rfnd_1', { lines: [{ skuId: shoe, quantity: 1 }], restock }),
  )
  return sale
}

it.each<[string, (sale: TestSale) => void, string, 'succeeded' | 'failed', string, string]>([
  ['an unknown refund', () => undefined, 'rfnd_none', 'failed', 'not_found', 'id'],
  [
    'a refund that succeeded as failed',
    (sale) => sale.accept(settleCommand('rfnd_1', 'succeeded')),
    'rfnd_1',
    'failed',
    'invalid_transition',
    'status',
  ],
  [
    'a refund that failed as succeeded',
    (sale) => sale.accept(settleCommand('rfnd_1', 'failed')),
    'rfnd_1',
    'succeeded',
    'invalid_transition',
    'status',
  ],
])('settleRefund refuses %s', (_, before, id, status, outcome, param) => {
  const sale = refundingSale()
  before(sale)
  const { writes } = sale.set
  expect(sale.run(settleCommand(id, status))).toMatchObject({ outcome, param })
  expect(sale.set.writes).toBe(writes)
})

it.each([
  [true, 2],
  [false, 3],
])('settleRefund that succeeded pays, and puts units on sale if asked to: restock %s', (restock, sold) => {
  const sale = refundingSale(restock)
  sale.nowMs += 5
  const result = sale.run(settleCommand('rfnd_1', 'succeeded'))
  expect(result).toMatchObject({ refund: { status: 'succeeded', settledMs: sale.nowMs } })
  expect(sale.balances()).toEqual({ 'cash:stripe': 200, sales: -200 })
  expect(sale.counters(shoe)).toEqual([0, sold])
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': sold })
  expect(sale.payment('hold_1', 'stripe').refundedMinor).toBe(100)
})

it('settleRefund that failed gives amount and units back, to be refunded again', () => {
  const sale = refundingSale()
  const result = sale.run(settleCommand('rfnd_1', 'failed'))
  expect(result).toMatchObject({ refund: { status: 'failed', settledMs: sale.nowMs } })
  expect(sale.balances()).toEqual({ 'cash:stripe': 300, sales: -300 })
  expect(sale.payment('hold_1', 'stripe').refundedMinor).toBe(0)
  expect([...sale.set.lineRefunds.rows.values()]).toMatchObject([{ refundedQuantity: 0, restockedQuantity: 0 }])
  expect(sale.counters(shoe)).toEqual([0, 3])
  expect(sale.run(refundCommand('rfnd_2'))).toMatchObject({ refund: { amountMinor: 300 } })
})

it.each(['succeeded', 'failed'] as const)(
  'settleRefund told again that it %s answers the same and changes nothing',
  (status) => {
    const sale = refundingSale()
    const first = sale.run(settleCommand('rfnd_1', status))
    const { writes } = sale.set
    sale.nowMs += 5
    expect(sale.run(settleCommand('rfnd_1', status))).toEqual(first)
    expect(sale.set.writes).toBe(writes)
  },
)

it('settleRefund that failed does not undo the restock of another refund', () => {
  const sale = refundingSale()
  sale.accept(refundCommand('rfnd_2', { lines: [{ skuId: shoe, quantity: 2 }], restock: true, key: requestKey('k') }))
  sale.accept(settleCommand('rfnd_2', 'succeeded'), settleCommand('rfnd_1', 'failed'))
  expect(sale.counters(shoe)).toEqual([0, 1])
  expect([...sale.set.lineRefunds.rows.values()]).toMatchObject([{ refundedQuantity: 2, restockedQuantity: 2 }])
})
