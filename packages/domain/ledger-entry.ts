import type { Currency } from './money.ts'

/**
 * One double entry: `amountMinor` leaves `credit` and enters `debit`, so every entry sums to zero (promise P4).
 * Append-only. Accounts: `cash:<provider>` (money received), `sales` (money earned), `refunds_due` (money owed to
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
export const refundsDueAccount = 'refunds_due'

/** The public id of the `seq`-th entry. Entries are numbered by the writer, so this is no TypeID. */
export function ledgerEntryId(seq: number): string {
  return `le_${seq}`
}

/** The number in an id of `ledgerEntryId`; null for any other text. */
export function ledgerEntrySeq(id: string): number | null {
  return /^le_[1-9]\d{0,14}$/.test(id) ? Number(id.slice(3)) : null
}
