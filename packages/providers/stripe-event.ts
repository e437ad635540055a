import { isFields, readAmount, readCurrency, readFields, readId, readTime } from './read-fields.ts'
import type { ProviderFact } from '@penstock/domain/provider-fact.ts'
import type { Fields } from './read-fields.ts'

/**
 * What an event of Stripe means here (docs.stripe.com/api/events/types). The state is that of the object, not of the
 * event's name: a late `charge.dispute.created` whose dispute is lost says that it is lost. Throws MalformedWebhook.
 *
 * An account may take payments of other shops, too: what does not name a hold in its metadata is ignored. Refunds and
 * disputes do not carry the metadata of their payment; the engine keeps them until it knows.
 */
export function stripeFact(type: string, object: Fields): ProviderFact {
  switch (type) {
    case 'payment_intent.succeeded':
      return paymentIntentCaptured(object)
    case 'payment_intent.payment_failed':
      return { kind: 'payment_failed', providerPaymentId: readId(object['id'], 'data.object.id') }
    case 'payment_intent.canceled':
      return paymentCancelled(object, object['id'])
    case 'payment_intent.processing':
      return ignored('The payment is on its way; the hold keeps its deadline, and late money has its rule.')
    case 'payment_intent.amount_capturable_updated':
      return ignored('The payment is authorised, not captured: nothing was taken from the buyer.')
    case 'checkout.session.completed':
    case 'checkout.session.async_payment_succeeded':
      return sessionCompleted(object)
    case 'checkout.session.async_payment_failed':
      return { kind: 'payment_failed', providerPaymentId: sessionPayment(object) }
    case 'checkout.session.expired':
      return paymentCancelled(object, sessionPayment(object))
    case 'charge.refunded':
      return chargeRefunded(object)
    case 'refund.created':
    case 'refund.updated':
    case 'refund.failed':
    // The name of refund.updated before the API of October 2024.
    case 'charge.refund.updated':
      return stripeRefundFact(object)
    case 'charge.dispute.created':
    case 'charge.dispute.updated':
    case 'charge.dispute.closed':
    case 'charge.dispute.funds_withdrawn':
    case 'charge.dispute.funds_reinstated':
      return stripeDisputeFact(object)
    default:
      return ignored('Events of this type say nothing about a sale.')
  }
}

/** Of a PaymentIntent that has succeeded. */
export function paymentIntentCaptured(object: Fields): ProviderFact {
  const holdId = holdOf(object)
  if (holdId === null) return notOurs
  return {
    kind: 'payment_captured',
    providerPaymentId: readId(object['id'], 'data.object.id'),
    holdId,
    amountMinor: readAmount(object['amount_received'], 'data.object.amount_received'),
    currency: readCurrency(object['currency'], 'data.object.currency'),
  }
}

/** A session is complete also when its payment is only on its way. Named by its PaymentIntent, as that reports, too. */
function sessionCompleted(object: Fields): ProviderFact {
  const holdId = holdOf(object)
  if (holdId === null) return notOurs
  if (object['payment_status'] !== 'paid') return ignored('The session is complete, and its payment is not.')
  return {
    kind: 'payment_captured',
    providerPaymentId: sessionPayment(object),
    holdId,
    amountMinor: readAmount(object['amount_total'], 'data.object.amount_total'),
    currency: readCurrency(object['currency'], 'data.object.currency'),
  }
}

/** An expired session may never have had a PaymentIntent. */
function sessionPayment(object: Fields): string {
  return referenceOf(object['payment_intent']) ?? readId(object['id'], 'data.object.id')
}

function paymentCancelled(object: Fields, id: unknown): ProviderFact {
  const holdId = holdOf(object)
  if (holdId === null) return notOurs
  return { kind: 'payment_cancelled', providerPaymentId: readId(id, 'data.object.id'), holdId }
}

/**
 * A charge tells only how much was refunded in all, at some moment: no amount to set, since a refund that failed later
 * takes some of it back. Its refunds do, and each reports by `refund.*`. Older APIs list them, the newest first.
 */
function chargeRefunded(object: Fields): ProviderFact {
  const list = isFields(object['refunds']) ? object['refunds']['data'] : undefined
  const [newest] = Array.isArray(list) ? (list as unknown[]) : []
  if (!isFields(newest)) return ignored('Each refund of the charge reports by refund.created and refund.updated.')
  return stripeRefundFact({ payment_intent: object['payment_intent'], ...newest })
}

const refundStatuses: Readonly<Record<string, 'pending' | 'succeeded' | 'failed'>> = {
  pending: 'pending',
  requires_action: 'pending',
  succeeded: 'succeeded',
  failed: 'failed',
  canceled: 'failed',
}

export function stripeRefundFact(object: Fields): ProviderFact {
  const providerPaymentId = referenceOf(object['payment_intent'])
  if (providerPaymentId === null) return ignored('The refund is of a charge without a PaymentIntent.')
  const status = refundStatuses[String(object['status'])]
  if (status === undefined) return ignored('The refund has a status that is not known here.')
  const metadata = isFields(object['metadata']) ? object['metadata'] : {}
  const refundId = metadata['penstock_refund']
  return {
    kind: 'refund_updated',
    providerPaymentId,
    providerRefundId: readId(object['id'], 'data.object.id'),
    refundId: refundId === undefined ? null : readId(refundId, 'data.object.metadata.penstock_refund'),
    amountMinor: readAmount(object['amount'], 'data.object.amount'),
    currency: readCurrency(object['currency'], 'data.object.currency'),
    status,
    createdMs: readTime(object['created'], 'data.object.created'),
  }
}

/** `warning_*` are inquiries, in which no money moves; one that becomes a dispute gets another status. */
const disputeStatuses: Readonly<Record<string, 'open' | 'won' | 'lost'>> = {
  needs_response: 'open',
  under_review: 'open',
  won: 'won',
  lost: 'lost',
}

export function stripeDisputeFact(object: Fields): ProviderFact {
  const providerPaymentId = referenceOf(object['payment_intent'])
  if (providerPaymentId === null) return ignored('The dispute is of a charge without a PaymentIntent.')
  const status = disputeStatuses[String(object['status'])]
  if (status === undefined) return ignored('The dispute is an inquiry, or was prevented: no money moved.')
  const reason = object['reason']
  return {
    kind: status === 'open' ? 'dispute_opened' : 'dispute_closed',
    providerPaymentId,
    providerDisputeId: readId(object['id'], 'data.object.id'),
    amountMinor: readAmount(object['amount'], 'data.object.amount'),
    currency: readCurrency(object['currency'], 'data.object.currency'),
    reason: typeof reason === 'string' ? reason.slice(0, 100) : null,
    status,
    createdMs: readTime(object['created'], 'data.object.created'),
  }
}

function holdOf({ metadata }: Fields): string | null {
  const holdId = readFields(metadata ?? {}, 'data.object.metadata')['penstock_hold']
  return holdId === undefined ? null : readId(holdId, 'data.object.metadata.penstock_hold')
}

/** An id, or the object itself where it was asked to be expanded. */
function referenceOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return readId(isFields(value) ? value['id'] : value, 'data.object.payment_intent')
}

function ignored(why: string): ProviderFact {
  return { kind: 'ignored', why }
}

const notOurs = ignored('Its metadata has no penstock_hold: it is not of a hold.')
