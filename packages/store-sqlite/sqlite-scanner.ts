import { idFloor } from '@penstock/domain/id.ts'
import { clockSkewMs } from '@penstock/domain/limits.ts'
import { openReader } from './open.ts'
import { scanTables } from './scan-tables.ts'
import type { CollectionName, Collections, Scanner, ScanRequest, ScanStep, Selection } from '@penstock/store/scanner.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { Condition, ScanTable, ToCondition } from './scan-tables.ts'

type Key = string | number

/** Keys between two others, without these. */
interface Range {
  readonly low: Key
  readonly high: Key
}

/** Sorts behind every id. */
const behindIds = '~'

const createdMsMax = 2 ** 48 - 1

/**
 * `Scanner` by walking along the key of a table: no index is kept for lists, because the writer would pay for it with
 * every payment. A step first finds the row where it must stop, then selects what fits on the way there.
 */
export class SqliteScanner implements Scanner {
  readonly #db: Connection
  /** By their text, of which there are as many as combinations of filters. */
  readonly #statements = new Map<string, Statement>()

  constructor(path: string) {
    this.#db = openReader(path)
  }

  close(): void {
    this.#db.close()
  }

  scan<Name extends CollectionName>(request: ScanRequest<Name>): ScanStep<Collections[Name]> {
    const table: ScanTable<Name> = scanTables[request.collection]
    const conditions = conditionsOf(table, request)
    const range = narrow(request, this.#rangeOf(table, request), this.#keyOf(table, request.after))
    // Where every row looked at is returned, `matchesMax` bounds both.
    const picks = conditions.length > 0 || table.isPart === true
    const walks = picks && conditions.every(({ pinsKey }) => pinsKey !== true)
    const stop = walks ? this.#findStop(table, request, range) : null
    const part = stop === null ? range : narrowEnd(request, range, stop.beyond)
    const rows = this.#select(table, request, part, conditions)
    const last = rows.at(-1)
    if (rows.length === request.matchesMax && last !== undefined) return { rows, scannedTo: table.idOf(last) }
    return { rows, scannedTo: stop === null ? null : idOfKey(table, stop.last) }
  }

  #select<Name extends CollectionName>(
    table: ScanTable<Name>,
    { direction, matchesMax }: ScanRequest,
    { low, high }: Range,
    conditions: readonly Condition[],
  ): Collections[Name][] {
    const { column } = table.key
    const where = [`${column} > ?`, `${column} < ?`, ...conditions.map(({ sql }) => sql)].join(' AND ')
    const from = `${table.table} ${table.join ?? ''}`
    const statement = this.#prepare(
      `SELECT ${table.columns} FROM ${from} WHERE ${where} ORDER BY ${column} ${order(direction)} LIMIT ?`,
    )
    const values = conditions.flatMap((condition) => condition.values)
    return statement.all(low, high, ...values, matchesMax).map((row) => table.toRow(row as unknown[]))
  }

  /** The last row of the step and the first behind it; null when the range ends within the step. */
  #findStop<Name extends CollectionName>(
    { table, key: { column } }: ScanTable<Name>,
    { direction, rowsMax }: ScanRequest,
    { low, high }: Range,
  ): { readonly last: Key; readonly beyond: Key } | null {
    const statement = this.#prepare(
      `SELECT ${column} FROM ${table} WHERE ${column} > ? AND ${column} < ?
       ORDER BY ${column} ${order(direction)} LIMIT 2 OFFSET ?`,
    )
    const [last, beyond] = statement.all(low, high, rowsMax - 1) as (readonly [Key])[]
    return last === undefined || beyond === undefined ? null : { last: last[0], beyond: beyond[0] }
  }

  /** The keys that rows made in the wanted time can have. */
  #rangeOf<Name extends CollectionName>(table: ScanTable<Name>, { createdFromMs, createdBeforeMs }: Selection): Range {
    const { key } = table
    if (key.kind === 'seq') {
      return {
        low: createdFromMs === null ? 0 : this.#firstSeqAt(table, createdFromMs) - 1,
        high: createdBeforeMs === null ? Number.MAX_SAFE_INTEGER : this.#firstSeqAt(table, createdBeforeMs),
      }
    }
    const low = createdFromMs === null ? 0 : createdFromMs - clockSkewMs
    const high = createdBeforeMs === null ? createdMsMax : createdBeforeMs + clockSkewMs
    const floor = low <= 0 ? '' : idFloor(key.idKind, Math.min(low, createdMsMax))
    return {
      low: this.#withLate(table, floor, createdFromMs, createdBeforeMs),
      high: high >= createdMsMax ? behindIds : idFloor(key.idKind, high),
    }
  }

  /** `low`, or lower where something was made in the wanted time under an id of before. */
  #withLate<Name extends CollectionName>(
    { oldestLate }: ScanTable<Name>,
    low: string,
    fromMs: number | null,
    beforeMs: number | null,
  ): string {
    if (oldestLate === undefined || fromMs === null) return low
    const [key] = this.#prepare(oldestLate).get(fromMs, beforeMs ?? createdMsMax) as readonly [string | null]
    // A text sorts behind its beginning, and nothing is between the two but ids that are as good as equal.
    return key !== null && key <= low ? key.slice(0, -1) : low
  }

  #keyOf<Name extends CollectionName>({ key }: ScanTable<Name>, id: string | null): Key | null {
    if (id === null || key.kind === 'id') return id
    if (key.kind === 'seq') return key.seqOf(id)
    const [found] = this.#prepare(key.keyOf).get({ id }) as readonly [string]
    return found
  }

  /** The number of the first row made at `ms` or later, by halving; behind the last one when there is none. */
  #firstSeqAt<Name extends CollectionName>({ table, key: { column }, created }: ScanTable<Name>, ms: number): number {
    const createdAt = this.#prepare(`SELECT ${created} FROM ${table} WHERE ${column} >= ? ORDER BY ${column} LIMIT 1`)
    const last = this.#prepare(`SELECT max(${column}) FROM ${table}`).get() as readonly [number | null]
    let [low, high] = [1, (last[0] ?? 0) + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      const row = createdAt.get(middle) as readonly [number] | undefined
      if (row === undefined || row[0] >= ms) high = middle
      else low = middle + 1
    }
    return low
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    const statement = this.#db.prepare(sql).raw()
    this.#statements.set(sql, statement)
    return statement
  }
}

