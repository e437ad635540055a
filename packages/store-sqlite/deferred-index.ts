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

/**
 * What a deferred index is over: a table whose rows are only ever appended, numbered by `seq`. Rows may go, but for the
 * last one: what the index or the tail still says of them finds nothing, because a look-up asks the row for its key.
 */
export interface IndexedTable {
  /** `request` stands for tables `request` and `request_index`. */
  readonly name: string
  /** The key as an SQL expression over the table's columns. */
  readonly key: string
}

/** Keys of one range of hashes that are not in the index yet: two lists of numbers, side by side. */
interface Bucket {
  readonly hashes: number[]
  readonly seqs: number[]
}

/**
 * Finds rows of an append-only table by a key that arrives in random order, without writing a random page for each.
 *
 * An ordinary index dirties one page per new key, and each of these pages goes through the WAL: at 128 payments a batch
 * that was 250 of 300 pages (docs/performance-log.md). Here new keys stay in memory (the *tail*), as hashes: numbers, so
 * that the garbage collector has nothing to visit. When the tail is
 * full, each batch also writes as many old keys as it brought new ones, one narrow range of hashes after the other, so
 * that neighbours on a page are written together. The table itself is the log: after a crash, the tail is read again
 * from the rows behind `index_progress.indexed_seq`.
 *
 * Not a constraint: it finds keys, and the engine, which looks before it inserts, keeps them unique.
 */
export class DeferredIndex {
  readonly #buckets: readonly Bucket[] = Array.from({ length: bucketCount }, () => ({ hashes: [], seqs: [] }))
  #tailKeys = 0
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
  #plan: { readonly buckets: readonly Bucket[]; readonly nextBucket: number; readonly roundSeq: number } | null = null

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

  /** The row with this key, or undefined. Keys may share a hash: the row decides. */
  find(key: string): number | undefined {
    const hash = hash53(key)
    const recent = this.#findInTail(hash, key)
    if (recent !== undefined || this.#isEmpty) return recent
    const first = this.#find.get(hash)
    if (first === undefined || this.#keyOf.get(first) === key) return first
    return this.#find.all(hash).find((seq) => this.#keyOf.get(seq) === key)
  }

  #findInTail(hash: number, key: string): number | undefined {
    const { hashes, seqs } = this.#bucketOf(hash)
    for (let at = hashes.indexOf(hash); at !== -1; at = hashes.indexOf(hash, at + 1)) {
      const seq = seqs[at]
      if (seq !== undefined && this.#keyOf.get(seq) === key) return seq
    }
    return undefined
  }

  #bucketOf(hash: number): Bucket {
    const bucket = this.#buckets[Math.floor(hash / bucketShift)]
    if (bucket === undefined) throw new RangeError(`hash ${hash} has more than 53 bits`)
    return bucket
  }

  #take(key: string, seq: number): void {
    const hash = hash53(key)
    const { hashes, seqs } = this.#bucketOf(hash)
    hashes.push(hash)
    seqs.push(seq)
    this.#tailKeys += 1
    this.#lastSeq = seq
  }

  /** Inside the transaction that appends `newKeys` rows: writes about as many old keys, once the tail is full. */
  merge(newKeys: number): void {
    let room = Math.min(this.#tailKeys + newKeys - this.#tailMax, newKeys * mergeFactor)
    if (room <= 0) return
    const buckets: Bucket[] = []
    let nextBucket = this.#nextBucket
    let roundSeq = this.#roundSeq
    while (room > 0 && buckets.length < bucketCount) {
      const bucket = this.#buckets[nextBucket]
      if (bucket === undefined) throw new RangeError(`there is no bucket ${nextBucket}`)
      this.#insert.run(sortedRows(bucket))
      buckets.push(bucket)
      room -= bucket.hashes.length
      nextBucket = (nextBucket + 1) % bucketCount
      if (nextBucket === 0) {
        this.#setProgress.run(roundSeq, this.#name)
        roundSeq = this.#lastSeq
      }
    }
    this.#plan = { buckets, nextBucket, roundSeq }
  }

  /** The transaction committed: what it merged leaves the tail, and the keys of the rows it appended join it. */
  committed(newKeys: Iterable<string>): void {
    this.#leaveTail()
    for (const key of newKeys) this.#take(key, this.#lastSeq + 1)
  }

  #leaveTail(): void {
    if (this.#plan === null) return
    this.#isEmpty = false
    for (const { hashes, seqs } of this.#plan.buckets) {
      this.#tailKeys -= hashes.length
      hashes.length = 0
      seqs.length = 0
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

function sortedRows({ hashes, seqs }: Bucket): (readonly [number, number])[] {
  return hashes.map((hash, at) => [hash, seqs[at] ?? 0] as const).toSorted(([a], [b]) => a - b)
}
