import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  captureCommand,
  customer,
  disputeFact,
  holdCommand,
  openSale,
  refundCommand,
  refundFact,
  settleCommand,
  shoe,
} from '../test-sale.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { TestSale } from '../test-sale.ts'

const lines = [{ skuId: shoe, quantity: 3 }]
const hold = holdCommand('hold_1', { lines, customer: customer('ann@example.com') })
/** Three shoes for 300. */
const capture = captureCommand('hold_1', { provider: 'stripe', amountMinor: 300 })

function paidSale(): TestSale {
  const sale = openSale({ maxPerCustomer: 9 })
  sale.accept(hold, capture)
  return sale
}

/** What is left of it all: no order of anything, and no time. */
function stateOf(sale: TestSale): unknown {
  const { set } = sale
  const sorted = <Row>(rows: Iterable<Row>): Row[] =>
    [...rows].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  const refunds = [...set.refunds.rows.values()].map((row) => ({ ...row, createdMs: 0, settledMs: 0 }))
  const disputes = [...set.disputes.rows.values()].map((row) => ({ ...row, createdMs: 0, closedMs: 0 }))
  const waiting = [...set.waitingFacts.rows].flatMap(([key, row]) => (row.isWaiting ? [[key, row.fact]] : []))
  return {
    payments: [...set.payments.rows.values()].map((row) => ({ ...row, createdMs: 0 })),
    refunds: sorted(refunds),
    disputes: sorted(disputes),
    waiting: sorted(waiting),
    units: sorted(set.lineRefunds.rows.values()).filter((row) => row.refundedQuantity + row.restockedQuantity > 0),
    balances: sale.balances(),
    shoes: sale.counters(shoe),
    buyers: sale.buyers(),
  }
}

it.each<[string, Command[], Command, 'applied' | 'waiting', object]>([
  ['of an unknown payment waits', [], refundFact('re_1', { providerPaymentId: 'none' }), 'waiting', {}],
  ['in another currency waits', [], refundFact('re_1', { currency: 'eur' }), 'waiting', {}],
  ['of more than is left waits', [], refundFact('re_1', { amountMinor: 301 }), 'waiting', {}],
  ['that nobody asked us for', [], refundFact('re_1'), 'applied', { id: 'rfnd_of re_1', amountMinor: 100, lines: [] }],
  ['that is pending', [], refundFact('re_1', { status: 'pending' }), 'applied', { status: 'pending' }],
  ['of which we hear when it failed', [], refundFact('re_1', { status: 'failed' }), 'applied', { status: 'failed' }],
  [
    'of ours that succeeded',
    [refundCommand('rfnd_1', { amountMinor: 100 })],
    refundFact('re_1', { refundId: 'rfnd_1' }),
    'applied',
    { id: 'rfnd_1', status: 'succeeded' },
  ],
  [
    'of ours that failed',
    [refundCommand('rfnd_1', { amountMinor: 100 })],
    refundFact('re_1', { refundId: 'rfnd_1', status: 'failed' }),
    'applied',
    { id: 'rfnd_1', status: 'failed' },
  ],
  [
    'with another amount than ours waits',
    [refundCommand('rfnd_1', { amountMinor: 99 })],
    refundFact('re_1', { refundId: 'rfnd_1' }),
    'waiting',
    { id: 'rfnd_1', status: 'pending' },
  ],
  [
    'that succeeded and then failed',
    [refundFact('re_1')],
    refundFact('re_1', { status: 'failed' }),
    'applied',
    { status: 'failed' },
  ],
  [
    'that failed and, late, succeeded',
    [refundFact('re_1', { status: 'failed' })],
    refundFact('re_1'),
    'applied',
    { status: 'failed' },
  ],
  [
    'naming a refund of ours that we do not have',
    [],
    refundFact('re_1', { refundId: 'rfnd_lost' }),
    'applied',
    { id: 'rfnd_of re_1' },
  ],
])('takeFact: a refund %s', (_, before, command, effect, row) => {
  const sale = paidSale()
  sale.accept(...before)
  expect(sale.run(command)).toEqual({ outcome: 'fact_taken', effect, replayed: false })
  if (effect === 'waiting') expect([...sale.set.waitingFacts.rows.values()]).toMatchObject([{ isWaiting: true }])
  const [refund = {}] = [...sale.set.refunds.rows.values()]
  expect(refund).toMatchObject(row)
})

