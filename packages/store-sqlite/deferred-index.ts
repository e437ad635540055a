import { BulkInsert } from './bulk-insert.ts'
import { bitsBytesOf } from './hash-bits.ts'
import { HashTail, shareCount, tailBytesOf } from './hash-tail.ts'
import { hash53 } from './hash53.ts'
import { IndexFilter } from './index-filter.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'

/** Keys kept in memory before any is written to the index: the larger, the more keys share a page write. */
const tailKeysMin = 65_536

/**
 * Of a larger table one row in so many has its key in memory, so that some five keys share a page write however large
 * the index is; a start after a crash reads at most four in so many rows again. At most `tailKeysMax`, which is 64 MB.
 */
const rowsPerTailKey = 32
const tailKeysMax = 1_048_576

/** Keys of a table of `rows` that stay in memory. */
export function tailKeysOf(rows: number, tailMin = tailKeysMin): number {
  return Math.max(tailMin, Math.min(tailKeysMax, Math.floor(rows / rowsPerTailKey)))
}

/**
 * Memory of an index over `rows` rows, in bytes: its tail and its filter. At most 192 MB; after a start in mid-sale, which
 * may find four tails, up to 384 MB until the next start.
 */
export function indexBytesOf(rows: number): number {
  return tailBytesOf(tailKeysOf(rows)) + bitsBytesOf(rows)
}

/** Old keys merged for each new one while the tail is overfull (after a restart it holds up to four of them). */
const mergeFactor = 4

/** An idle writer begins to empty a tail that is so full, and stops when it is empty. */
const emptyFrom = 1 / 4

/** A step of it ends with so many keys, or after so many shares: few milliseconds, however large tail and index are. */
const idleKeys = 256
const idleShares = 512

/**
 * What a deferred index is over: a table whose rows are only ever appended, numbered by `seq`. Their keys never change,
 * their other columns may. Rows may go, but for the last one: what the index or the tail still says of them finds
 * nothing, because a look-up asks the row for its key.
 */
export interface IndexedTable {
  /** `request` stands for tables `request` and `request_index`. */
  readonly name: string
  /** The key as an SQL expression over the table's columns. */
  readonly key: string
}

/**
 * Finds rows of an append-only table by a key that arrives in random order, without writing a random page for each.
 *
 * An ordinary index dirties one page per new key, and each of these pages goes through the WAL: at 128 payments a batch
 * that was 250 of 300 pages (docs/performance-log.md). Here new keys stay in memory (the *tail*), as hashes. When the
 * tail is full, each batch also writes as many old keys as it brought new ones, one narrow share of the hashes after the
 * other, so that neighbours on a page are written together. The table itself is the log: after a crash, the tail is
 * read again from the rows behind `index_progress.indexed_seq`. While nobody buys, the tail is emptied, so that a sale
 * begins with room in it, and a start with little to read. Keys that are nowhere, which is most of those that are looked
 * for, are known without a search (index-filter.ts).
 *
 * Not a constraint: it finds keys, and the engine, which looks before it inserts, keeps them unique.
 */
export class DeferredIndex {
  readonly #tail: HashTail
  readonly #find: Statement<[number], number>
  readonly #keyOf: Statement<[number], string>
  readonly #insert: BulkInsert
  readonly #setProgress: Statement<[number, string]>
  readonly #name: string
  readonly #filter: IndexFilter
  readonly #tailMin: number
  #isEmptying = false
  /** The share of the hashes that is merged next; 0 begins a round. */
  #nextShare = 0
  #lastSeq: number
  /** Rows up to here were in the tail when the round began: all of them are in the index when it ends. */
  #roundSeq = 0
  /** What the open transaction has merged; takes effect when it commits. */
  #plan: { readonly shares: readonly number[]; readonly nextShare: number; readonly roundSeq: number } | null = null

