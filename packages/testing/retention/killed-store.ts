import type { StoreOptions } from '@penstock/store-sqlite/sqlite-store.ts'

export const keepMs = 1_000

/** Small steps and a small memory: forgetting some thousand requests takes hundreds of transactions. */
export const killedStore: StoreOptions = {
  retention: { keepMs, requestsPerStep: 20, rowsIdle: 20 },
  indexTailMax: 100,
}
