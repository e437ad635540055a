import Database from 'better-sqlite3'
import { hash53 } from '@penstock/store-sqlite/hash53.ts'
import { paymentKeySql, requestKeySql } from '@penstock/store-sqlite/load.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { InProcessSale } from '../in-process-sale.ts'
import type { Database as Connection } from 'better-sqlite3'

/** Rows a transaction. */
const chunkRows = 100_000
/** Characters at the end of an id that are replaced by a number. */
const numberDigits = 12

type Value = string | number | null
type Row = Readonly<Record<string, Value>>

/**
 * Makes a database with `count` payments of a drop that is over, as fast as SQLite copies rows: one payment goes
 * through the real store, and every row that it left is repeated with other ids. Knows no table by heart but the
 * counters and the deferred indexes, so it follows the schema; the audit says whether it still does.
 */
export async function fillPayments(
  path: string,
  count: number,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const ids = sellOne(path)
  const db = new Database(path)
  try {
    // Nobody needs this file after a power cut; the box opens it with FULL.
    db.pragma('synchronous = OFF')
    db.pragma('cache_size = -262144')
    db.function('hash53', { deterministic: true }, (key) => BigInt(hash53(String(key))))
    const copies = listTables(db).flatMap((table) => copiesOf(db, table, ids))
    for (let from = 0; from < count; from += chunkRows) {
      signal.throwIfAborted()
      const to = Math.min(count, from + chunkRows)
      db.transaction(() => {
        for (const copy of copies) db.prepare(copy).run(from + 1, to)
      })()
      onProgress(to)
      // Lets the interrupt in.
      await new Promise((resolve) => setImmediate(resolve))
    }
    db.transaction(() => settle(db, count))()
    db.pragma('wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
}

/** One hold and its payment, in a drop without a limit per customer. Returns every id that occurs in their rows. */
function sellOne(path: string): string[] {
  const store = new SqliteStore(path)
  try {
    const sale = new InProcessSale(store, { maxPerCustomer: null })
    const hold = sale.hold()
    sale.transact([hold])
    const payment = sale.payment(hold.holdId)
    sale.transact([payment])
    const { paymentId, providerPaymentId, key } = payment
    return [hold.holdId, paymentId, providerPaymentId, key?.id ?? ''].filter((id) => id !== '')
  } finally {
    store.close()
  }
}

function listTables(db: Connection): string[] {
  return db
    .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .pluck()
    .all()
}

/** For each row of `table` that has one of `ids`: an INSERT of its copies, from the first number to the second. */
function copiesOf(db: Connection, table: string, ids: readonly string[]): string[] {
  const columns = db.pragma(`table_info(${table})`) as { name: string; type: string; pk: number }[]
  const rows = db.prepare<[], Row>(`SELECT * FROM ${table}`).all()
  const own = rows.filter((row) => Object.values(row).some((value) => ids.some((id) => String(value).includes(id))))
  return own.map((row, place) => {
    const values = columns.map(({ name, type, pk }) => {
      const value = row[name] ?? null
      // A number of its own, behind those that are there.
      if (pk === 1 && type === 'INTEGER') return `${rows.length} + (n - 1) * ${own.length} + ${place + 1}`
      return typeof value === 'string' ? textOf(value, ids) : String(value ?? 'NULL')
    })
    return `WITH RECURSIVE number (n) AS (SELECT ? UNION ALL SELECT n + 1 FROM number WHERE n < ?)
      INSERT INTO ${table} (${columns.map(({ name }) => name).join(', ')}) SELECT ${values.join(', ')} FROM number`
  })
}

/** `text` as an SQL expression in which each of `ids` ends with the number. */
export function textOf(text: string, ids: readonly string[]): string {
  let pieces = [text]
  const numbered = new Set<string>()
  for (const id of ids) {
    pieces = pieces.flatMap((piece) => {
      if (numbered.has(piece) || !piece.includes(id)) return [piece]
      const stem = id.slice(0, -numberDigits)
      const marked = `\0${stem}`
      numbered.add(marked)
      return piece.split(id).flatMap((part, place) => (place === 0 ? [part] : [marked, part]))
    })
  }
  const quote = (part: string): string => `'${part.replaceAll("'", "''")}'`
  return pieces
    .filter((piece) => piece !== '')
    .map((piece) =>
      numbered.has(piece) ? `printf('%s%0${numberDigits}d', ${quote(piece.slice(1))}, n)` : quote(piece),
    )
    .join(' || ')
}

/** Counters, balances and deferred indexes of `count` more payments like the one that is there. */
function settle(db: Connection, count: number): void {
  db.prepare('UPDATE sku SET sold = sold * (1 + ?)').run(count)
  db.prepare('UPDATE ledger_balance SET balance = balance * (1 + ?)').run(count)
  for (const [name, key] of [
    ['payment', paymentKeySql],
    ['request', requestKeySql],
  ]) {
    db.exec(`INSERT INTO ${name}_index (hash, seq) SELECT hash53(${key}), seq FROM ${name} ORDER BY 1, 2`)
    db.exec(`UPDATE index_progress SET indexed_seq = (SELECT max(seq) FROM ${name}) WHERE name = '${name}'`)
  }
}
