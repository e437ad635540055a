import { buyerUnitsIds } from '@penstock/domain/customer.ts'
import { firstShortage } from '@penstock/domain/hold-refusal.ts'
import { found } from './found.ts'
import type { Customer, ErasedCustomer } from '@penstock/domain/customer.ts'
import type { Drop } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Units } from '@penstock/domain/units.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

export function totalQuantity(lines: readonly Units[]): number {
  return lines.reduce((sum, line) => sum + line.quantity, 0)
}

/** Whether some SKU has fewer units left than `lines` want, given that `returning` come back first. */
export function isShort(set: WorkingSet, lines: readonly Units[], returning: readonly Units[]): boolean {
  return firstShortage((skuId) => found(set.skus, skuId), lines, returning) !== null
}

/** Moves the counters of each SKU. Refuses to break `0 <= held`, `0 <= sold`, `held + sold <= stock` (promise P2). */
export function moveUnits(
  set: WorkingSet,
  lines: readonly Units[],
  direction: { readonly held: -1 | 0 | 1; readonly sold: -1 | 0 | 1 },
): void {
  for (const { skuId, quantity } of lines) {
    const sku = found(set.skus, skuId)
    const held = sku.held + direction.held * quantity
    const sold = sku.sold + direction.sold * quantity
    if (held < 0 || sold < 0 || held + sold > sku.stock) {
      throw new Error(`${skuId}: held ${held}, sold ${sold} would break stock ${sku.stock}`)
    }
    set.skus.update(skuId, { ...sku, held, sold })
  }
}

/** The counters of a customer under the drop's limit, one for each key they are known by; each costs a digest. */
export function limitCounters(drop: Drop, customer: Customer | ErasedCustomer): readonly string[] {
  return drop.maxPerCustomer === null ? [] : buyerUnitsIds(drop.id, customer)
}

/**
 * Whether the customer of these `limitCounters` may take `quantity` more units of `drop` after giving `returning` back,
 * under every one of them.
 */
export function isWithinLimit(
  set: WorkingSet,
  drop: Drop,
  counters: readonly string[],
  quantity: number,
  returning: Hold | null,
): boolean {
  if (drop.maxPerCustomer === null) return true
  const returned = new Map<string, number>()
  if (returning !== null) {
    const quantityBack = totalQuantity(returning.lines)
    for (const id of limitCounters(drop, returning.customer)) returned.set(id, quantityBack)
  }
  for (const id of counters) {
    const units = set.buyers.find(id)?.units ?? 0
    if (units - (returned.get(id) ?? 0) + quantity > drop.maxPerCustomer) return false
  }
  return true
}

/** Counts units towards (+) or off (−) a buyer's limit, in each of their `limitCounters`. */
export function countBuyerUnits(set: WorkingSet, counters: readonly string[], quantity: number): void {
  for (const id of counters) {
    const row = set.buyers.find(id)
    const units = (row?.units ?? 0) + quantity
    if (units < 0) throw new Error(`${id} would own ${units} units`)
    if (row === undefined) set.buyers.insert(id, { id, units })
    else set.buyers.update(id, { id, units })
  }
}

/** Ends an active hold without a sale: its units and its share of the buyer's limit come back. */
export function endHold(set: WorkingSet, hold: Hold, status: 'released' | 'expired', nowMs: number): Hold {
  const ended = { ...hold, status }
  set.holds.update(hold.id, ended)
  moveUnits(set, hold.lines, { held: -1, sold: 0 })
  countBuyerUnits(set, limitCounters(found(set.drops, hold.dropId), hold.customer), -totalQuantity(hold.lines))
  set.events.append({ type: `hold.${status}`, objectId: hold.id, createdMs: nowMs })
  return ended
}
