import { expect, it } from 'vitest'
import {
  captureCommand,
  customer,
  expireCommand,
  holdCommand,
  openSale,
  phaseCommand,
  releaseCommand,
  shoe,
  sock,
  startMs,
  ttlMs,
} from '../test-sale.ts'
import type { CapturePayment, CreateDrop } from '@penstock/domain/command.ts'
import type { FeeRule } from '@penstock/domain/fee.ts'
import type { PaymentReason } from '@penstock/domain/payment.ts'
import type { TestSale } from '../test-sale.ts'

const pastDeadline = (sale: TestSale): void => {
  sale.nowMs += ttlMs
}
const expire = (sale: TestSale): void => {
  pastDeadline(sale)
  sale.accept(expireCommand)
}
const release = (sale: TestSale): void => void sale.accept(releaseCommand('hold_1'))
const sellTheRest = (sale: TestSale): void => {
  const free = 10 - sale.counters(shoe)[0] - sale.counters(shoe)[1]
  sale.accept(holdCommand('hold_rest', { lines: [{ skuId: shoe, quantity: free }] }))
}

interface Case {
  readonly what: string
  readonly drop?: Partial<CreateDrop>
  /** What happens between hold and payment. */
  readonly before?: (sale: TestSale) => void
  readonly payment?: Partial<CapturePayment>
  /** Null: the order is paid. */
  readonly reason: PaymentReason | null
  readonly shoes: readonly [held: number, sold: number]
}

const refundOnly: Partial<CreateDrop> = { latePayment: 'refund' }
const ann = customer('ann@example.com')

/** In the order of precedence of `capturePayment`; one shoe is held by hold_1. */
const cases: readonly Case[] = [
  {
    what: 'for an unknown hold, wrong in all else too',
    payment: { holdId: 'hold_none', currency: 'eur', amountMinor: 1 },
    reason: 'unknown_hold',
    shoes: [1, 0],
  },
  {
    what: 'in another currency, of another amount too',
    payment: { currency: 'eur', amountMinor: 99 },
    reason: 'currency_mismatch',
    shoes: [1, 0],
  },
  { what: 'of too little', payment: { amountMinor: 99 }, reason: 'amount_mismatch', shoes: [1, 0] },
  { what: 'of too much', payment: { amountMinor: 101 }, reason: 'amount_mismatch', shoes: [1, 0] },
  {
    what: 'of too little for a hold that is paid',
    before: (sale) => sale.accept(captureCommand('hold_1', { providerPaymentId: 'first' })),
    payment: { amountMinor: 99 },
    reason: 'amount_mismatch',
    shoes: [0, 1],
  },
  {
    what: 'for a hold that another payment captured',
    before: (sale) => sale.accept(captureCommand('hold_1', { providerPaymentId: 'first' })),
    reason: 'hold_already_captured',
    shoes: [0, 1],
  },
  {
    what: 'with the same id at another provider, for a hold that is paid',
    before: (sale) => sale.accept(captureCommand('hold_1', { provider: 'stripe', paymentId: 'pay_p' })),
    reason: 'hold_already_captured',
    shoes: [0, 1],
  },
  { what: 'for an active hold', reason: null, shoes: [0, 1] },
  {
    what: 'at the last moment',
    before: (sale) => {
      sale.nowMs += ttlMs - 1
    },
    reason: null,
    shoes: [0, 1],
  },
  {
    what: 'after the drop was paused',
    before: (sale) => sale.accept(phaseCommand('pause')),
    reason: null,
    shoes: [0, 1],
  },
  { what: 'after the drop was ended', before: (sale) => sale.accept(phaseCommand('end')), reason: null, shoes: [0, 1] },
  {
    what: 'after the end of the sale',
    drop: { endsAtMs: startMs + 1 },
    before: (sale) => {
      sale.nowMs += 1
    },
    reason: null,
    shoes: [0, 1],
  },
  { what: 'at the deadline, units left', before: pastDeadline, reason: null, shoes: [0, 1] },
  { what: 'after expiry, units left', before: expire, reason: null, shoes: [0, 1] },
  { what: 'after release, units left', before: release, reason: null, shoes: [0, 1] },
  {
    what: 'after expiry and after the drop was ended, units left',
    before: (sale) => {
      expire(sale)
      sale.accept(phaseCommand('end'))
    },
    reason: null,
    shoes: [0, 1],
  },
  {
    what: 'at the deadline, nothing else left',
    before: (sale) => {
      sellTheRest(sale)
      pastDeadline(sale)
    },
    reason: null,
    shoes: [9, 1],
  },
  {
    what: 'at the deadline, refunds only',
    drop: refundOnly,
    before: pastDeadline,
    reason: 'hold_expired',
    shoes: [0, 0],
  },
  { what: 'after expiry, refunds only', drop: refundOnly, before: expire, reason: 'hold_expired', shoes: [0, 0] },
  { what: 'after release, refunds only', drop: refundOnly, before: release, reason: 'hold_released', shoes: [0, 0] },
  {
    what: 'after expiry, nothing left and the limit reached',
    drop: { maxPerCustomer: 9 },
    before: (sale) => {
      expire(sale)
      sale.accept(holdCommand('hold_2', { customer: ann, lines: [{ skuId: shoe, quantity: 9 }] }))
      sale.accept(holdCommand('hold_3'))
    },
    reason: 'sold_out',
    shoes: [10, 0],
  },
  {
    what: 'after release, the limit reached meanwhile',
    drop: { maxPerCustomer: 1 },
    before: (sale) => {
      release(sale)
      sale.accept(holdCommand('hold_2', { customer: ann }))
    },
    reason: 'limit_reached',
    shoes: [1, 0],
  },
]

