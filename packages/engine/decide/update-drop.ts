import { isClosed } from '@penstock/domain/drop.ts'
import { skusPerDropMax } from '@penstock/domain/limits.ts'
import { rejected } from '@penstock/domain/result.ts'
import { dropSaved } from '../drop-saved.ts'
import { found } from '../found.ts'
import { insertSku } from './create-drop.ts'
import type { UpdateDrop } from '@penstock/domain/command.ts'
import type { Drop } from '@penstock/domain/drop.ts'
import type { Rejected, Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Changes what a seller may change. Holds already made keep their prices and deadlines. */
export function updateDrop(set: WorkingSet, command: UpdateDrop, nowMs: number): Result {
  const drop = set.drops.find(command.dropId)
  if (drop === undefined) return rejected('not_found', 'id', `There is no drop ${command.dropId}.`)
  const changed: Drop = { ...drop, ...command.changes }
  // A SKU that is there already is this very command, sent again after a writer restart.
  const added = command.newSkus.filter((sku) => !drop.skuIds.includes(sku.id))
  const refusal = checkChanges(drop, changed) ?? checkSkus(drop, command, added.length)
  if (refusal !== null) return refusal

  // Point of no return.
  const before = JSON.stringify(dropSaved(set, drop, nowMs))
  for (const change of command.skuChanges) {
    const sku = found(set.skus, change.skuId)
    set.skus.update(sku.id, {
      ...sku,
      name: change.name ?? sku.name,
      unitAmountMinor: change.unitAmountMinor ?? sku.unitAmountMinor,
      maxPerOrder: change.maxPerOrder === null ? sku.maxPerOrder : change.maxPerOrder || null,
    })
  }
  for (const sku of added) insertSku(set, drop.id, sku)
  const saved: Drop = { ...changed, skuIds: [...drop.skuIds, ...added.map((sku) => sku.id)] }
  set.drops.update(drop.id, saved)
  const result = dropSaved(set, saved, nowMs)
  // Sent again, it changes nothing and is no event.
  if (JSON.stringify(result) !== before) {
    set.events.append({ type: 'drop.updated', objectId: drop.id, createdMs: nowMs })
  }
  return result
}

function checkChanges(before: Drop, after: Drop): Rejected | null {
  if (isClosed(before.phase)) {
    return rejected('invalid_transition', 'id', `A drop that is ${before.phase} cannot be changed.`)
  }
  if (after.endsAtMs !== null && after.endsAtMs <= after.startsAtMs) {
    return rejected('invalid_request', 'ends_at', 'ends_at must be after starts_at.')
  }
  // Units are counted per buyer only while there is a limit; a limit that appears later would start from zero.
  if (before.phase !== 'draft' && before.maxPerCustomer === null && after.maxPerCustomer !== null) {
    return rejected(
      'invalid_transition',
      'max_per_customer',
      'A limit can be introduced only while the drop is a draft.',
    )
  }
  return null
}

function checkSkus(drop: Drop, command: UpdateDrop, addedCount: number): Rejected | null {
  const unknown = command.skuChanges.find((change) => !drop.skuIds.includes(change.skuId))
  if (unknown !== undefined) return rejected('not_found', 'skus', `This drop has no SKU ${unknown.skuId}.`)
  if (drop.skuIds.length + addedCount > skusPerDropMax) {
    return rejected('invalid_request', 'skus', `A drop has at most ${skusPerDropMax} SKUs.`)
  }
  return null
}
