import { expect, it } from 'vitest'
import { testWebhookDelayMaxMs } from '@penstock/domain/limits.ts'
import { eventsOf, planWebhooks, plainDelivery, testActions } from './test-payment.ts'
import { readTestEvent } from './test-event.ts'
import type { TestDelivery, TestPayment } from './test-payment.ts'

const nowMs = 1_800_000_000_000
const payment: TestPayment = {
  paymentId: 'tpay_hold_1',
  holdId: 'hold_1',
  amountMinor: 4_999,
  currency: 'usd',
  expiresMs: nowMs + 60_000,
}

it.each(testActions)('eventsOf %s gives events that its own provider understands', (action) => {
  for (const event of eventsOf(payment, action, nowMs)) expect(readTestEvent({ ...event }).eventId).toBe(event.id)
})

it('eventsOf pay_twice has two payments, wrong_amount another amount', () => {
  const captured = (action: 'pay_twice' | 'wrong_amount') =>
    eventsOf(payment, action, nowMs).map(({ data }) => [data['payment'], data['amount']])
  expect(captured('pay_twice')).toEqual([
    ['tpay_hold_1', 4_999],
    ['tpay_hold_1_again', 4_999],
  ])
  expect(captured('wrong_amount')).toEqual([['tpay_hold_1', 5_000]])
})

const plan = (change: Partial<TestDelivery>, action: 'pay_twice' | 'pay_late' = 'pay_twice', random = () => 0.5) => {
  const events = eventsOf(payment, action, nowMs)
  return planWebhooks(events, payment, action, { ...plainDelivery, ...change }, nowMs, random).map(
    ({ afterMs, event }) => [afterMs, event.data['payment']],
  )
}

it.each<[string, unknown, unknown]>([
  [
    'in order',
    plan({}),
    [
      [0, 'tpay_hold_1'],
      [50, 'tpay_hold_1_again'],
    ],
  ],
  [
    'in reverse order',
    plan({ isReordered: true }),
    [
      [0, 'tpay_hold_1_again'],
      [50, 'tpay_hold_1'],
    ],
  ],
  [
    'late',
    plan({ delayMs: 1_000 }),
    [
      [1_000, 'tpay_hold_1'],
      [1_050, 'tpay_hold_1_again'],
    ],
  ],
  ['with copies, within their bound', plan({ copies: 99 }).length, 20],
  ['after the hold', plan({}, 'pay_late'), [[61_500, 'tpay_hold_1']]],
  ['within the bound of a delay', plan({ delayMs: 1e9 }, 'pay_late'), [[testWebhookDelayMaxMs, 'tpay_hold_1']]],
  ['none of them', plan({ lossPercent: 100 }), []],
  ['all of them', plan({ lossPercent: 0 }, 'pay_twice', () => 0).length, 2],
  ['half of them', plan({ lossPercent: 50 }, 'pay_twice', alternating()).length, 1],
])('planWebhooks sends %s', (_, planned, expected) => {
  expect(planned).toEqual(expected)
})

function alternating(): () => number {
  let count = 0
  return () => {
    count += 1
    return count % 2 === 0 ? 0.99 : 0
  }
}
