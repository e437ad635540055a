import { testWebhookCopiesMax, testWebhookDelayMaxMs } from '@penstock/domain/limits.ts'
import type { Currency } from '@penstock/domain/money.ts'
import type { TestEvent } from './test-event.ts'

/** What can be done on the page of the test provider. */
export const testActions = ['succeed', 'decline', 'cancel', 'pay_late', 'pay_twice', 'wrong_amount'] as const

export type TestAction = (typeof testActions)[number]

/** How its webhooks behave. */
export interface TestDelivery {
  /** Before the first attempt, at most `testWebhookDelayMaxMs`. */
  readonly delayMs: number
  /** Of each event, 1 to `testWebhookCopiesMax`. */
  readonly copies: number
  /** Events come in the reverse order. */
  readonly isReordered: boolean
  /** Of a hundred webhooks, how many never come. */
  readonly lossPercent: number
}

export const plainDelivery: TestDelivery = { delayMs: 0, copies: 1, isReordered: false, lossPercent: 0 }

export interface TestPayment {
  readonly paymentId: string
  readonly holdId: string
  readonly amountMinor: number
  readonly currency: Currency
  /** The hold's deadline. */
  readonly expiresMs: number
}

/** A webhook to send, from now. */
export interface PlannedWebhook {
  readonly afterMs: number
  readonly event: TestEvent
}

/** How long after the hold's deadline late money comes: the writer has ended the hold by then. */
const lateMs = 1_500
/** Between two events of one payment. */
const gapMs = 50

/** What happens at the provider, in true order: it is so whether or not a webhook tells of it. */
export function eventsOf(payment: TestPayment, action: TestAction, nowMs: number): TestEvent[] {
  const { paymentId, holdId, amountMinor, currency } = payment
  const event = (id: string, type: TestEvent['type'], data: TestEvent['data']): TestEvent => {
    return { id: `tevt_${id}`, type, created: Math.floor(nowMs / 1_000), data }
  }
  const captured = (id: string, amount = amountMinor): TestEvent =>
    event(`captured_${id}`, 'payment.captured', { payment: id, hold: holdId, amount, currency })
  switch (action) {
    case 'succeed':
    case 'pay_late':
      return [captured(paymentId)]
    case 'decline':
      return [event(`failed_${paymentId}_${nowMs}`, 'payment.failed', { payment: paymentId })]
    case 'cancel':
      return [event(`cancelled_${paymentId}`, 'payment.cancelled', { payment: paymentId, hold: holdId })]
    case 'pay_twice':
      return [captured(paymentId), captured(`${paymentId}_again`)]
    case 'wrong_amount':
      return [captured(paymentId, amountMinor + 1)]
  }
}

/** The webhooks that tell of `events`. `random` gives 0 to 1, once for each webhook. */
export function planWebhooks(
  events: readonly TestEvent[],
  { expiresMs }: Pick<TestPayment, 'expiresMs'>,
  action: TestAction,
  delivery: TestDelivery,
  nowMs: number,
  random: () => number,
): PlannedWebhook[] {
  const waitMs = action === 'pay_late' ? Math.max(0, expiresMs - nowMs) + lateMs : 0
  const firstMs = Math.min(waitMs + delivery.delayMs, testWebhookDelayMaxMs)
  const copies = Math.min(Math.max(1, delivery.copies), testWebhookCopiesMax)
  const ordered = delivery.isReordered ? events.toReversed() : events
  return ordered
    .flatMap((event, index) => Array.from({ length: copies }, () => ({ afterMs: firstMs + index * gapMs, event })))
    .filter(() => random() * 100 >= delivery.lossPercent)
}
