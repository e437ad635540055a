import { rejected } from '@penstock/domain/result.ts'
import { endDispute } from '../dispute.ts'
import { applyWaitingFacts } from '../provider-fact.ts'
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
  const closed = endDispute(set, dispute, command.status, nowMs)
  applyWaitingFacts(set, dispute, nowMs)
  return saved(closed)
}

function saved(dispute: Dispute): Result {
  return { outcome: 'dispute_saved', dispute, duplicate: false, replayed: false }
}
