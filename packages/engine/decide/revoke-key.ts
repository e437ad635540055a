import { isUsable, managesKeys } from '@penstock/domain/api-key.ts'
import { rejected } from '@penstock/domain/result.ts'
import { apiKeySaved } from '../api-key-saved.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { RevokeKey } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Ends a key at once. The last usable one that can make others stays: without it nobody could ever make one. */
export function revokeKey(set: WorkingSet, command: RevokeKey, nowMs: number): Result {
  const apiKey = set.apiKeys.find(command.apiKeyId)
  if (apiKey === undefined) return rejected('not_found', 'id', `There is no API key ${command.apiKeyId}.`)
  if (apiKey.revokedMs !== null) return apiKeySaved(apiKey)
  if (isLastManager(set, apiKey, nowMs)) {
    const detail = 'This is the last usable secret key that can make API keys: create or roll one first.'
    return rejected('last_secret_key', 'id', detail)
  }

  // Point of no return.
  const revoked: ApiKey = { ...apiKey, revokedMs: nowMs }
  set.apiKeys.update(revoked.id, revoked)
  set.events.append({ type: 'api_key.revoked', objectId: revoked.id, createdMs: nowMs })
  return apiKeySaved(revoked)
}

function isLastManager(set: WorkingSet, apiKey: ApiKey, nowMs: number): boolean {
  const counts = (key: ApiKey): boolean => managesKeys(key) && isUsable(key, nowMs)
  return counts(apiKey) && !set.listSecretKeys().some((other) => other.id !== apiKey.id && counts(other))
}
