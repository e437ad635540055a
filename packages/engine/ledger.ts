import { cashAccount, refundsDueAccount, saleShares, sharesBetween } from '@penstock/domain/ledger-entry.ts'
import { paidHoldId } from '@penstock/domain/payment.ts'
import { found } from './found.ts'
import type { Share } from '@penstock/domain/ledger-entry.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** What moves money after it came: the refund, dispute or attached hold, and when. */
export interface Cause {
  readonly causeId: string
  readonly nowMs: number
}

/** Moves money of `payment` from `credit` to `debit`. Nothing is written where nothing moves. */
export function post(
  set: WorkingSet,
  payment: Payment,
  { causeId, nowMs }: Cause,
  move: { readonly debit: string; readonly credit: string; readonly amountMinor: number },
): void {
  if (move.amountMinor === 0 || move.debit === move.credit) return
  const { id: paymentId, currency } = payment
  set.ledger.append({ paymentId, ...move, currency, createdMs: nowMs, causeId })
}

/** The account the money of `payment` is on when it is at the provider. */
export function cashOf(payment: Payment): string {
  return cashAccount(payment.provider)
}

/**
 * Moves `amountMinor` of what was earned with `payment` (or is owed for it) to the account `to`: the next that is
 * not refunded or lost yet.
 */
export function takeBack(set: WorkingSet, payment: Payment, cause: Cause, to: string, amountMinor: number): void {
  const gone = payment.refundedMinor + payment.lostMinor
  for (const share of sharesBetween(sharesOf(set, payment), gone, gone + amountMinor)) {
    post(set, payment, cause, { debit: share.account, credit: to, amountMinor: share.amountMinor })
  }
}

/** The reverse: the last `amountMinor` that are refunded or lost are earned (or owed) again. */
export function giveBack(set: WorkingSet, payment: Payment, cause: Cause, from: string, amountMinor: number): void {
  const gone = payment.refundedMinor + payment.lostMinor
  for (const share of sharesBetween(sharesOf(set, payment), gone - amountMinor, gone)) {
    post(set, payment, cause, { debit: from, credit: share.account, amountMinor: share.amountMinor })
  }
}

/** Where the money of a payment stands when nothing is refunded or disputed, in the order in which it goes back. */
function sharesOf(set: WorkingSet, payment: Payment): readonly Share[] {
  const { status, amountMinor } = payment
  if (status !== 'captured') return [{ account: refundsDueAccount, amountMinor }]
  return saleShares(amountMinor, found(set.holds, paidHoldId(payment)).fees)
}
