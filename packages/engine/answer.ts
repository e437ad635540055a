import { paymentKey } from '@penstock/domain/payment.ts'
import { found } from './found.ts'
import type { Hold, HoldStatus } from '@penstock/domain/hold.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Accepted, OrderSaved } from '@penstock/domain/result.ts'
import type { RequestRecord, StoredAnswer, WorkingSet } from '@penstock/domain/working-set.ts'

/** What to store so that `replayAnswer` can give `result` again, byte for byte. */
export function rememberAnswer(result: Accepted): StoredAnswer {
  switch (result.outcome) {
    case 'hold_created':
      return { kind: 'hold', holdId: result.hold.id }
    case 'payment_recorded': {
      // A duplicate answers 200, its first report 201: the difference is part of the answer, so it is stored whole.
      if (result.duplicate) return { kind: 'result', json: JSON.stringify(result) }
      const { provider, providerPaymentId } = result.payment
      return { kind: 'payment', paymentKey: paymentKey(provider, providerPaymentId) }
    }
    case 'hold_released':
    case 'customer_erased': {
      // Never the customer: what is remembered must not outlive an erasure.
      const { outcome, hold } = result
      const kept: StoredHoldAnswer = { outcome, holdId: hold.id, status: hold.status }
      return { kind: 'result', json: JSON.stringify(kept) }
    }
    case 'order_saved': {
      const { hold, ...facts } = result
      const kept: StoredOrderAnswer = { ...facts, holdId: hold.id, status: hold.status }
      return { kind: 'result', json: JSON.stringify(kept) }
    }
    case 'drop_saved':
    case 'holds_expired':
    case 'payment_attached':
    case 'refund_saved':
    case 'dispute_saved':
    case 'fact_taken':
    case 'checkout_saved':
    case 'checkout_closed':
    case 'code_activated':
    case 'api_key_saved':
    case 'keys_touched':
    case 'webhook_endpoint_saved':
    case 'webhook_delivery_saved':
    case 'webhook_outcomes_saved':
      return { kind: 'result', json: JSON.stringify(result) }
  }
}

/** The answer given when `record` was made, marked as replayed. */
export function replayAnswer(set: WorkingSet, record: RequestRecord): Accepted {
  const { answer } = record
  switch (answer.kind) {
    case 'hold':
      return { outcome: 'hold_created', hold: asCreated(found(set.holds, answer.holdId)), replayed: true }
    case 'payment':
      return {
        outcome: 'payment_recorded',
        payment: paymentAsRecorded(found(set.payments, answer.paymentKey)),
        duplicate: false,
        replayed: true,
      }
    case 'result':
      return replayResult(set, JSON.parse(answer.json) as Accepted | StoredHoldAnswer | StoredOrderAnswer)
  }
}

/** An answer that shows a hold: all but its status follows from the row. */
interface StoredHoldAnswer {
  readonly outcome: 'hold_released' | 'customer_erased'
  readonly holdId: string
  readonly status: HoldStatus
}

interface StoredOrderAnswer extends Omit<OrderSaved, 'hold'> {
  readonly holdId: string
  readonly status: HoldStatus
}

function replayResult(set: WorkingSet, stored: Accepted | StoredHoldAnswer | StoredOrderAnswer): Accepted {
  if (!('holdId' in stored)) return { ...stored, replayed: true }
  const { holdId, status, ...facts } = stored
  return { ...facts, hold: { ...found(set.holds, holdId), status }, replayed: true }
}

/** A hold as it was answered first: every other field never changes. */
export function asCreated(hold: Hold): Hold {
  return { ...hold, status: 'active' }
}

/** A payment as it was answered first: nothing was refunded or disputed, and one attached later had no goods. */
export function paymentAsRecorded(payment: Payment): Payment {
  const untouched: Payment = { ...payment, refundedMinor: 0, disputedMinor: 0, lostMinor: 0 }
  if (payment.attachedHoldId === null) return untouched
  return { ...untouched, orderId: null, status: 'unmatched', reason: 'unknown_hold', attachedHoldId: null }
}