it.each(cases)('capturePayment $what: reason $reason', ({ drop, before, payment, reason, shoes }) => {
  const sale = openSale(drop)
  sale.accept(holdCommand('hold_1', { customer: ann }))
  before?.(sale)
  const entries = sale.set.entries.length
  const command = captureCommand('hold_1', payment)
  const paid = reason === null
  const expected = {
    id: command.paymentId,
    provider: 'manual',
    providerPaymentId: 'paid for hold_1',
    holdId: command.holdId,
    orderId: paid ? 'ord_paid for hold_1' : null,
    amountMinor: command.amountMinor,
    currency: command.currency,
    status: paid ? 'captured' : reason === 'unknown_hold' ? 'unmatched' : 'refund_due',
    reason,
    createdMs: sale.nowMs,
    attachedHoldId: null,
    refundedMinor: 0,
    disputedMinor: 0,
    lostMinor: 0,
  }

  expect(sale.run(command)).toEqual({
    outcome: 'payment_recorded',
    payment: expected,
    duplicate: false,
    replayed: false,
  })
  expect(sale.set.payments.find('manual/paid for hold_1')).toEqual(expected)
  expect(sale.set.entries.slice(entries)).toEqual([
    {
      paymentId: command.paymentId,
      debit: 'cash:manual',
      credit: paid ? 'sales' : 'refunds_due',
      amountMinor: command.amountMinor,
      currency: command.currency,
      createdMs: sale.nowMs,
      causeId: null,
    },
  ])
  expect(sale.set.orderChanges.rows.size).toBe(0)
  if (paid) {
    expect(sale.hold('hold_1').status).toBe('captured')
    expect(sale.order('ord_paid for hold_1')).toEqual({
      id: 'ord_paid for hold_1',
      dropId: 'drop_1',
      holdId: 'hold_1',
      paymentId: command.paymentId,
      amountMinor: 100,
      currency: 'usd',
      createdMs: sale.nowMs,
      cancelledMs: null,
      fulfilledMs: null,
    })
  }
  expect(sale.counters(shoe)).toEqual(shoes)
})

it.each<[string, Partial<CapturePayment>]>([
  ['captured', {}],
  ['refund_due', { amountMinor: 99 }],
  ['unmatched', { holdId: 'hold_none' }],
])('capturePayment answers the same payment again as a duplicate: %s', (status, facts) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'))
  const first = sale.run(captureCommand('hold_1', facts))
  const { writes } = sale.set
  const again = sale.run(captureCommand('hold_1', { ...facts, paymentId: 'pay_2' }))
  expect(again).toEqual({ ...first, duplicate: true })
  expect(again).toMatchObject({ payment: { status } })
  expect(sale.set.writes).toBe(writes)
})

it.each<[string, Partial<CapturePayment>]>([
  ['hold', { holdId: 'hold_2' }],
  ['amount', { amountMinor: 99 }],
  ['currency', { currency: 'eur' }],
])('capturePayment refuses the same payment id with another %s: payment_conflict', (_, facts) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), holdCommand('hold_2'), captureCommand('hold_1'))
  const { writes } = sale.set
  const result = sale.run(
    captureCommand('hold_1', { providerPaymentId: 'paid for hold_1', paymentId: 'pay_2', ...facts }),
  )
  expect(result).toMatchObject({ outcome: 'payment_conflict', param: 'provider_payment_id' })
  expect(sale.set.writes).toBe(writes)
})

it('capturePayment keeps payments of different providers apart', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), holdCommand('hold_2'))
  sale.accept(captureCommand('hold_1', { provider: 'stripe', providerPaymentId: 'x' }))
  const second = captureCommand('hold_2', { provider: 'payos', providerPaymentId: 'x', paymentId: 'pay_p' })
  expect(sale.run(second)).toMatchObject({ duplicate: false, payment: { status: 'captured', orderId: 'ord_p' } })
})

