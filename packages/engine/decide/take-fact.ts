import { paymentKey } from '@penstock/domain/payment.ts'
import { applyFact, applyWaiting, keepWaiting } from '../provider-fact.ts'
import type { TakeFact } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * A provider says how a refund or a dispute stands. In order of precedence: unknown payment, or no room in it → kept
 * until there is; else the rows follow, unless they do already, and what waited for room gets it.
 */
export function takeFact(set: WorkingSet, command: TakeFact, nowMs: number): Result {
  const { provider, fact, objectId } = command
  const key = paymentKey(provider, fact.providerPaymentId)
  const payment = set.payments.find(key)
  const effect = payment === undefined ? 'waiting' : applyFact(set, payment, fact, objectId, nowMs)
  if (effect === 'waiting') keepWaiting(set, command, nowMs)
  else applyWaiting(set, key, nowMs)
  return { outcome: 'fact_taken', effect, replayed: false }
}
