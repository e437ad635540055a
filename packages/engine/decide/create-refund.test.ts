import { expect, it } from 'vitest'
import {
  captureCommand,
  customer,
  disputeCommand,
  holdCommand,
  openSale,
  refundCommand,
  settleCommand,
  shoe,
  sock,
} from '../test-sale.ts'
import type { CreateRefund } from '@penstock/domain/command.ts'
import type { RejectionCode } from '@penstock/domain/result.ts'
import type { TestSale } from '../test-sale.ts'

/** hold_1: 2 shoes at 100 and 4 socks at 25, paid: 300 in all. */
const lines = [
  { skuId: shoe, quantity: 2 },
  { skuId: sock, quantity: 3 },
  { skuId: sock, quantity: 1 },
]
const paidMinor = 300

function paidSale(provider = 'manual'): TestSale {
  const sale = openSale({ maxPerCustomer: 9 })
  sale.accept(
    holdCommand('hold_1', { lines, customer: customer('ann@example.com') }),
    captureCommand('hold_1', { provider, amountMinor: paidMinor }),
  )
  return sale
}

/** `[refunded, restocked]` of each SKU of the order. */
function refundedUnits(sale: TestSale): Record<string, readonly [number, number]> {
  const rows = [...sale.set.lineRefunds.rows.values()]
  return Object.fromEntries(rows.map((row) => [row.skuId, [row.refundedQuantity, row.restockedQuantity]]))
}

interface Refusal {
  readonly what: string
  readonly before?: (sale: TestSale) => void
  readonly wish: Partial<CreateRefund>
  readonly outcome: RejectionCode
  readonly param: string
}

const withoutOrder = { paymentId: 'pay_paid for hold_none' }

/** In the order of precedence; each wish is wrong in what comes later, too. */
const refusals: readonly Refusal[] = [
  {
    what: 'of an unknown payment',
    wish: { paymentId: 'pay_none', lines: [{ skuId: 'sku_none', quantity: 99 }], amountMinor: 999 },
    outcome: 'not_found',
    param: 'payment',
  },
  {
    what: 'of lines although there is no order',
    before: (sale) => sale.accept(captureCommand('hold_none')),
    wish: { ...withoutOrder, lines: [{ skuId: shoe, quantity: 1 }], amountMinor: 999, restock: true },
    outcome: 'invalid_request',
    param: 'lines',
  },
  {
    what: 'of a SKU that is not of the order',
    wish: {
      lines: [
        { skuId: shoe, quantity: 1 },
        { skuId: 'sku_none', quantity: 1 },
      ],
      amountMinor: 999,
    },
    outcome: 'not_found',
    param: 'lines[1].sku',
  },
  {
    what: 'of more units than were paid, counting two lines together',
    wish: {
      lines: [
        { skuId: shoe, quantity: 1 },
        { skuId: sock, quantity: 3 },
        { skuId: sock, quantity: 2 },
      ],
      amountMinor: 999,
    },
    outcome: 'refund_too_large',
    param: 'lines[1].quantity',
  },
  {
    what: 'of more units than are left',
    before: (sale) => sale.accept(refundCommand('rfnd_1', { lines: [{ skuId: shoe, quantity: 1 }] })),
    wish: { lines: [{ skuId: shoe, quantity: 2 }], amountMinor: 1 },
    outcome: 'refund_too_large',
    param: 'lines[0].quantity',
  },
  {
    what: 'that puts nothing back on sale',
    wish: { amountMinor: 999, restock: true },
    outcome: 'invalid_request',
    param: 'restock',
  },
  {
    what: 'of money without an order that would be put on sale',
    before: (sale) => sale.accept(captureCommand('hold_none')),
    wish: { ...withoutOrder, restock: true },
    outcome: 'invalid_request',
    param: 'restock',
  },
  { what: 'of more than was paid', wish: { amountMinor: 301 }, outcome: 'refund_too_large', param: 'amount' },
  {
    what: 'of more than is left',
    before: (sale) => sale.accept(refundCommand('rfnd_1', { amountMinor: 1 })),
    wish: { amountMinor: 300 },
    outcome: 'refund_too_large',
    param: 'amount',
  },
  {
    what: 'of money that is disputed',
    before: (sale) => sale.accept(disputeCommand('dsp_1', { amountMinor: 200 })),
    wish: { amountMinor: 101 },
    outcome: 'refund_too_large',
    param: 'amount',
  },
  {
    what: 'of lines whose price is more than is left',
    before: (sale) => sale.accept(refundCommand('rfnd_1', { amountMinor: 150 })),
    wish: { lines: [{ skuId: shoe, quantity: 2 }] },
    outcome: 'refund_too_large',
    param: 'amount',
  },
  { what: 'of nothing', wish: { amountMinor: 0 }, outcome: 'refund_too_large', param: 'amount' },
  {
    what: 'of all that is left when nothing is',
    before: (sale) => sale.accept(refundCommand('rfnd_1')),
    wish: {},
    outcome: 'refund_too_large',
    param: 'amount',
  },
]

