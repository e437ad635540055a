import { availableUnits } from '@penstock/domain/drop.ts'
import { buyerUnitsIds } from '@penstock/domain/customer.ts'
import { found } from './found.ts'
import type { Customer, ErasedCustomer } from '@penstock/domain/customer.ts'
import type { Drop } from '@penstock/domain/drop.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** A quantity of one SKU. */
export interface Units {
  readonly skuId: string
  readonly quantity: number
}

/** The lines added up by SKU, so that two lines of one SKU cannot each pass alone (medusajs/medusa#16502). */
export function demandBySku(lines: readonly Units[]): Map<string, number> {
  const demand = new Map<string, number>()
  for (const { skuId, quantity } of lines) demand.set(skuId, (demand.get(skuId) ?? 0) + quantity)
  return demand
}

export function totalQuantity(lines: readonly Units[]): number {
  return lines.reduce((sum, line) => sum + line.quantity, 0)
}

/** The first SKU with fewer units left than `lines` want, given that `returning` come back first; or null. */
export function firstShortage(
  set: WorkingSet,
  lines: readonly Units[],
  returning: readonly Units[],
): { skuId: string; available: number; wanted: number } | null {
  const returned = demandBySku(returning)
  for (const [skuId, wanted] of demandBySku(lines)) {
    const available = availableUnits(found(set.skus, skuId)) + (returned.get(skuId) ?? 0)
    if (wanted > available) return { skuId, available, wanted }
  }
  return null
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
