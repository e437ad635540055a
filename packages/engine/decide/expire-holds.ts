import { holdStatusAt } from '@penstock/domain/hold.ts'
import { expiriesPerCommandMax } from '@penstock/domain/limits.ts'
import { endHold } from '../stock.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Returns the units of holds past their deadline, oldest first, at most `expiriesPerCommandMax` at once. */
export function expireHolds(set: WorkingSet, nowMs: number): Result {
  let count = 0
  for (const holdId of set.listHoldsDue(nowMs, expiriesPerCommandMax)) {
    const hold = set.holds.find(holdId)
    // An earlier command of this batch may have captured or released it.
    if (hold === undefined || hold.status !== 'active' || holdStatusAt(hold, nowMs) !== 'expired') continue
    endHold(set, hold, 'expired', nowMs)
    count += 1
  }
  return { outcome: 'holds_expired', count, replayed: false }
}
