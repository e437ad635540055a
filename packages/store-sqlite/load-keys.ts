import { findApiKey } from './find-row.ts'
import { toApiKey } from './rows.ts'
import type { RowSource } from '@penstock/store/working-set.ts'
import type { Database as Connection } from 'better-sqlite3'

/** The writer's reads for API keys. Seldom asked for, so nothing is kept in memory. */
export function loadApiKeys(db: Connection): Pick<RowSource, 'apiKeys' | 'secretKeyIds'> {
  const apiKey = findApiKey(db)
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