it('takeFact sets amounts and moves money once, however often a refund is reported', () => {
  const sale = paidSale()
  sale.accept(refundFact('re_1', { status: 'pending' }), refundFact('re_1'), refundFact('re_1'), refundFact('re_2'))
  expect(sale.payment('hold_1', 'stripe')).toMatchObject({ refundedMinor: 200 })
  expect(sale.balances()).toEqual({ 'cash:stripe': 100, sales: -100 })
})

it('takeFact of a refund that came back gives the buyer the units again, if they are left', () => {
  const sale = paidSale()
  const own = { lines: [{ skuId: shoe, quantity: 2 }], restock: true }
  sale.accept(refundCommand('rfnd_1', own))
  const fact = { refundId: 'rfnd_1', amountMinor: 200 }
  sale.accept(refundFact('re_1', fact))
  expect(sale.counters(shoe)).toEqual([0, 1])
  sale.accept(refundFact('re_1', { ...fact, status: 'failed' }))
  expect(sale.counters(shoe)).toEqual([0, 3])
  expect(sale.buyers()).toEqual({ 'email:ann@example.com': 3 })
  expect(sale.balances()).toEqual({ 'cash:stripe': 300, sales: -300 })
  expect(sale.run(refundCommand('rfnd_2'))).toMatchObject({ refund: { amountMinor: 300, lines } })
})

it('takeFact of a refund that came back after its units were sold again keeps those units refunded, without money', () => {
  const sale = paidSale()
  const own = [{ skuId: shoe, quantity: 2 }]
  sale.accept(
    refundCommand('rfnd_1', { lines: own, restock: true }),
    refundFact('re_1', { refundId: 'rfnd_1', amountMinor: 200 }),
    holdCommand('hold_2', { lines: [{ skuId: shoe, quantity: 9 }] }),
    refundFact('re_1', { refundId: 'rfnd_1', amountMinor: 200, status: 'failed' }),
  )
  expect(sale.counters(shoe)).toEqual([9, 1])
  expect(sale.set.refunds.find('rfnd_1')).toMatchObject({ status: 'failed' })
  const kept = { amountMinor: 0, status: 'succeeded', restock: true, lines: own }
  expect(sale.set.refunds.find('rfnd_of re_1')).toMatchObject(kept)
  expect([...sale.set.lineRefunds.rows.values()]).toMatchObject([{ refundedQuantity: 2, restockedQuantity: 2 }])
  expect(sale.payment('hold_1', 'stripe')).toMatchObject({ refundedMinor: 0 })
  expect(sale.balances()).toEqual({ 'cash:stripe': 300, sales: -300 })
})

it('takeFact that has no room waits until a refund of ours has failed', () => {
  const sale = paidSale()
  sale.accept(refundCommand('rfnd_1'), refundFact('re_1', { amountMinor: 300 }))
  expect(sale.set.refunds.find('rfnd_of re_1')).toBeUndefined()
  sale.accept(settleCommand('rfnd_1', 'failed'))
  expect(sale.set.refunds.find('rfnd_of re_1')).toMatchObject({ status: 'succeeded', amountMinor: 300 })
  expect([...sale.set.waitingFacts.rows.values()]).toMatchObject([{ isWaiting: false }])
})

it.each([
  ['open', { disputes: 100, 'cash:stripe': 200, sales: -300 }],
  ['won', { 'cash:stripe': 300, sales: -300 }],
  ['lost', { 'cash:stripe': 200, sales: -200 }],
] as const)('takeFact of a dispute that is %s, also when it is the first we hear of it', (status, balances) => {
  for (const before of [[], [disputeFact('dp_1')]]) {
    const sale = paidSale()
    sale.accept(...before, disputeFact('dp_1', { status }), disputeFact('dp_1'))
    expect(sale.set.disputes.find('stripe/dp_1')).toMatchObject({ status, amountMinor: 100 })
    expect(sale.balances()).toEqual(balances)
  }
})

