/** Where the money of a fee goes in the ledger: `fees:<kind>`. */
export type FeeKind = 'shipping' | 'tax' | 'service'

export const feeKinds: readonly FeeKind[] = ['shipping', 'tax', 'service']

/** A charge of a drop on top of the goods of an order: a flat amount, or a share of the goods. One of them is null. */
export interface FeeRule {
  readonly name: string
  readonly kind: FeeKind
  readonly amountMinor: number | null
  /** Hundredths of a percent of the goods, at most `basisPointsMax`; 1900 is 19 %. */
  readonly basisPoints: number | null
}

/** What a rule came to when a hold was made; a later change of the drop does not touch it. */
export interface Fee {
  readonly name: string
  readonly kind: FeeKind
  readonly amountMinor: number
}

/** Of most drops: shared, so that a hold without fees costs nothing. */
export const noFees: readonly never[] = Object.freeze([])

/** Shares are rounded half up, each by itself, so that each can be shown. */
export function computeFees(rules: readonly FeeRule[], goodsMinor: number): readonly Fee[] {
  if (rules.length === 0) return noFees
  return rules.map(({ name, kind, amountMinor, basisPoints }) => ({
    name,
    kind,
    amountMinor: (amountMinor ?? 0) + shareOf(goodsMinor, basisPoints ?? 0),
  }))
}

export function totalFees(fees: readonly Fee[]): number {
  return fees.reduce((sum, fee) => sum + fee.amountMinor, 0)
}

/**
 * `basisPoints` ten-thousandths of an amount, half up. The product of the two may pass 2^53, so the whole
 * ten-thousands and the rest are multiplied apart; remainders, not quotients, keep everything an integer.
 */
export function shareOf(amountMinor: number, basisPoints: number): number {
  const rest = amountMinor % 10_000
  const rounded = rest * basisPoints + 5_000
  return ((amountMinor - rest) / 10_000) * basisPoints + (rounded - (rounded % 10_000)) / 10_000
}
