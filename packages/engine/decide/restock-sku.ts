import { isClosed } from '@penstock/domain/drop.ts'
import { stockMax } from '@penstock/domain/limits.ts'
import { rejected } from '@penstock/domain/result.ts'
import { dropSaved } from '../drop-saved.ts'
import { found } from '../found.ts'
import type { RestockSku } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Adds units, or takes away units nobody holds or owns. */
export function restockSku(set: WorkingSet, command: RestockSku, nowMs: number): Result {
  const drop = set.drops.find(command.dropId)
  if (drop === undefined) return rejected('not_found', 'id', `There is no drop ${command.dropId}.`)
  if (!drop.skuIds.includes(command.skuId)) {
    return rejected('not_found', 'sku', `This drop has no SKU ${command.skuId}.`)
  }
  if (isClosed(drop.phase)) {
    return rejected('invalid_transition', 'id', `A drop that is ${drop.phase} cannot be restocked.`)
  }
  const sku = found(set.skus, command.skuId)
  const stock = sku.stock + command.quantity
  if (stock > stockMax) return rejected('invalid_request', 'quantity', `Stock would be above ${stockMax}.`)
  if (stock < sku.held + sku.sold) {
    const free = sku.stock - sku.held - sku.sold
    return rejected('invalid_request', 'quantity', `Only ${free} units are neither held nor sold.`)
  }

  // Point of no return.
  set.skus.update(sku.id, { ...sku, stock })
  set.events.append({ type: 'drop.updated', objectId: drop.id, createdMs: nowMs })
  return dropSaved(set, drop, nowMs)
}
