import { holdStatusAt } from '@penstock/domain/hold.ts'
import { cashAccount, refundsDueAccount, salesAccount } from '@penstock/domain/ledger-entry.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import { rejected } from '@penstock/domain/result.ts'
import { found } from '../found.ts'
import { countBuyerUnits, endHold, firstShortage, isWithinLimit, moveUnits, totalQuantity } from '../stock.ts'
import type { CapturePayment } from '@penstock/domain/command.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Payment, PaymentReason } from '@penstock/domain/payment.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Money arrived for a hold. In order of precedence:
 * 1. the same payment again → the same order (a duplicate is a success);
 * 2. the same payment id with other facts → `payment_conflict`;
 * 3. unknown hold → recorded as unmatched;
 * 4. wrong amount or currency → refund due;
 * 5. hold already captured by another payment → refund due;
 * 6. hold active → order paid;
 * 7. hold ended → the units are taken again if the drop says so and they are left, else refund due.
 *
 * The status of the drop is not asked: closing a sale between payment and report never punishes the payer. Whatever
 * the case, the money is in the ledger in the same commit (promise P5).
 */
export function capturePayment(set: WorkingSet, command: CapturePayment, nowMs: number): Result {
  const known = set.payments.find(paymentKey(command.provider, command.providerPaymentId))
  if (known !== undefined) return answerKnownPayment(known, command)

  const hold = set.holds.find(command.holdId)
  if (hold === undefined) return recordWithoutGoods(set, command, 'unknown_hold', nowMs)
  if (command.currency !== hold.currency) return recordWithoutGoods(set, command, 'currency_mismatch', nowMs)
  if (command.amountMinor !== hold.amountMinor) return recordWithoutGoods(set, command, 'amount_mismatch', nowMs)
  switch (holdStatusAt(hold, nowMs)) {
    case 'captured':
      return recordWithoutGoods(set, command, 'hold_already_captured', nowMs)
    case 'active':
      moveUnits(set, hold.lines, { held: -1, sold: 1 })
      return recordOrder(set, command, hold, nowMs)
    case 'expired':
    case 'released':
      return captureLate(set, command, hold, nowMs)
  }
}

function answerKnownPayment(known: Payment, command: CapturePayment): Result {
  const same =
    known.holdId === command.holdId && known.amountMinor === command.amountMinor && known.currency === command.currency
  if (!same) {
    return rejected(
      'payment_conflict',
      'provider_payment_id',
      `Payment ${command.providerPaymentId} of ${command.provider} was recorded before with another hold, amount or currency.`,
    )
  }
  // Our own payment id means this very command, sent again after a writer restart: its first answer.
  const duplicate = known.id !== command.paymentId
  return { outcome: 'payment_recorded', payment: known, duplicate, replayed: false }
}

/** Money after the hold ended. A deadline that just passed is first settled, so that its units count as free. */
function captureLate(set: WorkingSet, command: CapturePayment, hold: Hold, nowMs: number): Result {
  const ended = hold.status === 'active' ? endHold(set, hold, 'expired') : hold
  const drop = found(set.drops, ended.dropId)
  if (drop.latePayment === 'refund') {
    return recordWithoutGoods(set, command, ended.status === 'released' ? 'hold_released' : 'hold_expired', nowMs)
  }
  if (firstShortage(set, ended.lines, []) !== null) return recordWithoutGoods(set, command, 'sold_out', nowMs)
  const quantity = totalQuantity(ended.lines)
  if (!isWithinLimit(set, drop, ended.customer, quantity, null)) {
    return recordWithoutGoods(set, command, 'limit_reached', nowMs)
  }
  moveUnits(set, ended.lines, { held: 0, sold: 1 })
  countBuyerUnits(set, drop, ended.customer, quantity)
  return recordOrder(set, command, ended, nowMs)
}

/** The units are already moved to sold. */
function recordOrder(set: WorkingSet, command: CapturePayment, hold: Hold, nowMs: number): Result {
  set.holds.update(hold.id, { ...hold, status: 'captured' })
  set.orders.insert(command.orderId, {
    id: command.orderId,
    dropId: hold.dropId,
    holdId: hold.id,
    paymentId: command.paymentId,
    amountMinor: hold.amountMinor,
    currency: hold.currency,
    status: 'paid',
    createdMs: nowMs,
  })
  return recordPayment(set, command, { orderId: command.orderId, status: 'captured', reason: null }, nowMs)
}

function recordWithoutGoods(set: WorkingSet, command: CapturePayment, reason: PaymentReason, nowMs: number): Result {
  const status = reason === 'unknown_hold' ? 'unmatched' : 'refund_due'
  return recordPayment(set, command, { orderId: null, status, reason }, nowMs)
}

function recordPayment(
  set: WorkingSet,
  command: CapturePayment,
  fate: Pick<Payment, 'orderId' | 'status' | 'reason'>,
  nowMs: number,
): Result {
  const { provider, providerPaymentId, amountMinor, currency } = command
  const payment: Payment = {
    id: command.paymentId,
    provider,
    providerPaymentId,
    holdId: command.holdId,
    orderId: fate.orderId,
    amountMinor,
    currency,
    status: fate.status,
    reason: fate.reason,
    createdMs: nowMs,
  }
  set.payments.insert(paymentKey(provider, providerPaymentId), payment)
  set.ledger.append({
    paymentId: payment.id,
    debit: cashAccount(provider),
    credit: fate.orderId === null ? refundsDueAccount : salesAccount,
    amountMinor,
    currency,
    createdMs: nowMs,
  })
  return { outcome: 'payment_recorded', payment, duplicate: false, replayed: false }
}
