import { totalFees } from './fee.ts'
import { numberedId, numberedIdPattern, numberedIdSeq } from './id.ts'
import type { Fee, FeeKind } from './fee.ts'
import type { Currency } from './money.ts'

/**
 * One double entry: `amountMinor` leaves `credit` and enters `debit`, so every entry sums to zero (promise P4).
 * Append-only. Accounts: `cash:<provider>` (money received), `sales` (goods sold), `fees:<kind>` (charged on top of the
 * goods), `refunds_due` (money owed to buyers), `disputes` (money a bank holds until it has decided).
 */
export interface LedgerEntry {
  readonly paymentId: string
  readonly debit: string
  readonly credit: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly createdMs: number
  /** The refund, the dispute or the attached hold that moved the money. Null: the payment itself, when it came. */
  readonly causeId: string | null
}

export function cashAccount(provider: string): string {
  return `cash:${provider}`
}

export const salesAccount = 'sales'

export function feesAccount(kind: FeeKind): string {
  return `fees:${kind}`
}

export const refundsDueAccount = 'refunds_due'
export const disputesAccount = 'disputes'

export const ledgerEntryIdPattern = numberedIdPattern('le')

/** The public id of the `seq`-th entry. */
export function ledgerEntryId(seq: number): string {
  return numberedId('le', seq)
}

/** The number in an id of `ledgerEntryId`; null for any other text. */
export function ledgerEntrySeq(id: string): number | null {
  return numberedIdSeq('le', id)
}

/** An amount on one account. */
export interface Share {
  readonly account: string
  readonly amountMinor: number
}

/**
 * The shares between two levels: `shares` are used up in their order, and `fromMinor` of them is used already. What
 * was taken from an account follows from the level alone, in whatever order refunds come, fail and come again.
 * `0 <= fromMinor <= toMinor <=` the sum of the shares.
 */
export function sharesBetween(shares: readonly Share[], fromMinor: number, toMinor: number): Share[] {
  const taken: Share[] = []
  let startMinor = 0
  for (const { account, amountMinor } of shares) {
    const endMinor = startMinor + amountMinor
    const overlapMinor = Math.min(endMinor, toMinor) - Math.max(startMinor, fromMinor)
    if (overlapMinor > 0) taken.push({ account, amountMinor: overlapMinor })
    startMinor = endMinor
  }
  return taken
}

/** Where the money of a sale goes: the goods to `sales`, then each kind of fee to an account of its own, if it is above 0. */
export function saleShares(amountMinor: number, fees: readonly Fee[]): Share[] {
  // Most drops have none, and every payment comes by here.
  if (fees.length === 0) return [{ account: salesAccount, amountMinor }]
  const byKind = new Map<FeeKind, number>()
  for (const fee of fees) byKind.set(fee.kind, (byKind.get(fee.kind) ?? 0) + fee.amountMinor)
  const charged = [...byKind].filter(([, feeMinor]) => feeMinor > 0)
  return [
    { account: salesAccount, amountMinor: amountMinor - totalFees(fees) },
    ...charged.map(([kind, feeMinor]) => ({ account: feesAccount(kind), amountMinor: feeMinor })),
  ]
}
