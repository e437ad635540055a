import { availableUnits, dropStatus } from './drop.ts'
import { rejected } from './result.ts'
import { demandBySku } from './units.ts'
import type { Drop, Sku } from './drop.ts'
import type { Rejected } from './result.ts'
import type { Units } from './units.ts'

/**
 * The refusals of a hold that follow from its drop and the counters of that drop alone. Written once: the engine decides
 * with them, and an HTTP process, which has drop and counters of some commit, knows what the engine would have said.
 */

/** A drop as it was at one commit. */
export interface Offer {
  readonly drop: Drop
  /** In the order of `drop.skuIds`. */
  readonly skus: readonly Sku[]
}

/** In order of precedence: not live, every unit sold, an unknown SKU, more of a SKU than one order may have. */
export function refuseByOffer(offer: Offer, lines: readonly Units[], nowMs: number): Rejected | null {
  const { drop, skus } = offer
  const status = dropStatus(drop, skus, nowMs)
  if (status === 'sold_out') return rejected('sold_out', 'drop', 'This drop is sold out.')
  if (status !== 'live') return rejected('not_live', 'drop', `This drop is ${status}.`)
  const unknown = lines.findIndex((line) => !drop.skuIds.includes(line.skuId))
  if (unknown !== -1) {
    return rejected('not_found', `lines[${unknown}].sku`, `This drop has no SKU ${lines[unknown]?.skuId}.`)
  }
  return refuseByOrderLimit(offer, lines)
}

/** Fewer units left than `lines` want, given that `returning` come back first. Every SKU must be one of the drop. */
export function refuseByStock(offer: Offer, lines: readonly Units[], returning: readonly Units[]): Rejected | null {
  const shortage = firstShortage((skuId) => skuOf(offer, skuId), lines, returning)
  if (shortage === null) return null
  const { skuId, available, wanted } = shortage
  return rejected('sold_out', quantityParam(lines, skuId), `${skuId} has ${available} units left, ${wanted} wanted.`)
}

/** The first SKU with fewer units left than `lines` want, given that `returning` come back first; or null. */
export function firstShortage(
  findSku: (skuId: string) => Sku,
  lines: readonly Units[],
  returning: readonly Units[],
): { skuId: string; available: number; wanted: number } | null {
  const returned = demandBySku(returning)
  for (const [skuId, wanted] of demandBySku(lines)) {
    const available = availableUnits(findSku(skuId)) + (returned.get(skuId) ?? 0)
    if (wanted > available) return { skuId, available, wanted }
  }
  return null
}

/** Lines of one SKU count together, so that a limit cannot be passed by splitting them. */
function refuseByOrderLimit(offer: Offer, lines: readonly Units[]): Rejected | null {
  if (lines.every(({ skuId }) => skuOf(offer, skuId).maxPerOrder === null)) return null
  for (const [skuId, wanted] of demandBySku(lines)) {
    const { maxPerOrder } = skuOf(offer, skuId)
    if (maxPerOrder === null || wanted <= maxPerOrder) continue
    const detail = `One order may have at most ${maxPerOrder} units of ${skuId}, ${wanted} wanted.`
    return rejected('limit_reached', quantityParam(lines, skuId), detail)
  }
  return null
}

function skuOf({ drop, skus }: Offer, skuId: string): Sku {
  const sku = skus[drop.skuIds.indexOf(skuId)]
  if (sku === undefined) throw new Error(`${drop.id} has no SKU ${skuId}`)
  return sku
}

/** The first line of this SKU, as the client names it. */
function quantityParam(lines: readonly Units[], skuId: string): string {
  return `lines[${lines.findIndex((line) => line.skuId === skuId)}].quantity`
}
