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
