import type { FeeRule } from './fee.ts'
import type { Currency } from './money.ts'

/**
 * What the seller decided. The public status also depends on the clock and on the stock: see `dropStatus`.
 * draft → published ⇄ paused; published or paused → ended; all but a draft → cancelled.
 */
export type DropPhase = 'draft' | 'published' | 'paused' | 'ended' | 'cancelled'

export type DropStatus = 'draft' | 'scheduled' | 'live' | 'paused' | 'sold_out' | 'ended' | 'cancelled'

export const dropStatuses: readonly DropStatus[] = [
  'draft',
  'scheduled',
  'live',
  'paused',
  'sold_out',
  'ended',
  'cancelled',
]

/** What happens to money that arrives after its hold ended: take the units again if there are any, or give it back. */
export type LatePayment = 'reacquire' | 'refund'

/** A sale with fixed stock at a fixed moment. */
export interface Drop {
  readonly id: string
  readonly name: string
  readonly description: string | null
  readonly image: string | null
  readonly currency: Currency
  readonly startsAtMs: number
  /** Null: until sold out or ended by hand. */
  readonly endsAtMs: number | null
  readonly holdTtlMs: number
  /** Units one buyer may hold and own, over all SKUs. Null: no limit, and nothing is counted. */
  readonly maxPerCustomer: number | null
  readonly latePayment: LatePayment
  /** In the seller's order. Apply to holds made from now on. */
  readonly fees: readonly FeeRule[]
  readonly metadata: Readonly<Record<string, string>>
  readonly phase: DropPhase
  readonly createdMs: number
  /** In the seller's order. */
  readonly skuIds: readonly string[]
}

/** One thing on sale. `held + sold <= stock`, always (promise P2); available is what is left. */
export interface Sku {
  readonly id: string
  readonly dropId: string
  readonly name: string
  readonly unitAmountMinor: number
  readonly stock: number
  /** Units of this SKU that one hold may have, over all its lines. Null: as many as there are. */
  readonly maxPerOrder: number | null
  readonly held: number
  readonly sold: number
}

export function availableUnits(sku: Sku): number {
  return sku.stock - sku.held - sku.sold
}

/**
 * The public status at `nowMs`. No job opens or closes a sale: the status is derived at every read and again in
 * every decision, from one clock. sold_out is final only while stock is: units held by buyers who have not paid yet
 * keep a drop live, because they may come back.
 */
export function dropStatus(drop: Drop, skus: readonly Sku[], nowMs: number): DropStatus {
  if (drop.phase === 'draft') return 'draft'
  if (drop.phase === 'cancelled') return 'cancelled'
  if (drop.phase === 'ended') return 'ended'
  if (drop.endsAtMs !== null && nowMs >= drop.endsAtMs) return 'ended'
  if (drop.phase === 'paused') return 'paused'
  if (nowMs < drop.startsAtMs) return 'scheduled'
  if (skus.every((sku) => sku.sold >= sku.stock)) return 'sold_out'
  return 'live'
}

export type DropAction = 'publish' | 'pause' | 'resume' | 'end' | 'cancel'

const transitions: Record<DropAction, { readonly from: readonly DropPhase[]; readonly to: DropPhase }> = {
  publish: { from: ['draft'], to: 'published' },
  pause: { from: ['published'], to: 'paused' },
  resume: { from: ['paused'], to: 'published' },
  end: { from: ['published', 'paused'], to: 'ended' },
  // Not a draft: buyers never saw it, and would see it then.
  cancel: { from: ['published', 'paused', 'ended'], to: 'cancelled' },
}

/**
 * The phase after `action`, or null when it is not allowed from `phase`. An action whose effect is already there is
 * allowed and changes nothing, so that a retry is never an error.
 */
export function nextPhase(phase: DropPhase, action: DropAction): DropPhase | null {
  const { from, to } = transitions[action]
  return phase === to || from.includes(phase) ? to : null
}

/** Closed by the seller: nothing about such a drop changes any more. */
export function isClosed(phase: DropPhase): boolean {
  return phase === 'ended' || phase === 'cancelled'
}
