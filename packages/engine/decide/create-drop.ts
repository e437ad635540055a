import { dropSaved } from '../drop-saved.ts'
import { rejected } from '@penstock/domain/result.ts'
import type { CreateDrop, NewSku } from '@penstock/domain/command.ts'
import type { Drop } from '@penstock/domain/drop.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Makes a drop in draft with its SKUs. A known id is this very command, sent again after a writer restart. */
export function createDrop(set: WorkingSet, command: CreateDrop, nowMs: number): Result {
  const existing = set.drops.find(command.dropId)
  if (existing !== undefined) return dropSaved(set, existing, nowMs)
  const startsAtMs = command.startsAtMs ?? Math.floor(nowMs / 1_000) * 1_000
  if (command.endsAtMs !== null && command.endsAtMs <= startsAtMs) {
    return rejected('invalid_request', 'ends_at', 'ends_at must be after starts_at.')
  }

  // Point of no return.
  const drop: Drop = {
    id: command.dropId,
    name: command.name,
    description: command.description,
    image: command.image,
    currency: command.currency,
    startsAtMs,
    endsAtMs: command.endsAtMs,
    holdTtlMs: command.holdTtlMs,
    maxPerCustomer: command.maxPerCustomer,
    latePayment: command.latePayment,
    fees: command.fees,
    metadata: command.metadata,
    phase: 'draft',
    createdMs: nowMs,
    skuIds: command.skus.map((sku) => sku.id),
  }
  set.drops.insert(drop.id, drop)
  for (const sku of command.skus) insertSku(set, drop.id, sku)
  set.events.append({ type: 'drop.created', objectId: drop.id, createdMs: nowMs })
  return dropSaved(set, drop, nowMs)
}

export function insertSku(set: WorkingSet, dropId: string, sku: NewSku): void {
  set.skus.insert(sku.id, { ...sku, dropId, held: 0, sold: 0 })
}