it.each(refusals)('createRefund $what: $outcome, $param', ({ before, wish, outcome, param }) => {
  const sale = paidSale()
  before?.(sale)
  const { writes } = sale.set
  expect(sale.run(refundCommand('rfnd_2', wish))).toMatchObject({ outcome, param })
  expect(sale.set.writes).toBe(writes)
})

interface Accepted {
  readonly what: string
  readonly wish: Partial<CreateRefund>
  readonly amountMinor: number
  readonly lines: CreateRefund['lines']
  readonly units: Record<string, readonly [number, number]>
}

const allLines = [
  { skuId: shoe, quantity: 2 },
  { skuId: sock, quantity: 4 },
]

/** All restocks are of a provider that pays at once. */
const accepted: readonly Accepted[] = [
  {
    what: 'all that is left, with all units',
    wish: {},
    amountMinor: 300,
    lines: allLines,
    units: { [shoe]: [2, 0], [sock]: [4, 0] },
  },
  {
    what: 'all that is left, put back on sale',
    wish: { restock: true },
    amountMinor: 300,
    lines: allLines,
    units: { [shoe]: [2, 2], [sock]: [4, 4] },
  },
  { what: 'an amount, without units', wish: { amountMinor: 7 }, amountMinor: 7, lines: [], units: {} },
  {
    what: 'lines at their price, one line a SKU',
    wish: {
      lines: [
        { skuId: sock, quantity: 1 },
        { skuId: sock, quantity: 2 },
      ],
    },
    amountMinor: 75,
    lines: [{ skuId: sock, quantity: 3 }],
    units: { [sock]: [3, 0] },
  },
  {
    what: 'an amount for lines, put back on sale',
    wish: { amountMinor: 1, lines: [{ skuId: shoe, quantity: 1 }], restock: true },
    amountMinor: 1,
    lines: [{ skuId: shoe, quantity: 1 }],
    units: { [shoe]: [1, 1] },
  },
  {
    what: 'units without money',
    wish: { amountMinor: 0, lines: [{ skuId: shoe, quantity: 1 }] },
    amountMinor: 0,
    lines: [{ skuId: shoe, quantity: 1 }],
    units: { [shoe]: [1, 0] },
  },
]

it.each(accepted)('createRefund gives back $what', ({ wish, amountMinor, lines: counted, units }) => {
  const sale = paidSale()
  sale.nowMs += 5
  const result = sale.run(refundCommand('rfnd_1', { reason: 'Too small', ...wish }))
  const refund = {
    id: 'rfnd_1',
    paymentId: 'pay_paid for hold_1',
    orderId: 'ord_paid for hold_1',
    amountMinor,
    currency: 'usd',
    lines: counted,
    restock: wish.restock ?? false,
    reason: 'Too small',
    createdMs: sale.nowMs,
    status: 'succeeded',
    settledMs: sale.nowMs,
  }
  expect(result).toEqual({ outcome: 'refund_saved', refund, replayed: false })
  expect(sale.set.refunds.find('rfnd_1')).toEqual(refund)
  expect(sale.payment('hold_1').refundedMinor).toBe(amountMinor)
  expect(refundedUnits(sale)).toEqual(units)
  const [shoesBack, socksBack] = [units[shoe]?.[1] ?? 0, units[sock]?.[1] ?? 0]
  expect([sale.counters(shoe), sale.counters(sock)]).toEqual([
    [0, 2 - shoesBack],
    [0, 4 - socksBack],
  ])
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': 6 - shoesBack - socksBack })
  const earned = paidMinor - amountMinor
  expect(sale.balances()).toEqual(earned === 0 ? {} : { 'cash:manual': earned, sales: -earned })
})

