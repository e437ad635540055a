import { expect, it } from 'vitest'
import {
  attachCommand,
  captureCommand,
  customer,
  disputeCommand,
  expireCommand,
  holdCommand,
  openSale,
  refundCommand,
  releaseCommand,
  settleCommand,
  shoe,
  ttlMs,
} from '../test-sale.ts'
import type { CapturePayment, CreateDrop } from '@penstock/domain/command.ts'
import type { RejectionCode } from '@penstock/domain/result.ts'
import type { TestSale } from '../test-sale.ts'

const ann = customer('ann@example.com')
const paymentId = 'pay_paid for hold_none'
const pastDeadline = (sale: TestSale): void => {
  sale.nowMs += ttlMs
}
const release = (sale: TestSale): void => void sale.accept(releaseCommand('hold_1'))

interface Case {
  readonly what: string
  readonly drop?: Partial<CreateDrop>
  readonly payment?: Partial<CapturePayment>
  readonly before?: (sale: TestSale) => void
  readonly command?: { readonly paymentId?: string; readonly holdId?: string }
}

/** One shoe is held by hold_1, and 100 came for a hold nobody knows. */
function unmatchedSale({ drop, payment, before }: Case): TestSale {
  const sale = openSale(drop)
  sale.accept(holdCommand('hold_1', { customer: ann }), captureCommand('hold_none', { provider: 'stripe', ...payment }))
  before?.(sale)
  return sale
}

const attach = ({ command }: Case) =>
  attachCommand(command?.holdId ?? 'hold_1', command?.paymentId === undefined ? {} : { paymentId: command.paymentId })

interface Refusal extends Case {
  readonly outcome: RejectionCode
  readonly param: string
}

/** In the order of precedence. */
const refusals: readonly Refusal[] = [
  {
    what: 'an unknown payment',
    command: { paymentId: 'pay_none', holdId: 'hold_x' },
    outcome: 'not_found',
    param: 'id',
  },
  {
    what: 'a payment that has goods, to an unknown hold',
    before: (sale) => sale.accept(captureCommand('hold_1')),
    command: { paymentId: 'pay_paid for hold_1', holdId: 'hold_x' },
    outcome: 'invalid_transition',
    param: 'id',
  },
  {
    what: 'a payment that is due for a refund',
    before: (sale) => sale.accept(captureCommand('hold_1', { amountMinor: 1 })),
    command: { paymentId: 'pay_paid for hold_1' },
    outcome: 'invalid_transition',
    param: 'id',
  },
  {
    what: 'a payment that was attached to another hold',
    before: (sale) => sale.accept(holdCommand('hold_2'), attachCommand('hold_2')),
    outcome: 'invalid_transition',
    param: 'id',
  },
  {
    what: 'a payment of which some is refunded',
    before: (sale) => sale.accept(refundCommand('rfnd_1', { paymentId, amountMinor: 1 })),
    command: { holdId: 'hold_x' },
    outcome: 'invalid_transition',
    param: 'id',
  },
  {
    what: 'a payment of which some is disputed',
    before: (sale) => sale.accept(disputeCommand('dsp_1', { paymentId, amountMinor: 1 })),
    outcome: 'invalid_transition',
    param: 'id',
  },
  { what: 'to an unknown hold', command: { holdId: 'hold_x' }, outcome: 'not_found', param: 'hold' },
  {
    what: 'another currency, another amount too',
    payment: { currency: 'eur', amountMinor: 1 },
    outcome: 'payment_conflict',
    param: 'hold',
  },
  {
    what: 'another amount, to a hold that is paid',
    payment: { amountMinor: 99 },
    before: (sale) => sale.accept(captureCommand('hold_1')),
    outcome: 'payment_conflict',
    param: 'hold',
  },
  {
    what: 'to a hold that is paid',
    before: (sale) => sale.accept(captureCommand('hold_1')),
    outcome: 'hold_not_active',
    param: 'hold',
  },
  {
    what: 'past the deadline, refunds only',
    drop: { latePayment: 'refund' },
    before: pastDeadline,
    outcome: 'hold_not_active',
    param: 'hold',
  },
  {
    what: 'after release, refunds only',
    drop: { latePayment: 'refund' },
    before: release,
    outcome: 'hold_not_active',
    param: 'hold',
  },
  {
    what: 'after release, nothing left',
    before: (sale) => {
      release(sale)
      sale.accept(holdCommand('hold_rest', { lines: [{ skuId: shoe, quantity: 10 }] }))
    },
    outcome: 'sold_out',
    param: 'hold',
  },
  {
    what: 'after release, the limit reached meanwhile',
    drop: { maxPerCustomer: 1 },
    before: (sale) => {
      release(sale)
      sale.accept(holdCommand('hold_2', { customer: ann }))
    },
    outcome: 'limit_reached',
    param: 'hold',
  },
]

it.each(refusals)('attachPayment refuses $what: $outcome, $param', (row) => {
  const sale = unmatchedSale(row)
  const { writes } = sale.set
  expect(sale.run(attach(row))).toMatchObject({ outcome: row.outcome, param: row.param })
  expect(sale.set.writes).toBe(writes)
})

const accepted: readonly Case[] = [
  { what: 'to an active hold' },
  { what: 'past the deadline, units left', before: pastDeadline },
  {
    what: 'after expiry, units left',
    before: (sale) => {
      pastDeadline(sale)
      sale.accept(expireCommand)
    },
  },
  { what: 'after release, units left', before: release },
  {
    what: 'after a refund that failed',
    before: (sale) => sale.accept(refundCommand('rfnd_1', { paymentId }), settleCommand('rfnd_1', 'failed')),
  },
]

it.each(accepted)('attachPayment makes an order $what', (row) => {
  const sale = unmatchedSale(row)
  const before = sale.payment('hold_none', 'stripe')
  const payment = {
    ...before,
    orderId: 'ord_paid for hold_none',
    status: 'captured',
    reason: null,
    attachedHoldId: 'hold_1',
  }
  expect(sale.run(attach(row))).toEqual({ outcome: 'payment_attached', payment, replayed: false })
  expect(sale.payment('hold_none', 'stripe')).toEqual(payment)
  expect(sale.order('ord_paid for hold_none')).toMatchObject({ holdId: 'hold_1', paymentId, amountMinor: 100 })
  expect(sale.hold('hold_1').status).toBe('captured')
  expect(sale.counters(shoe)).toEqual([0, 1])
  expect(sale.balances()).toEqual({ 'cash:stripe': 100, sales: -100 })
  expect(sale.set.entries.at(-1)).toMatchObject({ debit: 'refunds_due', credit: 'sales', causeId: 'hold_1' })
})

it('attachPayment told again answers the same and changes nothing', () => {
  const sale = unmatchedSale({ what: '' })
  const first = sale.run(attachCommand('hold_1'))
  const { writes } = sale.set
  expect(sale.run(attachCommand('hold_1'))).toEqual(first)
  expect(sale.set.writes).toBe(writes)
})

it('attachPayment makes the money refundable by lines', () => {
  const sale = unmatchedSale({ what: '' })
  sale.accept(attachCommand('hold_1'), refundCommand('rfnd_1', { paymentId, restock: true }))
  sale.accept(settleCommand('rfnd_1', 'succeeded'))
  expect(sale.counters(shoe)).toEqual([0, 0])
  expect(sale.balances()).toEqual({})
})
