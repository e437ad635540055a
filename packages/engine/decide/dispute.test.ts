import { expect, it } from 'vitest'
import { closeCommand, captureCommand, disputeCommand, holdCommand, openSale, refundCommand } from '../test-sale.ts'
import type { OpenDispute } from '@penstock/domain/command.ts'
import type { TestSale } from '../test-sale.ts'

/** 100, paid by a provider. */
function paidSale(): TestSale {
  const sale = openSale()
  sale.accept(...['hold_1', 'hold_2'].flatMap((id) => [holdCommand(id), captureCommand(id, { provider: 'stripe' })]))
  return sale
}

const nothing = (): void => undefined

it.each<[string, (sale: TestSale) => void, Partial<OpenDispute>, string, string]>([
  ['of an unknown payment', nothing, { paymentId: 'pay_none', amountMinor: 999 }, 'not_found', 'payment'],
  [
    'known with another payment',
    (sale) => sale.accept(disputeCommand('dsp_1')),
    { paymentId: 'pay_paid for hold_2', providerDisputeId: 'bank dsp_1', amountMinor: 999 },
    'dispute_conflict',
    'provider_dispute_id',
  ],
  [
    'known with another amount',
    (sale) => sale.accept(disputeCommand('dsp_1')),
    { providerDisputeId: 'bank dsp_1', amountMinor: 99 },
    'dispute_conflict',
    'provider_dispute_id',
  ],
  ['of more than was paid', nothing, { amountMinor: 101 }, 'dispute_too_large', 'amount'],
  [
    'of more than is left',
    (sale) => sale.accept(refundCommand('rfnd_1', { amountMinor: 60 })),
    { amountMinor: 41 },
    'dispute_too_large',
    'amount',
  ],
  [
    'of what is left when nothing is',
    (sale) => sale.accept(disputeCommand('dsp_1')),
    {},
    'dispute_too_large',
    'amount',
  ],
])('openDispute %s is refused', (_, before, fields, outcome, param) => {
  const sale = paidSale()
  before(sale)
  const { writes } = sale.set
  expect(sale.run(disputeCommand('dsp_2', fields))).toMatchObject({ outcome, param })
  expect(sale.set.writes).toBe(writes)
})

it('openDispute takes the money from cash until the bank has decided', () => {
  const sale = paidSale()
  const dispute = {
    id: 'dsp_1',
    paymentId: 'pay_paid for hold_1',
    provider: 'stripe',
    providerDisputeId: 'bank dsp_1',
    amountMinor: 30,
    currency: 'usd',
    reason: 'fraudulent',
    createdMs: sale.nowMs,
    status: 'open',
    closedMs: null,
  }
  const result = sale.run(disputeCommand('dsp_1', { amountMinor: 30, reason: 'fraudulent' }))
  expect(result).toEqual({ outcome: 'dispute_saved', dispute, duplicate: false, replayed: false })
  expect(sale.balances()).toEqual({ 'cash:stripe': 170, sales: -200, disputes: 30 })
  expect(sale.payment('hold_1', 'stripe')).toMatchObject({ disputedMinor: 30, lostMinor: 0 })
})

it.each([{}, { amountMinor: 100 }])('openDispute answers the same dispute again as a duplicate: %j', (fields) => {
  const sale = paidSale()
  const first = sale.run(disputeCommand('dsp_1'))
  const { writes } = sale.set
  const again = disputeCommand('dsp_2', { providerDisputeId: 'bank dsp_1', ...fields })
  expect(sale.run(again)).toEqual({ ...first, duplicate: true })
  expect(sale.set.writes).toBe(writes)
})

it('openDispute sent again after a restart gives its first answer, even when it was closed since', () => {
  const sale = paidSale()
  const first = sale.run(disputeCommand('dsp_1'))
  sale.accept(closeCommand('dsp_1', 'won'))
  expect(sale.run(disputeCommand('dsp_1'))).toEqual(first)
})

it.each<[string, string, 'won' | 'lost', string, string]>([
  ['an unknown dispute', 'dsp_none', 'won', 'not_found', 'id'],
  ['a dispute that was lost as won', 'dsp_1', 'won', 'invalid_transition', 'status'],
])('closeDispute refuses %s', (_, id, status, outcome, param) => {
  const sale = paidSale()
  sale.accept(disputeCommand('dsp_1'), closeCommand('dsp_1', 'lost'))
  const { writes } = sale.set
  expect(sale.run(closeCommand(id, status))).toMatchObject({ outcome, param })
  expect(sale.set.writes).toBe(writes)
})

it('closeDispute that was won brings the money back, to be refunded', () => {
  const sale = paidSale()
  sale.accept(disputeCommand('dsp_1', { amountMinor: 30 }))
  sale.nowMs += 5
  const result = sale.run(closeCommand('dsp_1', 'won'))
  expect(result).toMatchObject({ dispute: { status: 'won', closedMs: sale.nowMs }, duplicate: false })
  expect(sale.balances()).toEqual({ 'cash:stripe': 200, sales: -200 })
  expect(sale.payment('hold_1', 'stripe')).toMatchObject({ disputedMinor: 0, lostMinor: 0 })
})

it('closeDispute that was lost takes the money from sales, and it stays disputed', () => {
  const sale = paidSale()
  sale.accept(disputeCommand('dsp_1', { amountMinor: 30 }))
  const result = sale.run(closeCommand('dsp_1', 'lost'))
  expect(result).toMatchObject({ dispute: { status: 'lost', closedMs: sale.nowMs } })
  expect(sale.balances()).toEqual({ 'cash:stripe': 170, sales: -170 })
  expect(sale.payment('hold_1', 'stripe')).toMatchObject({ disputedMinor: 30, lostMinor: 30 })
  const { writes } = sale.set
  expect(sale.run(closeCommand('dsp_1', 'lost'))).toEqual(result)
  expect(sale.set.writes).toBe(writes)
})

it('closeDispute that was lost over money without goods is what was owed to the buyer', () => {
  const sale = openSale()
  sale.accept(captureCommand('hold_none'))
  sale.accept(disputeCommand('dsp_1', { paymentId: 'pay_paid for hold_none' }), closeCommand('dsp_1', 'lost'))
  expect(sale.balances()).toEqual({})
})