it.each([
  ['nothing', refundFact('re_1', { providerPaymentId: 'of another shop' })],
  ['a refund', refundFact('re_1', { amountMinor: 300 })],
])('capturePayment answers the same when %s waited for it', (_, early) => {
  const [plain, late] = [openSale({ maxPerCustomer: 9 }), openSale({ maxPerCustomer: 9 })]
  plain.accept(hold)
  late.accept(hold, early)
  expect(late.run(capture)).toEqual(plain.run(capture))
})

/** A story as the provider sees it: its events in their true order, and the commands of ours between them. */
const stories: readonly (readonly [string, readonly Command[]])[] = [
  ['a refund in the dashboard', [capture, refundFact('re_1', { status: 'pending' }), refundFact('re_1')]],
  [
    'a refund that comes back, and another',
    [
      capture,
      refundFact('re_1', { amountMinor: 300, status: 'pending' }),
      refundFact('re_1', { amountMinor: 300 }),
      refundFact('re_1', { amountMinor: 300, status: 'failed' }),
      refundFact('re_2', { amountMinor: 300 }),
    ],
  ],
  [
    'two partial refunds, and a dispute about the rest that is lost',
    [
      capture,
      refundFact('re_1'),
      refundFact('re_2', { status: 'pending' }),
      refundFact('re_2'),
      disputeFact('dp_1'),
      disputeFact('dp_1', { status: 'lost' }),
    ],
  ],
  [
    'a dispute about everything that is won, and a refund afterwards',
    [
      capture,
      disputeFact('dp_1', { amountMinor: 300 }),
      disputeFact('dp_1', { amountMinor: 300, status: 'won' }),
      refundFact('re_1', { amountMinor: 300 }),
    ],
  ],
  [
    'money without goods',
    [{ ...capture, amountMinor: 250 }, refundFact('re_1'), refundFact('re_2', { amountMinor: 150 })],
  ],
  ['money for an unknown hold', [{ ...capture, holdId: 'hold_none' }, refundFact('re_1', { amountMinor: 300 })]],
]

/** Any order, each one to three times. */
function anyOrder(story: readonly Command[]): fc.Arbitrary<Command[]> {
  const copies = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: story.length, maxLength: story.length })
  return copies.chain((counts) => {
    const all = story.flatMap((command, index) => Array.from({ length: counts[index] ?? 1 }, () => command))
    return fc.shuffledSubarray(all, { minLength: all.length })
  })
}

it.each(stories)('takeFact and capturePayment end the same in any order, with duplicates: %s', (_, story) => {
  const expected = openSale({ maxPerCustomer: 9 })
  expected.accept(hold, ...story)
  fc.assert(
    fc.property(anyOrder(story), (commands) => {
      const sale = openSale({ maxPerCustomer: 9 })
      sale.accept(hold)
      for (const command of commands) {
        sale.nowMs += 1_000
        sale.accept(command)
      }
      expect(stateOf(sale)).toEqual(stateOf(expected))
    }),
    { numRuns: 300 },
  )
})

/** Our own refund is asked for first; what the provider says of it comes in any order. */
it.each([
  ['succeeds', ['pending', 'succeeded']],
  ['fails', ['pending', 'failed']],
  ['comes back', ['pending', 'succeeded', 'failed']],
] as const)('takeFact of our own refund with units ends the same in any order: it %s', (_, statuses) => {
  const own = refundCommand('rfnd_1', { lines: [{ skuId: shoe, quantity: 1 }], restock: true })
  const story = statuses.map((status) => refundFact('re_1', { refundId: 'rfnd_1', status }))
  const expected = paidSale()
  expected.accept(own, ...story)
  fc.assert(
    fc.property(anyOrder(story), (commands) => {
      const sale = paidSale()
      sale.accept(own, ...commands)
      expect(stateOf(sale)).toEqual(stateOf(expected))
    }),
    { numRuns: 200 },
  )
})
