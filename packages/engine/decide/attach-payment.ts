import { refundsDueAccount, saleShares } from '@penstock/domain/ledger-entry.ts'
import { orderIdOf, unchangedOrder } from '@penstock/domain/order.ts'
import { rejected } from '@penstock/domain/result.ts'
import { post } from '../ledger.ts'
import { findPayment } from '../order-facts.ts'
import { savePayment } from '../refund.ts'
import { assignGoods, whyNoGoods } from './capture-payment.ts'
import type { AttachPayment } from '@penstock/domain/command.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Payment, PaymentReason } from '@penstock/domain/payment.ts'
import type { Rejected, RejectionCode, Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Gives an unmatched payment the hold it belongs to. In order of precedence: unknown payment; attached to this hold
 * before → the same answer; not unmatched (any more), or on its way back; unknown hold; then as `capture_payment` has
 * it, but money that gets no goods is a refusal here and stays unmatched.
 */
export function attachPayment(set: WorkingSet, command: AttachPayment, nowMs: number): Result {
  const payment = findPayment(set, command.paymentId)
  if (payment === undefined) return rejected('not_found', 'id', `There is no payment ${command.paymentId}.`)
  if (payment.attachedHoldId === command.holdId) return { outcome: 'payment_attached', payment, replayed: false }
  if (payment.status !== 'unmatched') {
    return rejected('invalid_transition', 'id', `Only an unmatched payment can be attached; this is ${payment.status}.`)
  }
  if (payment.refundedMinor > 0 || payment.disputedMinor > 0) {
    return rejected('invalid_transition', 'id', 'Some of this money is refunded or disputed.')
  }
  const hold = set.holds.find(command.holdId)
  if (hold === undefined) return rejected('not_found', 'hold', `There is no hold ${command.holdId}.`)
  const reason = whyNoGoods(set, payment, hold, nowMs)
  if (reason !== null) return refuse(reason, payment, hold)

  // Point of no return.
  assignGoods(set, hold, nowMs)
  const orderId = orderIdOf(payment.id)
  const attached: Payment = { ...payment, orderId, status: 'captured', reason: null, attachedHoldId: hold.id }
  savePayment(set, attached)
  set.orderChanges.insert(payment.id, { ...unchangedOrder(payment.id), createdMs: nowMs })
  set.events.append({ type: 'payment.captured', objectId: payment.id, createdMs: nowMs })
  const cause = { causeId: hold.id, nowMs }
  for (const { account, amountMinor } of saleShares(payment.amountMinor, hold.fees)) {
    post(set, payment, cause, { debit: refundsDueAccount, credit: account, amountMinor })
  }
  return { outcome: 'payment_attached', payment: attached, replayed: false }
}

/** Why a capture would give this money no goods, as a refusal. */
const refusals: Record<Exclude<PaymentReason, 'unknown_hold'>, RejectionCode> = {
  currency_mismatch: 'payment_conflict',
  amount_mismatch: 'payment_conflict',
  hold_already_captured: 'hold_not_active',
  hold_expired: 'hold_not_active',
  hold_released: 'hold_not_active',
  sold_out: 'sold_out',
  limit_reached: 'limit_reached',
}

function refuse(reason: Exclude<PaymentReason, 'unknown_hold'>, payment: Payment, hold: Hold): Rejected {
  const wanted = `the hold asks for ${hold.amountMinor} ${hold.currency}, the payment is ${payment.amountMinor} ${payment.currency}`
  const isWrongMoney = refusals[reason] === 'payment_conflict'
  const detail = isWrongMoney ? wanted : `${hold.id} is ${hold.status}`
  return rejected(refusals[reason], 'hold', `The payment gets no goods (${reason}): ${detail}.`)
}
