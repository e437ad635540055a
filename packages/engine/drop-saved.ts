import { found } from './found.ts'
import type { Drop, Sku } from '@penstock/domain/drop.ts'
import type { DropSaved } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

export function skusOf(set: WorkingSet, drop: Drop): Sku[] {
  return drop.skuIds.map((skuId) => found(set.skus, skuId))
}

/** The answer of every command about a drop: the drop as it is now. */
export function dropSaved(set: WorkingSet, drop: Drop, nowMs: number): DropSaved {
  return { outcome: 'drop_saved', drop, skus: skusOf(set, drop), nowMs, replayed: false }
}
