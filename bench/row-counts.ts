import { statSync } from 'node:fs'
import { openReader } from '@penstock/testing/reader.ts'

/** What is in the database, by name. */
export interface RowCounts {
  readonly holds: number
  readonly payments: number
  readonly orders: number
  readonly ledgerEntries: number
  /** Remembered Idempotency-Keys. */
  readonly keys: number
  readonly unitsHeld: number
  readonly unitsSold: number
}

export interface DatabaseState {
  readonly rows: RowCounts
  readonly databaseBytes: number
  readonly walBytes: number
}

const countSql = `
  SELECT (SELECT count(*) FROM hold) AS holds,
         (SELECT count(*) FROM payment) AS payments,
         (SELECT count(*) FROM orders) AS orders,
         (SELECT count(*) FROM ledger_entry) AS ledgerEntries,
         (SELECT count(*) FROM request) AS keys,
         (SELECT coalesce(sum(held), 0) FROM sku) AS unitsHeld,
         (SELECT coalesce(sum(sold), 0) FROM sku) AS unitsSold`

/** Counts rows, one by one: figures are claimed only for what is there. */
export function readDatabase(path: string): DatabaseState {
  const db = openReader(path)
  try {
    return {
      rows: db.prepare(countSql).get() as RowCounts,
      databaseBytes: fileBytes(path),
      walBytes: fileBytes(`${path}-wal`),
    }
  } finally {
    db.close()
  }
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
