import { nextPhase } from '@penstock/domain/drop.ts'
import { rejected } from '@penstock/domain/result.ts'
import { dropSaved } from '../drop-saved.ts'
import type { ChangeDropPhase } from '@penstock/domain/command.ts'
import type { Drop } from '@penstock/domain/drop.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

const done = { publish: 'published', pause: 'paused', resume: 'resumed', end: 'ended', cancel: 'cancelled' } as const

/** Publishes, pauses, resumes, ends or cancels a drop. Holds and payments already under way are not touched. */
export function changeDropPhase(set: WorkingSet, command: ChangeDropPhase, nowMs: number): Result {
  const drop = set.drops.find(command.dropId)
  if (drop === undefined) return rejected('not_found', 'id', `There is no drop ${command.dropId}.`)
  const phase = nextPhase(drop.phase, command.action)
  if (phase === null) {
    return rejected('invalid_transition', 'id', `A drop that is ${drop.phase} cannot be ${done[command.action]}.`)
  }

  // Point of no return.
  const saved: Drop = { ...drop, phase }
  if (phase !== drop.phase) {
    set.drops.update(drop.id, saved)
    set.events.append({ type: 'drop.updated', objectId: drop.id, createdMs: nowMs })
  }
  return dropSaved(set, saved, nowMs)
}
