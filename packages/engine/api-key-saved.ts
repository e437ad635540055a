import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { ApiKeySaved } from '@penstock/domain/result.ts'

/** The answer of every command about one API key: the key as it is now. */
export function apiKeySaved(apiKey: ApiKey): ApiKeySaved {
  return { outcome: 'api_key_saved', apiKey, replayed: false }
}
