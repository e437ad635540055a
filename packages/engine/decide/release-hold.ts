import { holdStatusAt, provesHold } from '@penstock/domain/hold.ts'
import { rejected } from '@penstock/domain/result.ts'
import { endHold } from '../stock.ts'
import type { ReleaseHold } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Gives a hold's units back. A hold that ended unpaid is answered as it is: a retry is never an error. */
export function releaseHold(set: WorkingSet, command: ReleaseHold, nowMs: number): Result {
  const hold = set.holds.find(command.holdId)
  if (hold === undefined) return rejected('not_found', 'id', `There is no hold ${command.holdId}.`)
  if (!provesHold(hold, command.proof)) {
    return rejected('invalid_client_secret', 'Penstock-Client-Secret', 'The client secret does not fit the hold.')
  }
  const status = holdStatusAt(hold, nowMs)
  if (status === 'captured') return rejected('hold_not_active', 'id', 'A hold that was paid cannot be released.')
  if (hold.status !== 'active') return { outcome: 'hold_released', hold, replayed: false }

  // Point of no return.
  const ended = endHold(set, hold, status === 'expired' ? 'expired' : 'released', nowMs)
  return { outcome: 'hold_released', hold: ended, replayed: false }
}
