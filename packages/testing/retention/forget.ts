/**
 * A writer that does nothing but forget old requests, and says so after each step: `retention.test.ts` kills it.
 * Argument: the path of a database.
 */
import { writeSync } from 'node:fs'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { killedStore } from './killed-store.ts'

const store = new SqliteStore(process.argv[2] ?? '', killedStore)
for (let step = 0; step < 2_000; step++) {
  store.maintain(true)
  writeSync(1, '.')
}
store.close()
