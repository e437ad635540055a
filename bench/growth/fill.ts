import { closeSync, fsyncSync, openSync } from 'node:fs'
import Database from 'better-sqlite3'
import { tailKeysOf } from '@penstock/store-sqlite/deferred-index.ts'
import { hash53 } from '@penstock/store-sqlite/hash53.ts'
import { paymentKeySql, requestKeySql } from '@penstock/store-sqlite/load.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { InProcessSale } from '../in-process-sale.ts'
import type { Database as Connection } from 'better-sqlite3'

/** Rows a transaction. */
const chunkRows = 100_000
/** Characters at the end of an id that are replaced by a number. */
const numberDigits = 12

const show = (value: number): string => value.toLocaleString('en-US')

type Value = string | number | null
type Row = Readonly<Record<string, Value>>

/**
 * Makes a database with `count` payments of a drop that is over, as fast as SQLite copies rows: one payment goes
 * through the real store, and every row that it left is repeated with other ids. Knows no table by heart but the
 * counters, the deferred indexes and what numbers holds, so it follows the schema; the audit says whether it still does.
 * Does not let go of its process until it is done: see fill-process.ts.
 */
export function fillPayments(path: string, count: number, onProgress: (status: string) => void): void {
  const ids = sellOne(path)
  const db = new Database(path)
  try {
    // Nobody needs this file after a power cut, or half of it after a crash: the box opens it with a WAL and FULL.
    db.pragma('journal_mode = OFF')
    db.pragma('synchronous = OFF')
    db.pragma('locking_mode = EXCLUSIVE')
    db.pragma('cache_size = -262144')
    const copies = listTables(db).flatMap((table) => copiesOf(db, table, ids))
    for (let from = 0; from < count; from += chunkRows) {
      const to = Math.min(count, from + chunkRows)
      db.transaction(() => {
        for (const copy of copies) db.prepare(copy).run(from + 1, to)
      })()
      onProgress(`${show(to)} of ${show(count)} payments`)
    }
    db.transaction(() => settle(db, count, onProgress))()
    db.pragma('journal_mode = WAL')
  } finally {
    db.close()
  }
  onProgress('writing it to the disk')
  flushFile(path)
}

/** What the kernel would otherwise write during the measurement, and charge to its flushes. */
export function flushFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
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

/** For each row of `table` that has one of `ids`, or names its hold by number: an INSERT of its copies, from the first number to the second. */
function copiesOf(db: Connection, table: string, ids: readonly string[]): string[] {
  const columns = db.pragma(`table_info(${table})`) as { name: string; type: string; pk: number }[]
  const rows = db.prepare<[], Row>(`SELECT * FROM ${table}`).all()
  const own = rows.filter(
    (row) => 'hold_seq' in row || Object.values(row).some((value) => ids.some((id) => String(value).includes(id))),
  )
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
function settle(db: Connection, count: number, onProgress: (status: string) => void): void {
  let [keys, name] = [0, '']
  db.function('hash53', { deterministic: true }, (key) => {
    if (++keys % chunkRows === 0) onProgress(`the index of every ${name}, ${show(keys)} of ${show(count)} keys`)
    return BigInt(hash53(String(key)))
  })
  db.prepare('UPDATE sku SET sold = sold * (1 + ?)').run(count)
  // As if the last of them had been paid longer ago than a hold may last: a start looks at every hold since.
  db.exec('UPDATE writer_state SET settled_ms = settled_ms + 2 * longest_hold_ms')
  db.prepare('UPDATE ledger_balance SET balance = balance * (1 + ?)').run(count)
  for (const [table, key] of [
    ['payment', paymentKeySql],
    ['request', requestKeySql],
  ] as const) {
    ;[keys, name] = [0, table]
    // The newest keys wait in memory, as always: otherwise nothing would be merged until so many payments have come.
    const rows = db.prepare<[], number>(`SELECT max(seq) FROM ${name}`).pluck().get() ?? 0
    const indexedSeq = Math.max(0, rows - tailKeysOf(rows))
    // Sorted, so that the index is written from left to right.
    db.prepare(
      `INSERT INTO ${name}_index (hash, seq) SELECT hash53(${key}), seq FROM ${name} WHERE seq <= ? ORDER BY 1, 2`,
    ).run(indexedSeq)
    db.prepare('UPDATE index_progress SET indexed_seq = ? WHERE name = ?').run(indexedSeq, name)
  }
}
