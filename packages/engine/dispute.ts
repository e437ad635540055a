import { disputeKey } from '@penstock/domain/dispute.ts'
import { disputesAccount } from '@penstock/domain/ledger-entry.ts'
import { cashOf, post, takeBack } from './ledger.ts'
import { paymentOf } from './order-facts.ts'
import { savePayment } from './refund.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Carries out a dispute that is new: the bank has the money. `amountMinor` is at least 1 and at most what is left. */
export function startDispute(set: WorkingSet, payment: Payment, facts: DisputeFacts, nowMs: number): Dispute {
  const { id, providerDisputeId, amountMinor } = facts
  const dispute = newDispute(payment, facts, nowMs)
  set.disputes.insert(disputeKey(payment.provider, providerDisputeId), dispute)
  set.events.append({ type: 'dispute.created', objectId: id, createdMs: nowMs })
  post(set, payment, { causeId: id, nowMs }, { debit: disputesAccount, credit: cashOf(payment), amountMinor })
  savePayment(set, { ...payment, disputedMinor: payment.disputedMinor + amountMinor })
  return dispute
}

/** One that we hear of when it is won: the money never moved, as far as the books know. */
export function insertWon(set: WorkingSet, payment: Payment, facts: DisputeFacts, nowMs: number): void {
  const dispute: Dispute = { ...newDispute(payment, facts, nowMs), status: 'won', closedMs: nowMs }
  set.disputes.insert(disputeKey(payment.provider, facts.providerDisputeId), dispute)
  set.events.append({ type: 'dispute.created', objectId: facts.id, createdMs: nowMs })
  set.events.append({ type: 'dispute.won', objectId: facts.id, createdMs: nowMs })
}

type DisputeFacts = Pick<Dispute, 'id' | 'providerDisputeId' | 'amountMinor' | 'reason'>

function newDispute(payment: Payment, facts: DisputeFacts, nowMs: number): Dispute {
  const { id, providerDisputeId, amountMinor, reason } = facts
  return {
    id,
    paymentId: payment.id,
    provider: payment.provider,
    providerDisputeId,
    amountMinor,
    currency: payment.currency,
    reason,
    createdMs: nowMs,
    status: 'open',
    closedMs: null,
  }
}

/** The bank has decided about an open dispute. Won: the money is back. Lost: it is gone. */
export function endDispute(set: WorkingSet, dispute: Dispute, status: 'won' | 'lost', nowMs: number): Dispute {
  const closed: Dispute = { ...dispute, status, closedMs: nowMs }
  set.disputes.update(disputeKey(dispute.provider, dispute.providerDisputeId), closed)
  set.events.append({ type: `dispute.${status}`, objectId: dispute.id, createdMs: nowMs })
  const payment = paymentOf(set, dispute)
  const cause = { causeId: dispute.id, nowMs }
  const { amountMinor } = dispute
  if (status === 'won') {
    post(set, payment, cause, { debit: cashOf(payment), credit: disputesAccount, amountMinor })
    savePayment(set, { ...payment, disputedMinor: payment.disputedMinor - amountMinor })
  } else {
    takeBack(set, payment, cause, disputesAccount, amountMinor)
    savePayment(set, { ...payment, lostMinor: payment.lostMinor + amountMinor })
  }
  return closed
}
