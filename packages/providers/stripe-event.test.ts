import { expect, it } from 'vitest'
import { StripeProvider } from './stripe.ts'
import { signBody } from './webhook-signature.ts'
import type { WebhookVerdict } from './provider.ts'

const nowMs = 1_800_000_000_000
const secret = 'whsec_0123456789abcdef'
const provider = new StripeProvider({
  secretKey: 'sk_test_0123456789abcdef',
  webhookSecrets: [secret],
  apiBase: null,
  clock: () => nowMs,
  random: () => 0,
})

function take(text: string): WebhookVerdict {
  const body = Buffer.from(text)
  return provider.translateWebhook(body, { 'stripe-signature': signBody(body, secret, nowMs) }, nowMs)
}

function takeEvent(type: string, object: object): WebhookVerdict {
  return take(JSON.stringify({ id: 'evt_1', object: 'event', type, created: 1_800_000_000, data: { object } }))
}

const metadata = { penstock_hold: 'hold_01fwhe4ydgfk1shh6w1g60eecf', other: 'x' }
const intent = {
  id: 'pi_1',
  object: 'payment_intent',
  amount: 5_000,
  amount_received: 4_999,
  currency: 'usd',
  metadata,
}
const session = {
  id: 'cs_1',
  payment_intent: 'pi_1',
  payment_status: 'paid',
  amount_total: 4_999,
  currency: 'usd',
  metadata,
}
const refund = {
  id: 're_1',
  amount: 500,
  currency: 'usd',
  payment_intent: 'pi_1',
  charge: 'ch_1',
  status: 'succeeded',
  created: 1_799_999_999,
  metadata: {},
}
const dispute = {
  id: 'dp_1',
  amount: 4_999,
  currency: 'usd',
  payment_intent: 'pi_1',
  status: 'needs_response',
  reason: 'fraudulent',
  created: 1_799_999_999,
}
const charge = { id: 'ch_1', payment_intent: 'pi_1', amount_refunded: 500, metadata }

const captured = {
  kind: 'payment_captured',
  providerPaymentId: 'pi_1',
  holdId: metadata.penstock_hold,
  amountMinor: 4_999,
  currency: 'usd',
}
const failed = { kind: 'payment_failed', providerPaymentId: 'pi_1' }
const cancelled = { kind: 'payment_cancelled', providerPaymentId: 'pi_1', holdId: metadata.penstock_hold }
const refunded = {
  kind: 'refund_updated',
  providerPaymentId: 'pi_1',
  providerRefundId: 're_1',
  refundId: null,
  amountMinor: 500,
  currency: 'usd',
  status: 'succeeded',
  createdMs: 1_799_999_999_000,
}
const disputed = {
  kind: 'dispute_opened',
  providerPaymentId: 'pi_1',
  providerDisputeId: 'dp_1',
  amountMinor: 4_999,
  currency: 'usd',
  reason: 'fraudulent',
  status: 'open',
  createdMs: 1_799_999_999_000,
}
const ignored = { kind: 'ignored' }

