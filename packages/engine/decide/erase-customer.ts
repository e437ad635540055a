import { isErased } from '@penstock/domain/customer.ts'
import { rejected } from '@penstock/domain/result.ts'
import { found } from '../found.ts'
import { limitCounters } from '../stock.ts'
import type { EraseCustomer } from '@penstock/domain/command.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Removes name, address, phone, external id and e-mail of a hold's customer for good. What the buyer holds and owns stays,
 * and goes on counting towards their limit: the counters know the buyer by a digest.
 */
export function eraseCustomer(set: WorkingSet, command: EraseCustomer): Result {
  const hold = set.holds.find(command.holdId)
  if (hold === undefined) return rejected('not_found', 'id', `There is no hold ${command.holdId}.`)
  if (isErased(hold.customer)) return { outcome: 'customer_erased', hold, replayed: false }

  // Point of no return.
  const countedIn = limitCounters(found(set.drops, hold.dropId), hold.customer)
  const erased: Hold = { ...hold, customer: { countedIn } }
  set.holds.update(hold.id, erased)
  return { outcome: 'customer_erased', hold: erased, replayed: false }
}
