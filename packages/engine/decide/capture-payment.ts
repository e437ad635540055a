import { noFees } from '@penstock/domain/fee.ts'
import { holdStatusAt } from '@penstock/domain/hold.ts'
import { cashAccount, refundsDueAccount, saleShares } from '@penstock/domain/ledger-entry.ts'
import { newPayment } from '@penstock/domain/new-payment.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import { rejected } from '@penstock/domain/result.ts'
import { paymentAsRecorded } from '../answer.ts'
import { found } from '../found.ts'
import { applyWaiting } from '../provider-fact.ts'
import { countBuyerUnits, endHold, isShort, isWithinLimit, limitCounters, moveUnits, totalQuantity } from '../stock.ts'
import type { CapturePayment } from '@penstock/domain/command.ts'
import type { Fee } from '@penstock/domain/fee.ts'
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
 * The status of the drop is not asked for an active hold: closing or cancelling a sale between payment and report never
 * punishes the payer. Only case 7 looks whether the drop was cancelled, and then owes the money back. Whatever the case, the money is in the ledger in the same commit (promise P5).
 */
export function capturePayment(set: WorkingSet, command: CapturePayment, nowMs: number): Result {
  const key = paymentKey(command.provider, command.providerPaymentId)
  const known = set.payments.find(key)
  if (known !== undefined) return answerKnownPayment(known, command)

  const hold = set.holds.find(command.holdId)
  const reason = hold === undefined ? 'unknown_hold' : whyNoGoods(set, command, hold, nowMs)

  // Point of no return.
  if (hold !== undefined) {
    if (reason === null) assignGoods(set, hold, nowMs)
    else settle(set, hold, nowMs)
  }
  const result = recordPayment(set, command, reason, hold?.fees ?? noFees, nowMs)
  // A refund or dispute may have been reported before its payment.
  applyWaiting(set, key, nowMs)
  return result
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
  const payment = duplicate ? known : paymentAsRecorded(known)
  return { outcome: 'payment_recorded', payment, duplicate, replayed: false }
}

/** Why this money gets no goods, or null when it does. Changes nothing. */
export function whyNoGoods(
  set: WorkingSet,
  money: Pick<Payment, 'amountMinor' | 'currency'>,
  hold: Hold,
  nowMs: number,
): Exclude<PaymentReason, 'unknown_hold'> | null {
  if (money.currency !== hold.currency) return 'currency_mismatch'
  if (money.amountMinor !== hold.amountMinor) return 'amount_mismatch'
  const status = holdStatusAt(hold, nowMs)
  if (status === 'captured') return 'hold_already_captured'
  if (status === 'active') return null
  const drop = found(set.drops, hold.dropId)
  // A cancelled drop takes nothing back into a sale.
  if (drop.latePayment === 'refund' || drop.phase === 'cancelled')
    return status === 'released' ? 'hold_released' : 'hold_expired'
  // A deadline that just passed has not been settled: its own units and its share of the limit still come back.
  const unsettled = hold.status === 'active'
  if (isShort(set, hold.lines, unsettled ? hold.lines : [])) return 'sold_out'
  const quantity = totalQuantity(hold.lines)
  const counters = limitCounters(drop, hold.customer)
  return isWithinLimit(set, drop, counters, quantity, unsettled ? hold : null) ? null : 'limit_reached'
}

/** The units of the hold become the order's. Only where `whyNoGoods` has no reason not to. */
export function assignGoods(set: WorkingSet, hold: Hold, nowMs: number): void {
  const settled = settle(set, hold, nowMs)
  takeUnits(set, settled)
  set.holds.update(settled.id, { ...settled, status: 'captured' })
}

/** The hold as it stands at `nowMs`: one whose deadline just passed is ended now, and its units come back. */
function settle(set: WorkingSet, hold: Hold, nowMs: number): Hold {
  return hold.status !== holdStatusAt(hold, nowMs) ? endHold(set, hold, 'expired', nowMs) : hold
}

/** The units of the hold become sold: those it holds, or, after it ended, as many others. */
function takeUnits(set: WorkingSet, hold: Hold): void {
  if (hold.status === 'active') return moveUnits(set, hold.lines, { held: -1, sold: 1 })
  moveUnits(set, hold.lines, { held: 0, sold: 1 })
  countBuyerUnits(set, limitCounters(found(set.drops, hold.dropId), hold.customer), totalQuantity(hold.lines))
}

/** The money, with or without an order, and where it went. `reason` null: with one. */
function recordPayment(
  set: WorkingSet,
  command: CapturePayment,
  reason: PaymentReason | null,
  fees: readonly Fee[],
  nowMs: number,
): Result {
  const { provider, providerPaymentId, amountMinor, currency } = command
  const payment = newPayment(command, reason, nowMs)
  set.payments.insert(paymentKey(provider, providerPaymentId), payment)
  set.events.append({ type: `payment.${payment.status}`, objectId: payment.id, createdMs: nowMs })
  const shares = reason === null ? saleShares(amountMinor, fees) : [{ account: refundsDueAccount, amountMinor }]
  const debit = cashAccount(provider)
  for (const { account: credit, amountMinor: shareMinor } of shares) {
    set.ledger.append({
      paymentId: payment.id,
      debit,
      credit,
      amountMinor: shareMinor,
      currency,
      createdMs: nowMs,
      causeId: null,
    })
  }
  return { outcome: 'payment_recorded', payment, duplicate: false, replayed: false }
}
