import { apiKeyColumns, toApiKey } from './rows.ts'
import type { RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { ApiKeyRow } from './rows.ts'

/** The writer's reads for API keys. Seldom asked for, so nothing is kept in memory. */
export function loadApiKeys(db: Connection): Pick<RowSource, 'apiKeys' | 'secretKeyIds'> {
  const apiKey = db.prepare<[string], ApiKeyRow>(`SELECT ${apiKeyColumns} FROM api_key WHERE id = ?`).raw()
  const secretKeyIds = db
    .prepare<[], string>("SELECT id FROM api_key WHERE kind = 'secret' AND revoked_ms IS NULL")
    .pluck()
  return {
    apiKeys: (id) => {
      const row = apiKey.get(id)
      return row && toApiKey(row)
    },
    secretKeyIds: () => secretKeyIds.all(),
  }
}
