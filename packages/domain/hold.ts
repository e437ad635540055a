import type { CreateHold } from './command.ts'
import type { Customer, ErasedCustomer } from './customer.ts'
import type { Fee } from './fee.ts'
import type { Currency } from './money.ts'

/** active → captured (paid) | released (by the buyer or the seller) | expired (past its deadline). Never deleted. */
export type HoldStatus = 'active' | 'captured' | 'released' | 'expired'

export const holdStatuses: readonly HoldStatus[] = ['active', 'captured', 'released', 'expired']

export interface HoldLine {
  readonly skuId: string
  readonly quantity: number
  /** The price when the hold was made; a later change of the SKU does not touch it. */
  readonly unitAmountMinor: number
}

/** One buyer's claim on units until a deadline set by the writer's clock. All lines or none. */
export interface Hold {
  readonly id: string
  readonly dropId: string
  readonly lines: readonly HoldLine[]
  /** What the drop charged on top of the goods when the hold was made. */
  readonly fees: readonly Fee[]
  /** Goods and fees. */
  readonly amountMinor: number
  readonly currency: Currency
  /** Erased for good on request; all else of a hold stays. */
  readonly customer: Customer | ErasedCustomer
  /** Proof of ownership for a browser; whoever has it may read and release this hold. */
  readonly clientSecret: string
  readonly createdMs: number
  /** A whole second, so that the wire shows the exact deadline. */
  readonly expiresMs: number
  readonly status: HoldStatus
}

/**
 * What of a new hold does not follow from its command: prices and clock of the writer. Drop and SKUs are those of the
 * command; here come the texts of their ids that the hold shall keep.
 */
export type HoldTerms = Pick<Hold, 'dropId' | 'lines' | 'fees' | 'amountMinor' | 'currency' | 'createdMs' | 'expiresMs'>

export function newHold(command: CreateHold, terms: HoldTerms): Hold {
  return {
    id: command.holdId,
    dropId: terms.dropId,
    lines: terms.lines,
    fees: terms.fees,
    amountMinor: terms.amountMinor,
    currency: terms.currency,
    customer: command.customer,
    clientSecret: command.clientSecret,
    createdMs: terms.createdMs,
    expiresMs: terms.expiresMs,
    status: 'active',
  }
}

/** The status at `nowMs`: a hold past its deadline is expired even before the writer has returned its units. */
export function holdStatusAt(hold: Hold, nowMs: number): HoldStatus {
  return hold.status === 'active' && nowMs >= hold.expiresMs ? 'expired' : hold.status
}

/** The deadline of a hold made at `nowMs`: at least `holdTtlMs` away, rounded up to a whole second. */
export function holdDeadlineMs(nowMs: number, holdTtlMs: number): number {
  return Math.ceil((nowMs + holdTtlMs) / 1_000) * 1_000
}

/**
 * Whether `proof` (a client secret, or null for a seller's key, which needs none) allows to touch the hold. Looks at
 * every character whatever the first difference, so that the time it takes tells nothing.
 */
export function provesHold(hold: Hold, proof: string | null): boolean {
  if (proof === null) return true
  const secret = hold.clientSecret
  let difference = proof.length ^ secret.length
  for (let at = 0; at < secret.length; at++) difference |= secret.charCodeAt(at) ^ proof.charCodeAt(at)
  return difference === 0
}