it.each<[string, string, object, object]>([
  ['payment_intent.succeeded', '', intent, captured],
  ['payment_intent.succeeded', 'in yen', { ...intent, currency: 'jpy' }, { ...captured, currency: 'jpy' }],
  ['payment_intent.succeeded', 'of another shop', { ...intent, metadata: {} }, ignored],
  ['payment_intent.payment_failed', '', intent, failed],
  ['payment_intent.canceled', '', intent, cancelled],
  ['payment_intent.canceled', 'of another shop', { ...intent, metadata: {} }, ignored],
  ['payment_intent.processing', '', intent, ignored],
  ['payment_intent.amount_capturable_updated', '', intent, ignored],
  ['checkout.session.completed', '', session, captured],
  ['checkout.session.completed', 'expanded', { ...session, payment_intent: intent }, captured],
  ['checkout.session.completed', 'whose payment is on its way', { ...session, payment_status: 'unpaid' }, ignored],
  ['checkout.session.async_payment_succeeded', '', session, captured],
  ['checkout.session.async_payment_failed', '', session, failed],
  ['checkout.session.expired', '', session, cancelled],
  [
    'checkout.session.expired',
    'early',
    { ...session, payment_intent: null },
    { ...cancelled, providerPaymentId: 'cs_1' },
  ],
  ['charge.refunded', 'that says only how much', charge, ignored],
  [
    'charge.refunded',
    'with its refunds',
    { ...charge, refunds: { data: [refund, { ...refund, id: 're_0' }] } },
    refunded,
  ],
  ['refund.created', 'pending', { ...refund, status: 'pending' }, { ...refunded, status: 'pending' }],
  ['refund.created', 'that waits', { ...refund, status: 'requires_action' }, { ...refunded, status: 'pending' }],
  ['refund.updated', '', refund, refunded],
  [
    'refund.updated',
    'of ours',
    { ...refund, metadata: { penstock_refund: 'rfnd_1' } },
    { ...refunded, refundId: 'rfnd_1' },
  ],
  ['refund.updated', 'cancelled', { ...refund, status: 'canceled' }, { ...refunded, status: 'failed' }],
  ['refund.updated', 'of a charge alone', { ...refund, payment_intent: null }, ignored],
  ['refund.updated', 'with a status of tomorrow', { ...refund, status: 'teleported' }, ignored],
  ['refund.failed', '', { ...refund, status: 'failed' }, { ...refunded, status: 'failed' }],
  ['charge.refund.updated', '', refund, refunded],
  ['charge.dispute.created', '', dispute, disputed],
  ['charge.dispute.created', 'that is an inquiry', { ...dispute, status: 'warning_needs_response' }, ignored],
  ['charge.dispute.updated', '', { ...dispute, status: 'under_review' }, disputed],
  ['charge.dispute.funds_withdrawn', '', dispute, disputed],
  [
    'charge.dispute.funds_reinstated',
    'won',
    { ...dispute, status: 'won' },
    { ...disputed, kind: 'dispute_closed', status: 'won' },
  ],
  [
    'charge.dispute.closed',
    'lost',
    { ...dispute, status: 'lost' },
    { ...disputed, kind: 'dispute_closed', status: 'lost' },
  ],
  [
    'charge.dispute.created',
    'late: it is lost',
    { ...dispute, status: 'lost' },
    { ...disputed, kind: 'dispute_closed', status: 'lost' },
  ],
  ['customer.created', '', { id: 'cus_1' }, ignored],
])('StripeProvider translates %s %s', (type, _, object, fact) => {
  const verdict = takeEvent(type, object)
  expect(verdict).toMatchObject({ ok: true, eventId: 'evt_1', fact })
  if (verdict.ok && verdict.fact.kind !== 'ignored') expect(verdict.fact).toEqual(fact)
})

it.each<[string, string]>([
  ['no JSON', '{'],
  ['a list', '[]'],
  ['no id', JSON.stringify({ type: 'x', data: { object: {} } })],
  ['a long id', JSON.stringify({ id: 'e'.repeat(256), type: 'x', data: { object: {} } })],
  ['no data', JSON.stringify({ id: 'evt_1', type: 'x' })],
])('StripeProvider refuses a signed body that is malformed: %s', (_, text) => {
  expect(take(text)).toMatchObject({ ok: false, reason: 'malformed' })
})

it.each<[string, string, object]>([
  ['a currency that is unknown here', 'payment_intent.succeeded', { ...intent, currency: 'xau' }],
  ['a fraction of a cent', 'payment_intent.succeeded', { ...intent, amount_received: 49.99 }],
  ['an amount beyond 2^53', 'payment_intent.succeeded', { ...intent, amount_received: 2 ** 53 }],
  ['no amount', 'payment_intent.succeeded', { ...intent, amount_received: undefined }],
  ['a hold that is no text', 'payment_intent.succeeded', { ...intent, metadata: { penstock_hold: 7 } }],
  ['a refund of nothing', 'refund.updated', { ...refund, amount: 0 }],
  ['a dispute without a time', 'charge.dispute.created', { ...dispute, created: null }],
])('StripeProvider refuses a signed event with %s', (_, type, object) => {
  expect(takeEvent(type, object)).toMatchObject({ ok: false, reason: 'malformed' })
})

it('StripeProvider reads nothing of a body before its signature is checked', () => {
  const verdict = provider.translateWebhook(Buffer.from('{'), { 'stripe-signature': 't=1,v1=00' }, nowMs)
  expect(verdict).toMatchObject({ ok: false, reason: 'bad_signature' })
})
