import { rejected } from '@penstock/domain/result.ts'
import { apiKeySaved } from '../api-key-saved.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { CreateKey } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/** Makes an API key. A known id is this very command, sent again after a writer restart. */
export function createKey(set: WorkingSet, command: CreateKey, nowMs: number): Result {
  const existing = set.apiKeys.find(command.apiKeyId)
  if (existing !== undefined) return apiKeySaved(existing)
  if (command.expiresAtMs !== null && command.expiresAtMs <= nowMs) {
    return rejected('invalid_request', 'expires_at', 'expires_at must be in the future.')
  }

  // Point of no return.
  const apiKey: ApiKey = {
    id: command.apiKeyId,
    kind: command.keyKind,
    name: command.name,
    scopes: command.scopes,
    secretHash: command.secretHash,
    hint: command.hint,
    createdMs: nowMs,
    expiresMs: command.expiresAtMs,
    revokedMs: null,
    lastUsedMs: null,
  }
  set.apiKeys.insert(apiKey.id, apiKey)
  set.events.append({ type: 'api_key.created', objectId: apiKey.id, createdMs: nowMs })
  return apiKeySaved(apiKey)
}
