import { apiKeyColumns, dropColumns, refundColumns } from './rows.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { ApiKeyRow, DropRow, RefundRow } from './rows.ts'

/** Statements that the writer and its readers both have: one row by its id. */

type FindRow<Row> = Statement<[id: string], Row>

export function findDrop(db: Connection): FindRow<DropRow> {
  return db.prepare<[string], DropRow>(`SELECT ${dropColumns} FROM drops WHERE id = ?`).raw()
}

export function findRefund(db: Connection): FindRow<RefundRow> {
  return db.prepare<[string], RefundRow>(`SELECT ${refundColumns} FROM refund WHERE id = ?`).raw()
}

export function findApiKey(db: Connection): FindRow<ApiKeyRow> {
  return db.prepare<[string], ApiKeyRow>(`SELECT ${apiKeyColumns} FROM api_key WHERE id = ?`).raw()
}
