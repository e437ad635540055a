import { BulkInsert } from './bulk-insert.ts'
import { hash53 } from './hash53.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'

/** Keys kept in memory before any is written to the index: the larger, the more keys share a page write. */
const tailKeysMax = 65_536

/** Old keys merged for each new one while the tail is overfull (after a restart it holds up to two rounds). */
const mergeFactor = 4

/** Ranges of the hash that are merged one at a time; a power of two. */
const bucketCount = 1_024
const bucketShift = 2 ** (53 - Math.log2(bucketCount))

/** What a deferred index is over: a table whose rows are only ever appended, numbered by `seq`. */
export interface IndexedTable {
  /** `request` stands for tables `request` and `request_index`. */
  readonly name: string
  /** The key as an SQL expression over the table's columns. */
  readonly key: string
}

interface Entry {
  readonly key: string
  readonly hash: number
  readonly seq: number
}

/**
 * Finds rows of an append-only table by a key that arrives in random order, without writing a random page for each.
 *
 * An ordinary index dirties one page per new key, and each of these pages goes through the WAL: at 128 payments a batch
 * that was 250 of 300 pages (docs/performance-log.md). Here new keys stay in memory (the *tail*). When the tail is
 * full, each batch also writes as many old keys as it brought new ones, one narrow range of hashes after the other, so
 * that neighbours on a page are written together. The table itself is the log: after a crash, the tail is read again
 * from the rows behind `index_progress.indexed_seq`.
 *
 * Not a constraint: it finds keys, and the engine, which looks before it inserts, keeps them unique.
 */
export class DeferredIndex {
  readonly #tail = new Map<string, number>()
  readonly #buckets: Entry[][] = Array.from({ length: bucketCount }, () => [])
  readonly #find: Statement<[number], number>
  readonly #keyOf: Statement<[number], string>
  readonly #insert: BulkInsert
  readonly #setProgress: Statement<[number, string]>
  readonly #name: string
  /** Nothing was ever merged: every key is in the tail. */
  #isEmpty: boolean
  readonly #tailMax: number
  /** The bucket that is merged next; 0 begins a round. */
  #nextBucket = 0
  #lastSeq: number
  /** Rows up to here were in the tail when the round began: all of them are in the index when it ends. */
  #roundSeq: number
  /** What the open transaction has merged; takes effect when it commits. */
  #plan: { readonly buckets: Entry[][]; readonly nextBucket: number; readonly roundSeq: number } | null = null

  constructor(db: Connection, { name, key }: IndexedTable, tailMax = tailKeysMax) {
    this.#tailMax = tailMax
    this.#name = name
    this.#find = db.prepare<[number], number>(`SELECT seq FROM ${name}_index WHERE hash = ?`).pluck()
    this.#keyOf = db.prepare<[number], string>(`SELECT ${key} FROM ${name} WHERE seq = ?`).pluck()
    // A key merged before a crash and read again after it is there already.
    this.#insert = new BulkInsert(db, `${name}_index`, 'hash, seq', 'ON CONFLICT DO NOTHING')
    this.#isEmpty = db.prepare(`SELECT 1 FROM ${name}_index LIMIT 1`).get() === undefined
    this.#setProgress = db.prepare('UPDATE index_progress SET indexed_seq = ? WHERE name = ?')
    const progress = db.prepare<[string], number>('SELECT indexed_seq FROM index_progress WHERE name = ?').pluck()
    this.#lastSeq = progress.get(name) ?? 0
    const rows = db
      .prepare<[number], readonly [number, string]>(`SELECT seq, ${key} FROM ${name} WHERE seq > ? ORDER BY seq`)
      .raw()
    for (const [seq, rowKey] of rows.all(this.#lastSeq)) this.#take(rowKey, seq)
    this.#roundSeq = this.#lastSeq
  }

  /** The last row of the table: a new one is numbered one higher. */
  get lastSeq(): number {
    return this.#lastSeq
  }

  /** The row with this key, or undefined. */
  find(key: string): number | undefined {
    const recent = this.#tail.get(key)
    if (recent !== undefined) return recent
    if (this.#isEmpty) return undefined
    const hash = hash53(key)
    const first = this.#find.get(hash)
    if (first === undefined || this.#keyOf.get(first) === key) return first
    // Another key has this hash.
    return this.#find.all(hash).find((seq) => this.#keyOf.get(seq) === key)
  }

  /** Takes in the next row of the table, which was committed. */
  add(key: string): void {
    this.#take(key, this.#lastSeq + 1)
  }

  #take(key: string, seq: number): void {
    const hash = hash53(key)
    this.#tail.set(key, seq)
    this.#buckets[Math.floor(hash / bucketShift)]?.push({ key, hash, seq })
    this.#lastSeq = seq
  }

  /** Inside the transaction that appends `newKeys` rows: writes about as many old keys, once the tail is full. */
  merge(newKeys: number): void {
    let room = Math.min(this.#tail.size + newKeys - this.#tailMax, newKeys * mergeFactor)
    if (room <= 0) return
    const buckets: Entry[][] = []
    let nextBucket = this.#nextBucket
    let roundSeq = this.#roundSeq
    while (room > 0 && buckets.length < bucketCount) {
      const bucket = this.#buckets[nextBucket] ?? []
      this.#insert.run(bucket.toSorted((a, b) => a.hash - b.hash).map(({ hash, seq }) => [hash, seq]))
      buckets.push(bucket)
      room -= bucket.length
      nextBucket = (nextBucket + 1) % bucketCount
      if (nextBucket === 0) {
        this.#setProgress.run(roundSeq, this.#name)
        roundSeq = this.#lastSeq
      }
    }
    this.#plan = { buckets, nextBucket, roundSeq }
  }

  /** The transaction committed: what it merged leaves the tail, then `add` takes in its new rows. */
  committed(): void {
    if (this.#plan === null) return
    this.#isEmpty = false
    for (const bucket of this.#plan.buckets) {
      for (const { key } of bucket) this.#tail.delete(key)
      bucket.length = 0
    }
    this.#nextBucket = this.#plan.nextBucket
    this.#roundSeq = this.#plan.roundSeq
    this.#plan = null
  }

  /** The transaction was rolled back. */
  rolledBack(): void {
    this.#plan = null
  }
}