  /** `tailMin`: keys in memory before any is merged. */
  constructor(db: Connection, { name, key }: IndexedTable, tailMin = tailKeysMin) {
    this.#tailMin = tailMin
    this.#name = name
    this.#find = db.prepare<[number], number>(`SELECT seq FROM ${name}_index WHERE hash = ?`).pluck()
    this.#keyOf = db.prepare<[number], string>(`SELECT ${key} FROM ${name} WHERE seq = ?`).pluck()
    // A key merged before a crash and read again after it is there already.
    this.#insert = new BulkInsert(db, `${name}_index`, 'hash, seq', 'ON CONFLICT DO NOTHING')
    this.#filter = new IndexFilter(db, `${name}_index`)
    this.#setProgress = db.prepare('UPDATE index_progress SET indexed_seq = ? WHERE name = ?')
    const progress = db.prepare<[string], number>('SELECT indexed_seq FROM index_progress WHERE name = ?').pluck()
    this.#lastSeq = progress.get(name) ?? 0
    this.#tail = new HashTail(tailKeysOf(this.#lastSeq, tailMin))
    const rows = db
      .prepare<[number], readonly [number, string]>(`SELECT seq, ${key} FROM ${name} WHERE seq > ? ORDER BY seq`)
      .raw()
    for (const [seq, rowKey] of rows.all(this.#lastSeq)) this.#take(rowKey, seq)
  }

  /** The last row of the table: a new one is numbered one higher. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** The row with this key, or undefined. Keys may share a hash: the row decides. */
  find(key: string): number | undefined {
    const hash = hash53(key)
    const recent = this.#findInTail(hash, key)
    if (recent !== undefined || !this.#filter.mayHave(hash)) return recent
    const first = this.#find.get(hash)
    if (first === undefined || this.#keyOf.get(first) === key) return first
    return this.#find.all(hash).find((seq) => this.#keyOf.get(seq) === key)
  }

  #findInTail(hash: number, key: string): number | undefined {
    for (let place = this.#tail.first(hash); place !== -1; place = this.#tail.next(hash, place)) {
      const seq = this.#tail.seqAt(place)
      if (this.#keyOf.get(seq) === key) return seq
    }
    return undefined
  }

  #take(key: string, seq: number): void {
    this.#tail.add(hash53(key), seq)
    this.#lastSeq = seq
  }

  /** Inside the transaction that appends `newKeys` rows: writes about as many old keys, once the tail is full. */
  merge(newKeys: number): void {
    this.#merge(Math.min(this.#tail.size + newKeys - this.#tailMax, newKeys * mergeFactor), shareCount)
  }

  /** Whether an idle writer should call `mergeIdle`: from a tail that is worth it until it is empty. */
  wantsIdleMerge(): boolean {
    this.#isEmptying ||= this.#tail.size >= this.#tailMax * emptyFrom
    return this.#isEmptying
  }

  /** Inside a transaction of its own, while nobody buys: writes some old keys. */
  mergeIdle(): void {
    this.#merge(idleKeys, idleShares)
  }

  get #tailMax(): number {
    return tailKeysOf(this.#lastSeq, this.#tailMin)
  }

  /** Writes whole shares until there are `keys`; looks at `sharesMax` at most. */
  #merge(keys: number, sharesMax: number): void {
    if (keys <= 0) return
    const shares: number[] = []
    let merged = 0
    let nextShare = this.#nextShare
    let roundSeq = this.#roundSeq
    for (let seen = 0; seen < sharesMax && merged < keys && merged < this.#tail.size; seen++) {
      if (nextShare === 0) roundSeq = this.#lastSeq
      const pairs = this.#tail.list(nextShare)
      if (pairs.length > 0) {
        for (const [hash] of pairs) this.#filter.add(hash)
        this.#insert.run(pairs)
        shares.push(nextShare)
        merged += pairs.length
      }
      nextShare = (nextShare + 1) % shareCount
      // Nothing is left in the tail: wherever this happens, it is the end of a round.
      const isEmpty = merged === this.#tail.size
      if (isEmpty) nextShare = 0
      if (nextShare === 0) this.#setProgress.run(isEmpty ? this.#lastSeq : roundSeq, this.#name)
    }
    this.#plan = { shares, nextShare, roundSeq }
  }

  /** The transaction committed: what it merged leaves the tail, and the keys of the rows it appended join it. */
  committed(newKeys: Iterable<string>): void {
    this.#leaveTail()
    for (const key of newKeys) this.#take(key, this.#lastSeq + 1)
  }

  #leaveTail(): void {
    if (this.#plan === null) return
    this.#filter.committed()
    for (const share of this.#plan.shares) this.#tail.remove(share)
    if (this.#tail.size === 0) this.#isEmptying = false
    this.#nextShare = this.#plan.nextShare
    this.#roundSeq = this.#plan.roundSeq
    this.#plan = null
  }

  /** The transaction was rolled back. */
  rolledBack(): void {
    this.#plan = null
  }

  close(): void {
    this.#filter.close()
  }
}
