import type { FeeKind } from './fee.ts'
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
