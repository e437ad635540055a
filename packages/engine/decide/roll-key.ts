import { isUsable } from '@penstock/domain/api-key.ts'
import { rejected } from '@penstock/domain/result.ts'
import { apiKeySaved } from '../api-key-saved.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { RollKey } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * Makes a key with the kind, name and scopes of another, and lets that one end `overlapMs` from now, or at its own
 * expiry when that comes first. The new key does not expire. A known new id is this very command, sent again.
 */
export function rollKey(set: WorkingSet, command: RollKey, nowMs: number): Result {
  const made = set.apiKeys.find(command.newApiKeyId)
  if (made !== undefined) return apiKeySaved(made)
  const old = set.apiKeys.find(command.apiKeyId)
  if (old === undefined) return rejected('not_found', 'id', `There is no API key ${command.apiKeyId}.`)
  if (!isUsable(old, nowMs)) {
    const state = old.revokedMs === null ? 'has expired' : 'was revoked'
    return rejected('invalid_transition', 'id', `An API key that ${state} cannot be rolled.`)
  }

  // Point of no return.
  const apiKey: ApiKey = {
    ...old,
    id: command.newApiKeyId,
    secretHash: command.secretHash,
    hint: command.hint,
    createdMs: nowMs,
    expiresMs: null,
    lastUsedMs: null,
  }
  set.apiKeys.insert(apiKey.id, apiKey)
  const endMs = nowMs + command.overlapMs
  set.apiKeys.update(old.id, { ...old, expiresMs: Math.min(endMs, old.expiresMs ?? endMs) })
  // Of the old key: whoever watches it learns that it ends. The new one is told like every other.
  set.events.append({ type: 'api_key.created', objectId: apiKey.id, createdMs: nowMs })
  set.events.append({ type: 'api_key.rolled', objectId: old.id, createdMs: nowMs })
  return apiKeySaved(apiKey)
}
