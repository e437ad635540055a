import { rejected } from '@penstock/domain/result.ts'
import { applyWaitingFacts } from '../provider-fact.ts'
import { fail, succeed } from '../refund.ts'
import type { SettleRefund } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** A pending refund succeeded or failed. One that was settled so before is answered as it is. */
export function settleRefund(set: WorkingSet, command: SettleRefund, nowMs: number): Result {
  const refund = set.refunds.find(command.refundId)
  if (refund === undefined) return rejected('not_found', 'id', `There is no refund ${command.refundId}.`)
  if (refund.status === command.status) return { outcome: 'refund_saved', refund, replayed: false }
  if (refund.status !== 'pending') {
    return rejected('invalid_transition', 'status', `This refund has ${refund.status} already.`)
  }

  // Point of no return.
  const settled = command.status === 'succeeded' ? succeed(set, refund, nowMs) : fail(set, refund, nowMs)
  applyWaitingFacts(set, refund, nowMs)
  return { outcome: 'refund_saved', refund: settled, replayed: false }
}
