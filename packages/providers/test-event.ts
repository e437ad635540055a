import { MalformedWebhook, readAmount, readCurrency, readFields, readId, readTime } from './read-fields.ts'
import type { ProviderFact } from '@penstock/domain/provider-fact.ts'
import type { RefundStatus } from '@penstock/domain/refund.ts'
import type { Fields } from './read-fields.ts'

/** What the test provider says in a webhook. */
export interface TestEvent {
  readonly id: string
  readonly type: 'payment.captured' | 'payment.failed' | 'payment.cancelled' | 'refund.updated' | 'dispute.updated'
  /** Unix seconds. */
  readonly created: number
  readonly data: Fields
}

/** Throws MalformedWebhook. Types that it does not know are ignored. */
export function testFact(type: string, data: Fields): ProviderFact {
  const providerPaymentId = (): string => readId(data['payment'], 'data.payment')
  switch (type) {
    case 'payment.captured':
      return {
        kind: 'payment_captured',
        providerPaymentId: providerPaymentId(),
        holdId: readId(data['hold'], 'data.hold'),
        amountMinor: readAmount(data['amount'], 'data.amount'),
        currency: readCurrency(data['currency'], 'data.currency'),
      }
    case 'payment.failed':
      return { kind: 'payment_failed', providerPaymentId: providerPaymentId() }
    case 'payment.cancelled':
      return {
        kind: 'payment_cancelled',
        providerPaymentId: providerPaymentId(),
        holdId: readId(data['hold'], 'data.hold'),
      }
    case 'refund.updated':
      return {
        kind: 'refund_updated',
        providerPaymentId: providerPaymentId(),
        providerRefundId: readId(data['refund'], 'data.refund'),
        refundId: readRefundId(data['penstock_refund']),
        amountMinor: readAmount(data['amount'], 'data.amount'),
        currency: readCurrency(data['currency'], 'data.currency'),
        status: readChoice<RefundStatus>(data['status'], ['pending', 'succeeded', 'failed']),
        createdMs: readTime(data['created'], 'data.created'),
      }
    case 'dispute.updated': {
      const status = readChoice(data['status'], ['open', 'won', 'lost'])
      return {
        kind: status === 'open' ? 'dispute_opened' : 'dispute_closed',
        providerPaymentId: providerPaymentId(),
        providerDisputeId: readId(data['dispute'], 'data.dispute'),
        amountMinor: readAmount(data['amount'], 'data.amount'),
        currency: readCurrency(data['currency'], 'data.currency'),
        reason: null,
        status,
        createdMs: readTime(data['created'], 'data.created'),
      }
    }
    default:
      return { kind: 'ignored', why: 'Events of this type say nothing about a sale.' }
  }
}

/** The id and the fact of an event. Throws MalformedWebhook. */
export function readTestEvent(event: Fields): { readonly eventId: string; readonly fact: ProviderFact } {
  const eventId = readId(event['id'], 'id')
  return { eventId, fact: testFact(String(event['type']), readFields(event['data'], 'data')) }
}

/** Absent or null: it is none of ours. */
function readRefundId(value: unknown): string | null {
  return value === undefined || value === null ? null : readId(value, 'data.penstock_refund')
}

function readChoice<Choice extends string>(value: unknown, choices: readonly Choice[]): Choice {
  const choice = choices.find((candidate) => candidate === value)
  if (choice === undefined) throw new MalformedWebhook(`data.status is not one of ${choices.join(', ')}.`)
  return choice
}