function order(direction: 'newest_first' | 'oldest_first'): 'DESC' | 'ASC' {
  return direction === 'newest_first' ? 'DESC' : 'ASC'
}

function conditionsOf<Name extends CollectionName>(
  table: ScanTable<Name>,
  { filters, createdFromMs, createdBeforeMs, nowMs }: Selection,
): Condition[] {
  const conditions: Condition[] = []
  for (const [name, toCondition] of Object.entries<ToCondition>(table.conditions)) {
    const value = filters[name]
    if (value !== undefined) conditions.push(toCondition(value, nowMs))
  }
  // The time in an id is only near that of the commit; numbers follow the time exactly.
  if (table.key.kind === 'seq') return conditions
  if (createdFromMs !== null) conditions.push({ sql: `${table.created} >= ?`, values: [createdFromMs] })
  if (createdBeforeMs !== null) conditions.push({ sql: `${table.created} < ?`, values: [createdBeforeMs] })
  return conditions
}

function idOfKey<Name extends CollectionName>({ key: kind }: ScanTable<Name>, key: Key): string {
  if (kind.kind === 'seq') return kind.toId(Number(key))
  return kind.kind === 'twin' ? kind.toId(String(key)) : String(key)
}

function narrow({ direction }: ScanRequest, { low, high }: Range, after: Key | null): Range {
  if (after === null) return { low, high }
  return direction === 'newest_first'
    ? { low, high: after < high ? after : high }
    : { low: after > low ? after : low, high }
}

function narrowEnd({ direction }: ScanRequest, range: Range, beyond: Key): Range {
  return direction === 'newest_first' ? { ...range, low: beyond } : { ...range, high: beyond }
}