it('capturePayment settles a hold past its deadline before it refuses the money goods', () => {
  const sale = openSale({ ...refundOnly, maxPerCustomer: 5 })
  sale.accept(holdCommand('hold_1', { customer: ann }))
  pastDeadline(sale)
  sale.accept(captureCommand('hold_1'))
  expect(sale.hold('hold_1').status).toBe('expired')
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': 0 })
  // Nothing is left for the expiry to do.
  expect(sale.run(expireCommand)).toMatchObject({ count: 0 })
})

it('capturePayment counts reacquired units towards the limit again', () => {
  const sale = openSale({ maxPerCustomer: 2 })
  sale.accept(holdCommand('hold_1', { customer: ann }), releaseCommand('hold_1'))
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': 0 })
  sale.accept(captureCommand('hold_1'))
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': 1 })
})

it('capturePayment reacquires all lines or none', () => {
  const sale = openSale()
  const lines = [
    { skuId: shoe, quantity: 1 },
    { skuId: sock, quantity: 5 },
  ]
  sale.accept(holdCommand('hold_1', { lines }), releaseCommand('hold_1'))
  sale.accept(holdCommand('hold_2', { lines: [{ skuId: sock, quantity: 1 }] }))
  expect(sale.run(captureCommand('hold_1', { amountMinor: 225 }))).toMatchObject({ payment: { reason: 'sold_out' } })
  expect(sale.counters(shoe)).toEqual([0, 0])
  expect(sale.counters(sock)).toEqual([1, 0])
})

it('capturePayment asks for the price of the hold, not of today', () => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), {
    kind: 'update_drop',
    key: null,
    dropId: 'drop_1',
    changes: {},
    skuChanges: [{ skuId: shoe, name: null, unitAmountMinor: 500, maxPerOrder: null }],
    newSkus: [],
  })
  expect(sale.run(captureCommand('hold_1'))).toMatchObject({ payment: { status: 'captured' } })
})

const fees: readonly FeeRule[] = [
  { name: 'Parcel', kind: 'shipping', amountMinor: 5, basisPoints: null },
  { name: 'VAT', kind: 'tax', amountMinor: null, basisPoints: 1_900 },
  { name: 'City tax', kind: 'tax', amountMinor: null, basisPoints: 100 },
  { name: 'Gift', kind: 'service', amountMinor: 0, basisPoints: null },
]

/** The sale of one shoe with `fees`, and its ledger as `[debit, credit, amount]`. */
function capturedWithFees(payment: Partial<CapturePayment>) {
  const sale = openSale({ fees })
  sale.accept(holdCommand('hold_1'), captureCommand('hold_1', payment))
  return sale.set.entries.map(({ debit, credit, amountMinor }) => [debit, credit, amountMinor])
}

it('capturePayment credits the goods to sales and each kind of fee to its own account', () => {
  expect(capturedWithFees({ amountMinor: 125 })).toEqual([
    ['cash:manual', 'sales', 100],
    ['cash:manual', 'fees:shipping', 5],
    ['cash:manual', 'fees:tax', 20],
  ])
})

it('capturePayment owes the whole payment back, fees included, where goods are not given', () => {
  expect(capturedWithFees({ amountMinor: 100 })).toEqual([['cash:manual', 'refunds_due', 100]])
  expect(capturedWithFees({ amountMinor: 125, currency: 'eur' })).toEqual([['cash:manual', 'refunds_due', 125]])
})

it('capturePayment makes one entry for goods without fees, and for fees without goods two', () => {
  const free = openSale({
    skus: [{ id: shoe, name: 'Free', unitAmountMinor: 0, stock: 1, maxPerOrder: null }],
    fees: fees.slice(0, 1),
  })
  free.accept(holdCommand('hold_1'), captureCommand('hold_1', { amountMinor: 5 }))
  expect(free.set.entries).toMatchObject([
    { credit: 'sales', amountMinor: 0 },
    { credit: 'fees:shipping', amountMinor: 5 },
  ])
  const plain = openSale()
  plain.accept(holdCommand('hold_1'), captureCommand('hold_1'))
  expect(plain.set.entries).toMatchObject([{ credit: 'sales', amountMinor: 100 }])
})

/** What happens between hold and payment in a drop that is cancelled, and why there are no goods. */
it.each<[string, (sale: TestSale) => void, PaymentReason | null]>([
  ['an active hold is paid', () => undefined, null],
  ['one released before', release, 'hold_released'],
  ['one expired before', expire, 'hold_expired'],
  ['one whose deadline just passed', pastDeadline, 'hold_expired'],
])('capturePayment in a cancelled drop: %s', (_, before, reason) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), phaseCommand('cancel'))
  before(sale)
  const status = reason === null ? 'captured' : 'refund_due'
  expect(sale.run(captureCommand('hold_1'))).toMatchObject({ payment: { status, reason } })
  expect(sale.counters(shoe)).toEqual([0, reason === null ? 1 : 0])
})
