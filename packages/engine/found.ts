import type { Rows } from '@penstock/domain/working-set.ts'

/** A row that must exist because another row points to it. Throws otherwise: that is a bug, not an outcome. */
export function found<Row>(rows: Pick<Rows<Row>, 'find'>, key: string): Row {
  const row = rows.find(key)
  if (row === undefined) throw new Error(`row ${key} is missing although another row points to it`)
  return row
}
