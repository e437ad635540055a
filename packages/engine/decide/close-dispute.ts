import { disputeKey } from '@penstock/domain/dispute.ts'
import { disputesAccount } from '@penstock/domain/ledger-entry.ts'
import { rejected } from '@penstock/domain/result.ts'
import { cashOf, post, takeBack } from '../ledger.ts'
import { paymentOf } from '../order-facts.ts'
import { savePayment } from '../refund.ts'
import type { CloseDispute } from '@penstock/domain/command.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** The bank has decided. Won: the money is back. Lost: it is gone. One closed so before is answered as it is. */
export function closeDispute(set: WorkingSet, command: CloseDispute, nowMs: number): Result {
  const key = set.findDisputeKey(command.disputeId)
  const dispute = key === undefined ? undefined : set.disputes.find(key)
  if (dispute === undefined) return rejected('not_found', 'id', `There is no dispute ${command.disputeId}.`)
  if (dispute.status === command.status) return saved(dispute)
  if (dispute.status !== 'open') {
    return rejected('invalid_transition', 'status', `This dispute was ${dispute.status} already.`)
  }

  // Point of no return.
  const closed: Dispute = { ...dispute, status: command.status, closedMs: nowMs }
  set.disputes.update(disputeKey(dispute.provider, dispute.providerDisputeId), closed)
  set.events.append({ type: `dispute.${command.status}`, objectId: dispute.id, createdMs: nowMs })
  settleMoney(set, closed, nowMs)
  return saved(closed)
}

function settleMoney(set: WorkingSet, dispute: Dispute, nowMs: number): void {
  const payment = paymentOf(set, dispute)
  const cause = { causeId: dispute.id, nowMs }
  const { amountMinor } = dispute
  if (dispute.status === 'won') {
    post(set, payment, cause, { debit: cashOf(payment), credit: disputesAccount, amountMinor })
    savePayment(set, { ...payment, disputedMinor: payment.disputedMinor - amountMinor })
  } else {
    takeBack(set, payment, cause, disputesAccount, amountMinor)
    savePayment(set, { ...payment, lostMinor: payment.lostMinor + amountMinor })
  }
}

function saved(dispute: Dispute): Result {
  return { outcome: 'dispute_saved', dispute, duplicate: false, replayed: false }
}
