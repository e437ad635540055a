import { rejected } from '@penstock/domain/result.ts'
import { findPayment } from '../order-facts.ts'
import { planRefund, startRefund } from '../refund.ts'
import type { CreateRefund } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Sends money back, all that is left or a part. Refusals in order of precedence: unknown payment, then `planRefund`. */
export function createRefund(set: WorkingSet, command: CreateRefund, nowMs: number): Result {
  // A known id is this very command, sent again after a writer restart.
  const existing = set.refunds.find(command.refundId)
  if (existing !== undefined) return { outcome: 'refund_saved', refund: existing, replayed: false }
  const payment = findPayment(set, command.paymentId)
  if (payment === undefined) return rejected('not_found', 'payment', `There is no payment ${command.paymentId}.`)
  const planned = planRefund(set, payment, command, nowMs)
  if ('outcome' in planned) return planned

  // Point of no return.
  const refund = startRefund(set, payment, planned, nowMs)
  return { outcome: 'refund_saved', refund, replayed: false }
}
