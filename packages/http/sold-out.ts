import { refuseByOffer, refuseByStock } from '@penstock/domain/hold-refusal.ts'
import { liveMarginMs } from '@penstock/domain/limits.ts'
import type { Drop } from '@penstock/domain/drop.ts'
import type { Rejected } from '@penstock/domain/result.ts'
import type { Units } from '@penstock/domain/units.ts'
import type { Deps } from './api.ts'

/**
 * `sold_out`, where the writer would have said so at commit `catalogue.seq`, word for word; null: ask the writer, also when
 * it would refuse for another reason. For a hold of `lines` that replaces none and, if it has an Idempotency-Key, is the
 * first under it (docs/adr/0014-sold-out-without-the-writer.md).
 */
export function refuseSoldOut(
  { catalogue, writer, clock }: Pick<Deps, 'catalogue' | 'writer' | 'clock'>,
  dropId: string,
  lines: readonly Units[],
): Rejected | null {
  // Without its writer a process hears of no commits.
  if (!writer.isConnected) return null
  const offer = catalogue.offer(dropId)
  if (offer === undefined) return null
  const nowMs = clock()
  if (!isWellWithin(offer.drop, nowMs)) return null
  const refusal = refuseByOffer(offer, lines, nowMs) ?? refuseByStock(offer, lines, [])
  return refusal?.outcome === 'sold_out' ? refusal : null
}

/** Whether the writer's clock cannot be on the other side of the start or the end. */
function isWellWithin({ startsAtMs, endsAtMs }: Drop, nowMs: number): boolean {
  return startsAtMs + liveMarginMs <= nowMs && (endsAtMs === null || nowMs + liveMarginMs < endsAtMs)
}
