import type { TouchKeys } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Notes when keys were last used. Reports of several processes come in any order, so the latest time counts, and no
 * time is behind the writer's own.
 */
export function touchKeys(set: WorkingSet, { uses }: TouchKeys, nowMs: number): Result {
  let count = 0
  for (const { apiKeyId, usedMs } of uses) {
    const apiKey = set.apiKeys.find(apiKeyId)
    const lastUsedMs = Math.min(usedMs, nowMs)
    if (apiKey === undefined || lastUsedMs <= (apiKey.lastUsedMs ?? 0)) continue
    set.apiKeys.update(apiKeyId, { ...apiKey, lastUsedMs })
    count += 1
  }
  return { outcome: 'keys_touched', count, replayed: false }
}
