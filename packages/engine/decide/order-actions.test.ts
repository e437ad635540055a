import { expect, it } from 'vitest'
import {
  cancelCommand,
  captureCommand,
  customer,
  disputeCommand,
  fulfilCommand,
  holdCommand,
  openSale,
  refundCommand,
  settleCommand,
  shoe,
} from '../test-sale.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { TestSale } from '../test-sale.ts'

/** Two shoes at 100, paid. */
function paidSale(provider = 'manual', unitAmountMinor = 100): TestSale {
  const sale = openSale({
    maxPerCustomer: 9,
    skus: [{ id: shoe, name: 'Shoe', unitAmountMinor, stock: 10, maxPerOrder: null }],
  })
  const lines = [{ skuId: shoe, quantity: 2 }]
  sale.accept(
    holdCommand('hold_1', { lines, customer: customer('ann@example.com') }),
    captureCommand('hold_1', { provider, amountMinor: 2 * unitAmountMinor }),
  )
  return sale
}

it.each<[string, Command[], Command, string]>([
  ['cancelOrder of an unknown order', [], cancelCommand({ orderId: 'ord_none' }), 'not_found'],
  ['cancelOrder of a fulfilled order', [fulfilCommand()], cancelCommand(), 'invalid_transition'],
  ['fulfilOrder of an unknown order', [], fulfilCommand({ orderId: 'ord_none' }), 'not_found'],
  ['fulfilOrder of a cancelled order', [cancelCommand()], fulfilCommand(), 'invalid_transition'],
])('%s is refused', (_, before, command, outcome) => {
  const sale = paidSale()
  sale.accept(...before)
  const { writes } = sale.set
  expect(sale.run(command)).toMatchObject({ outcome, param: 'id' })
  expect(sale.set.writes).toBe(writes)
})

it.each([
  [true, 0],
  [false, 2],
])('cancelOrder refunds all of it, restock %s', (restock, sold) => {
  const sale = paidSale()
  sale.nowMs += 5
  const result = sale.run(cancelCommand({ restock, reason: 'Sold elsewhere' }))
  expect(result).toMatchObject({
    outcome: 'order_saved',
    order: { id: 'ord_paid for hold_1', cancelledMs: sale.nowMs, fulfilledMs: null },
    hold: { id: 'hold_1' },
    refundedMinor: 200,
    lineRefunds: [{ skuId: shoe, paidQuantity: 2, refundedQuantity: 2 }],
  })
  expect(sale.set.refunds.find('rfnd_cancel')).toMatchObject({
    amountMinor: 200,
    lines: [{ skuId: shoe, quantity: 2 }],
    reason: 'Sold elsewhere',
    status: 'succeeded',
  })
  expect(sale.counters(shoe)).toEqual([0, sold])
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': sold })
  expect(sale.balances()).toEqual({})
})

it('cancelOrder refunds only what is neither refunded nor disputed', () => {
  const sale = paidSale('stripe')
  sale.accept(
    refundCommand('rfnd_1', { amountMinor: 30, lines: [{ skuId: shoe, quantity: 1 }] }),
    disputeCommand('dsp_1', { amountMinor: 50 }),
    cancelCommand({ restock: true }),
  )
  expect(sale.set.refunds.find('rfnd_cancel')).toMatchObject({
    amountMinor: 120,
    lines: [{ skuId: shoe, quantity: 1 }],
    status: 'pending',
  })
  expect(sale.payment('hold_1', 'stripe')).toMatchObject({ refundedMinor: 150, disputedMinor: 50 })
})

it.each<[string, number, Command[], number]>([
  ['of which all is refunded makes no refund', 100, [refundCommand('rfnd_1')], 1],
  ['that was free gives its units back', 0, [], 1],
])('cancelOrder %s', (_, price, before, refunds) => {
  const sale = paidSale('stripe', price)
  sale.accept(...before, cancelCommand({ restock: true }))
  expect(sale.set.refunds.rows.size).toBe(refunds)
  expect(sale.order('ord_paid for hold_1').cancelledMs).toBe(sale.nowMs)
  expect(sale.counters(shoe)).toEqual([0, price === 0 ? 0 : 2])
})

it('cancelOrder has nothing to put on sale when all units are refunded', () => {
  const sale = paidSale()
  sale.accept(refundCommand('rfnd_1', { amountMinor: 0, lines: [{ skuId: shoe, quantity: 2 }] }))
  sale.accept(cancelCommand({ restock: true }))
  expect(sale.set.refunds.find('rfnd_cancel')).toMatchObject({ amountMinor: 200, lines: [], restock: false })
})

it('cancelOrder whose refund fails stays cancelled, and can be refunded again', () => {
  const sale = paidSale('stripe')
  sale.accept(cancelCommand({ restock: true }), settleCommand('rfnd_cancel', 'failed'))
  expect(sale.order('ord_paid for hold_1').cancelledMs).not.toBeNull()
  expect(sale.counters(shoe)).toEqual([0, 2])
  expect(sale.run(refundCommand('rfnd_2', { restock: true }))).toMatchObject({ refund: { amountMinor: 200 } })
})

it('fulfilOrder says when, and may be followed by a refund', () => {
  const sale = paidSale()
  sale.nowMs += 5
  const result = sale.run(fulfilCommand())
  expect(result).toMatchObject({
    order: { fulfilledMs: sale.nowMs, cancelledMs: null },
    refundedMinor: 0,
    lineRefunds: [],
  })
  expect(sale.run(refundCommand('rfnd_1'))).toMatchObject({ outcome: 'refund_saved' })
})

it.each([
  ['cancelOrder', cancelCommand()],
  ['fulfilOrder', fulfilCommand()],
])('%s told again answers the same and changes nothing', (_, command) => {
  const sale = paidSale()
  const first = sale.run(command)
  const { writes } = sale.set
  sale.nowMs += 5
  expect(sale.run(command)).toEqual(first)
  expect(sale.set.writes).toBe(writes)
})
