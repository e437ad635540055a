import { rejected } from '@penstock/domain/result.ts'
import { changeOrder, findOrder, orderSaved } from '../order-facts.ts'
import type { FulfilOrder } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** The goods are on their way. One that was fulfilled before is answered as it is. */
export function fulfilOrder(set: WorkingSet, command: FulfilOrder, nowMs: number): Result {
  const order = findOrder(set, command.orderId)
  if (order === undefined) return rejected('not_found', 'id', `There is no order ${command.orderId}.`)
  if (order.fulfilledMs !== null) return orderSaved(set, order)
  if (order.cancelledMs !== null) {
    return rejected('invalid_transition', 'id', 'A cancelled order cannot be fulfilled.')
  }

  // Point of no return.
  const fulfilled = changeOrder(set, order, { fulfilledMs: nowMs })
  set.events.append({ type: 'order.fulfilled', objectId: order.id, createdMs: nowMs })
  return orderSaved(set, fulfilled)
}
