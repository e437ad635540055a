import { computeFees, totalFees } from '@penstock/domain/fee.ts'
import { refuseByOffer, refuseByStock } from '@penstock/domain/hold-refusal.ts'
import { holdDeadlineMs, holdStatusAt, newHold, provesHold } from '@penstock/domain/hold.ts'
import { amountMax } from '@penstock/domain/limits.ts'
import { rejected } from '@penstock/domain/result.ts'
import { asCreated } from '../answer.ts'
import { skusOf } from '../drop-saved.ts'
import { found } from '../found.ts'
import { countBuyerUnits, endHold, isWithinLimit, limitCounters, moveUnits, totalQuantity } from '../stock.ts'
import type { CreateHold } from '@penstock/domain/command.ts'
import type { Drop } from '@penstock/domain/drop.ts'
import type { Hold, HoldLine } from '@penstock/domain/hold.ts'
import type { Rejected, Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Claims units for one buyer until a deadline: all lines or none. Refusals in order of precedence: unknown drop, not
 * live, unknown SKU, more of a SKU than one order may have, a hold to replace that is unknown, foreign or no longer
 * active, sold out, limit reached, an amount above `amountMax`.
 */
export function createHold(set: WorkingSet, command: CreateHold, nowMs: number): Result {
  // A known id is this very command, sent again after a writer restart.
  const existing = set.holds.find(command.holdId)
  if (existing !== undefined) return { outcome: 'hold_created', hold: asCreated(existing), replayed: false }

  const drop = set.drops.find(command.dropId)
  if (drop === undefined) return rejected('not_found', 'drop', `There is no drop ${command.dropId}.`)
  const offer = { drop, skus: skusOf(set, drop) }
  const refusal = refuseByOffer(offer, command.lines, nowMs)
  if (refusal !== null) return refusal
  const replaced = findReplaced(set, command)
  if (replaced !== null && 'outcome' in replaced) return replaced
  const shortage = refuseByStock(offer, command.lines, replaced?.lines ?? [])
  if (shortage !== null) return shortage
  const counters = limitCounters(drop, command.customer)
  if (!isWithinLimit(set, drop, counters, totalQuantity(command.lines), replaced)) {
    return rejected(
      'limit_reached',
      'lines',
      `One customer may have at most ${drop.maxPerCustomer} units of this drop.`,
    )
  }

  const hold = holdFor(set, drop, command, nowMs)
  if (hold.amountMinor > amountMax) {
    const detail = `The amount of a hold, fees included, may be at most ${amountMax} minor units.`
    return rejected('invalid_request', 'lines', detail)
  }

  // Point of no return.
  if (replaced !== null) {
    endHold(set, replaced, holdStatusAt(replaced, nowMs) === 'active' ? 'released' : 'expired', nowMs)
  }
  set.holds.insert(hold.id, hold)
  moveUnits(set, hold.lines, { held: 1, sold: 0 })
  countBuyerUnits(set, counters, totalQuantity(hold.lines))
  return { outcome: 'hold_created', hold, replayed: false }
}

/** The hold whose units come back, null when it has none (any more), or the reason to refuse. */
function findReplaced(set: WorkingSet, command: CreateHold): Hold | Rejected | null {
  if (command.replace === null) return null
  const { holdId, proof } = command.replace
  const hold = set.holds.find(holdId)
  if (hold === undefined || hold.dropId !== command.dropId) {
    return rejected('not_found', 'replace.hold', `This drop has no hold ${holdId}.`)
  }
  if (!provesHold(hold, proof)) {
    return rejected('invalid_client_secret', 'replace.client_secret', 'The client secret does not fit the hold.')
  }
  if (hold.status === 'captured') {
    return rejected('hold_not_active', 'replace.hold', 'A hold that was paid cannot be replaced.')
  }
  return hold.status === 'active' ? hold : null
}

function holdFor(set: WorkingSet, drop: Drop, command: CreateHold, nowMs: number): Hold {
  // Ids of the catalogue, not of the command: thousands of holds in memory then share them.
  const lines: HoldLine[] = command.lines.map(({ skuId, quantity }) => {
    const { id, unitAmountMinor } = found(set.skus, skuId)
    return { skuId: id, quantity, unitAmountMinor }
  })
  const goodsMinor = lines.reduce((sum, line) => sum + line.quantity * line.unitAmountMinor, 0)
  const fees = computeFees(drop.fees, goodsMinor)
  return newHold(command, {
    dropId: drop.id,
    lines,
    fees,
    amountMinor: goodsMinor + totalFees(fees),
    currency: drop.currency,
    createdMs: nowMs,
    expiresMs: holdDeadlineMs(nowMs, drop.holdTtlMs),
  })
}
