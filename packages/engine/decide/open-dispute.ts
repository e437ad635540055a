import { disputeKey } from '@penstock/domain/dispute.ts'
import { amountLeft } from '@penstock/domain/payment.ts'
import { rejected } from '@penstock/domain/result.ts'
import { startDispute } from '../dispute.ts'
import { findPayment } from '../order-facts.ts'
import type { OpenDispute } from '@penstock/domain/command.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * A bank took money back. In order of precedence: unknown payment; the same dispute again → its answer (a duplicate is
 * a success); the same dispute with another payment or amount → `dispute_conflict`; more than is left.
 */
export function openDispute(set: WorkingSet, command: OpenDispute, nowMs: number): Result {
  const payment = findPayment(set, command.paymentId)
  if (payment === undefined) return rejected('not_found', 'payment', `There is no payment ${command.paymentId}.`)
  const key = disputeKey(payment.provider, command.providerDisputeId)
  const known = set.disputes.find(key)
  if (known !== undefined) return answerKnownDispute(known, command)
  const left = amountLeft(payment)
  const amountMinor = command.amountMinor ?? left
  if (amountMinor > left || amountMinor === 0) {
    return rejected('dispute_too_large', 'amount', `${left} are left to dispute: neither refunded nor disputed.`)
  }

  // Point of no return.
  const { disputeId: id, providerDisputeId, reason } = command
  const dispute = startDispute(set, payment, { id, providerDisputeId, amountMinor, reason }, nowMs)
  return { outcome: 'dispute_saved', dispute, duplicate: false, replayed: false }
}

function answerKnownDispute(known: Dispute, command: OpenDispute): Result {
  const sameAmount = command.amountMinor === null || command.amountMinor === known.amountMinor
  if (known.paymentId !== command.paymentId || !sameAmount) {
    return rejected(
      'dispute_conflict',
      'provider_dispute_id',
      `Dispute ${command.providerDisputeId} of ${known.provider} was recorded before with another payment or amount.`,
    )
  }
  // Our own id means this very command, sent again after a writer restart: its first answer.
  if (known.id !== command.disputeId)
    return { outcome: 'dispute_saved', dispute: known, duplicate: true, replayed: false }
  const dispute: Dispute = { ...known, status: 'open', closedMs: null }
  return { outcome: 'dispute_saved', dispute, duplicate: false, replayed: false }
}