it('createRefund by a provider owes the money until it is settled, and puts nothing on sale before', () => {
  const sale = paidSale('stripe')
  const result = sale.run(refundCommand('rfnd_1', { lines: [{ skuId: shoe, quantity: 1 }], restock: true }))
  expect(result).toMatchObject({ refund: { status: 'pending', settledMs: null } })
  expect(sale.balances()).toEqual({ 'cash:stripe': 300, sales: -200, refunds_due: -100 })
  expect(sale.counters(shoe)).toEqual([0, 2])
  expect(refundedUnits(sale)).toEqual({ [shoe]: [1, 0] })
  expect(sale.set.entries.at(-1)).toEqual({
    paymentId: 'pay_paid for hold_1',
    debit: 'sales',
    credit: 'refunds_due',
    amountMinor: 100,
    currency: 'usd',
    createdMs: sale.nowMs,
    causeId: 'rfnd_1',
  })
})

it('createRefund of units without money asks no provider', () => {
  const sale = paidSale('stripe')
  const entries = sale.set.entries.length
  const wish = { amountMinor: 0, lines: [{ skuId: shoe, quantity: 1 }], restock: true }
  expect(sale.run(refundCommand('rfnd_1', wish))).toMatchObject({ refund: { status: 'succeeded' } })
  expect(sale.counters(shoe)).toEqual([0, 1])
  expect(sale.set.entries).toHaveLength(entries)
})

it.each([
  ['refund_due', { amountMinor: 99 }],
  ['unmatched', { holdId: 'hold_none', amountMinor: 99 }],
] as const)('createRefund of money that is %s takes it from what is owed already', (_, facts) => {
  const sale = openSale()
  sale.accept(holdCommand('hold_1'), captureCommand('hold_1', { provider: 'stripe', ...facts }))
  sale.accept(refundCommand('rfnd_1', { amountMinor: 40 }), refundCommand('rfnd_2'))
  expect(sale.balances()).toEqual({ 'cash:stripe': 99, refunds_due: -99 })
  expect(sale.set.refunds.find('rfnd_2')).toMatchObject({ amountMinor: 59, orderId: null, lines: [] })
  sale.accept(settleCommand('rfnd_1', 'failed'), settleCommand('rfnd_2', 'succeeded'))
  expect(sale.balances()).toEqual({ 'cash:stripe': 40, refunds_due: -40 })
  // Nothing moves until it is paid: the money was owed before.
  expect(sale.set.entries.map((entry) => entry.causeId)).toEqual([null, 'rfnd_2'])
})

it('createRefund sent again after a restart is answered, not done twice', () => {
  const sale = paidSale()
  const command = refundCommand('rfnd_1', { amountMinor: 200 })
  const first = sale.run(command)
  const { writes } = sale.set
  expect(sale.run(command)).toEqual(first)
  expect(sale.set.writes).toBe(writes)
})

it('createRefund may be repeated until all is back, in parts', () => {
  const sale = paidSale()
  for (let part = 0; part < 3; part++) sale.accept(refundCommand(`rfnd_${part}`, { amountMinor: 100 }))
  expect(sale.payment('hold_1').refundedMinor).toBe(300)
  expect(sale.balances()).toEqual({})
  // The units are left: goods may come back without money.
  expect(sale.run(refundCommand('rfnd_4', { restock: true }))).toMatchObject({ refund: { amountMinor: 0 } })
  expect(sale.counters(shoe)).toEqual([0, 0])
})
