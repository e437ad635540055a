import { Worker } from 'node:worker_threads'
import { HashBits } from './hash-bits.ts'
import type { Database as Connection } from 'better-sqlite3'
import type { FilledBits } from './hash-bits.ts'

/** Entries of an index that are read at once, at the start; more are read in a thread. */
const entriesAtOnceMax = 131_072

/** Entries read by one statement: no snapshot is held for longer, so that the WAL can start anew. */
const entriesPerLook = 65_536

/** What `index-filter-worker.ts` is started with; it answers with `FilledBits`. */
export interface FilterOrder {
  readonly path: string
  readonly table: string
}

/**
 * Which hashes an index surely does not have. Most keys that are looked for are new, and finding that out in a large index
 * means reading a page of it: with 4 million rows that was a quarter of the writer's time (docs/performance-log.md).
 *
 * A large index is read in a thread, at the start and whenever the set of hashes is too full to be of use; until that is
 * done, the index is asked, or the full set. Entries that are deleted stay in the set until then: it only knows what is not there.
 */
export class IndexFilter {
  readonly #path: string
  readonly #table: string
  #bits: HashBits | null = null
  /** What was added since a thread began to read: it may have read before. Null: none reads. */
  #added: number[] | null = null
  #worker: Worker | null = null

  /** `table` has a column `hash`, its key. `entriesAtOnce`: a larger one is read in a thread. */
  constructor(db: Connection, table: string, entriesAtOnce = entriesAtOnceMax) {
    this.#path = db.name
    this.#table = table
    const entries = db.prepare<[number], number>(`SELECT count(*) FROM (SELECT 1 FROM ${table} LIMIT ?)`).pluck()
    if ((entries.get(entriesAtOnce + 1) ?? 0) > entriesAtOnce) this.#readInThread()
    else this.#bits = readHashes(db, table)
  }

  mayHave(hash: number): boolean {
    return this.#bits === null || this.#bits.mayHave(hash)
  }

  /** Whether a thread reads the index. */
  get isReading(): boolean {
    return this.#added !== null
  }

  /** Call for every entry, inside the transaction that writes it: a hash too many does no harm. */
  add(hash: number): void {
    this.#bits?.add(hash)
    this.#added?.push(hash)
  }

  /** Call after each commit. Only here may a thread begin to read, when it sees everything that was added before. */
  committed(): void {
    if (this.#bits?.isFull === true && !this.isReading) this.#readInThread()
  }

  close(): void {
    void this.#worker?.terminate()
    this.#worker = null
  }

  #readInThread(): void {
    this.#added = []
    const workerData: FilterOrder = { path: this.#path, table: this.#table }
    // An error of the thread is an uncaught one of this process: a database that cannot be read is no base for a sale.
    this.#worker = new Worker(new URL('./index-filter-worker.ts', import.meta.url), { workerData })
    this.#worker.unref()
    this.#worker.on('message', (filled: FilledBits) => this.#filled(filled))
  }

  #filled(filled: FilledBits): void {
    const bits = new HashBits(filled)
    for (const hash of this.#added ?? []) bits.add(hash)
    this.#bits = bits
    this.#added = null
    this.#worker = null
  }
}

/** Every hash of an index that is there when it begins; of those that are added meanwhile, some. */
export function readHashes(db: Connection, table: string): HashBits {
  const bits = new HashBits({ count: countEntries(db, table) })
  const look = db
    .prepare<[number, number], number>(`SELECT hash FROM ${table} WHERE hash > ? ORDER BY hash LIMIT ?`)
    .pluck()
  for (let last = -1; ;) {
    const hashes = look.all(last, entriesPerLook)
    const end = hashes.at(-1)
    if (end === undefined) return bits
    for (const hash of hashes) bits.add(hash)
    // Equal hashes beyond the last one of a look share its bit.
    last = end
  }
}

function countEntries(db: Connection, table: string): number {
  const look = db
    .prepare<[number, number], readonly [last: number | null, count: number]>(
      `SELECT max(hash), count(*) FROM (SELECT hash FROM ${table} WHERE hash > ? ORDER BY hash LIMIT ?)`,
    )
    .raw()
  let [total, last] = [0, -1]
  for (;;) {
    const [end, count] = look.get(last, entriesPerLook) ?? [null, 0]
    if (end === null) return total
    total += count
    last = end
  }
}
