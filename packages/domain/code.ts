import { idPattern } from './id.ts'

/**
 * A code stands for one unit of an order: it is shown once at the door or on first use. Codes are not stored but derived
 * from the order (ADR 6): `pc_`, the 26 characters of the order's id, the number of the unit, and 16 characters only
 * Penstock and the buyer can compute.
 */
export interface CodeParts {
  readonly orderId: string
  /** From 0, over all lines in order. */
  readonly unit: number
  readonly mac: string
}

export type CodeStatus = 'valid' | 'used' | 'void'

/** The code of a unit was used: at most once. */
export interface CodeUse {
  readonly orderId: string
  readonly unit: number
  readonly usedMs: number
}

/** The key of a use in a working set. */
export function codeUseKey(orderId: string, unit: number): string {
  return `${orderId} ${unit}`
}

/** What a code is worth follows from these facts of its order, and from nothing else. */
export interface CodeFacts {
  /** `skuOfUnits` of the order's lines. */
  readonly skus: readonly string[]
  /** Units refunded, by SKU. */
  readonly refunded: ReadonlyMap<string, number>
  /** When the code of a unit was used, or null. */
  readonly usedMs: (unit: number) => number | null
}

const orderPrefix = 'ord_'
const orderSuffix = idPattern('order').slice(orderPrefix.length + 1, -1)

/** A pattern for schemas; its groups are the parts of a code. */
export const codePattern = `^pc_(${orderSuffix})_(0|[1-9][0-9]{0,3})_([0-9a-hjkmnp-tv-z]{16})$`

const matcher = new RegExp(codePattern)

export function formatCode({ orderId, unit, mac }: CodeParts): string {
  return `pc_${orderId.slice(orderPrefix.length)}_${unit}_${mac}`
}

/** The parts of a text that has the form of a code, or null. */
export function parseCode(text: string): CodeParts | null {
  const [, suffix, unit, mac] = matcher.exec(text) ?? []
  if (suffix === undefined || unit === undefined || mac === undefined) return null
  return { orderId: orderPrefix + suffix, unit: Number(unit), mac }
}

/** The SKU of every unit: its index is the unit's number. */
export function skuOfUnits(lines: readonly { readonly skuId: string; readonly quantity: number }[]): string[] {
  return lines.flatMap(({ skuId, quantity }) => Array.from({ length: quantity }, () => skuId))
}

/**
 * Valid, used or void. A used code stays used. Of the others, as many as units of the SKU were refunded are void, the last
 * first: so a refund never voids a code that was used before it, and using one never revives another.
 */
export function codeStatus({ skus, refunded, usedMs }: CodeFacts, unit: number): CodeStatus {
  if (usedMs(unit) !== null) return 'used'
  const skuId = skus[unit]
  const voidCount = skuId === undefined ? 0 : (refunded.get(skuId) ?? 0)
  let unusedLater = 0
  for (let later = unit + 1; unusedLater < voidCount && later < skus.length; later++) {
    if (skus[later] === skuId && usedMs(later) === null) unusedLater += 1
  }
  return unusedLater < voidCount ? 'void' : 'valid'
}

/** Of an order of which nothing was refunded. */
export const nothingRefunded: ReadonlyMap<string, number> = new Map()
