import { codeStatus, codeUseKey, skuOfUnits } from '@penstock/domain/code.ts'
import { lineRefundKey } from '@penstock/domain/refund.ts'
import { rejected } from '@penstock/domain/result.ts'
import type { UseCode } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Marks the code of one unit as used, once. Refusals in order of precedence: unknown, used before, void. */
export function useCode(set: WorkingSet, command: UseCode, nowMs: number): Result {
  const { orderId, unit } = command
  const skus = skuOfUnits(set.holds.find(command.holdId)?.lines ?? [])
  const skuId = skus[unit]
  if (skuId === undefined) return rejected('not_found', 'code', 'There is no such code.')
  const usedMs = (other: number): number | null => set.codeUses.find(codeUseKey(orderId, other))?.usedMs ?? null
  const refundedQuantity = set.lineRefunds.find(lineRefundKey(orderId, skuId))?.refundedQuantity ?? 0
  const status = codeStatus({ skus, refunded: new Map([[skuId, refundedQuantity]]), usedMs }, unit)
  if (status === 'used') {
    const seconds = Math.floor((usedMs(unit) ?? 0) / 1_000)
    return rejected('code_used', 'code', `This code was used before, at ${seconds} (Unix seconds).`)
  }
  if (status === 'void') return rejected('code_void', 'code', 'This code is void: its unit was refunded.')

  // Point of no return.
  set.codeUses.insert(codeUseKey(orderId, unit), { orderId, unit, usedMs: nowMs })
  return { outcome: 'code_activated', orderId, skuId, usedMs: nowMs, replayed: false }
}
