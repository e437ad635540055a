import { totalFees } from './fee.ts'
import type { Fee, FeeKind } from './fee.ts'
import type { Currency } from './money.ts'

/**
 * One double entry: `amountMinor` leaves `credit` and enters `debit`, so every entry sums to zero (promise P4).
 * Append-only. Accounts: `cash:<provider>` (money received), `sales` (goods sold), `fees:<kind>`
 * (charged on top of the goods), `refunds_due` (money owed to
 * buyers).
 */
export interface LedgerEntry {
  readonly paymentId: string
  readonly debit: string
  readonly credit: string
  readonly amountMinor: number
  readonly currency: Currency
  readonly createdMs: number
}

export function cashAccount(provider: string): string {
  return `cash:${provider}`
}

export const salesAccount = 'sales'

export function feesAccount(kind: FeeKind): string {
  return `fees:${kind}`
}

export const refundsDueAccount = 'refunds_due'

/** An amount on one account. */
export interface Share {
  readonly account: string
  readonly amountMinor: number
}

/** Where the money of a sale goes: the goods to `sales`, then each kind of fee to an account of its own, if it is above 0. */
export function saleShares(amountMinor: number, fees: readonly Fee[]): Share[] {
  const byKind = new Map<FeeKind, number>()
  for (const fee of fees) byKind.set(fee.kind, (byKind.get(fee.kind) ?? 0) + fee.amountMinor)
  const charged = [...byKind].filter(([, feeMinor]) => feeMinor > 0)
  return [
    { account: salesAccount, amountMinor: amountMinor - totalFees(fees) },
    ...charged.map(([kind, feeMinor]) => ({ account: feesAccount(kind), amountMinor: feeMinor })),
  ]
}
