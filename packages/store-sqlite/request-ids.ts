import { requestRetentionMs } from '@penstock/domain/limits.ts'
import { hash53 } from './hash53.ts'
import { HashBits } from './hash-bits.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'

/** Rows one question reads at most, some 100 us. */
const rowsPerLook = 256

/** 1 MiB, or room for all that are kept at the first question. A full set is made anew for those that are kept then. */
const idsAtFirst = 1_048_576

/** How long requests are kept, and how much is read and remembered; as above unless a test says otherwise. */
export interface RequestIdsOptions {
  readonly keepMs?: number
  readonly rowsPerLook?: number
  readonly idsAtFirst?: number
}

type RequestRow = readonly [seq: number, id: string]

/**
 * Which ids of requests surely no commit has, from a read-only connection. Their index is the writer's, and the newest are
 * not in it (docs/adr/0005-deferred-indexes.md), but rows are only ever appended: each question reads those that are new
 * since the last one and keeps a bit of each in memory. Nothing is read, or kept, before the first question.
 */
export class RequestIds {
  readonly #keepMs: number
  readonly #rowsPerLook: number
  readonly #idsAtFirst: number
  readonly #behind: Statement<[seq: number], RequestRow>
  readonly #bounds: Statement<[], readonly [first: number | null, last: number | null, nowMs: number]>
  readonly #createdFrom: Statement<[seq: number], number>
  #bits: HashBits | null = null
  /** Rows up to here are in `#bits`, or too old. */
  #seq = 0

  constructor(db: Connection, options: RequestIdsOptions = {}) {
    this.#keepMs = options.keepMs ?? requestRetentionMs
    this.#rowsPerLook = options.rowsPerLook ?? rowsPerLook
    this.#idsAtFirst = options.idsAtFirst ?? idsAtFirst
    // A LIMIT that is a parameter would have SQLite plan the statement anew for every call (1.9 of 4.7 us).
    this.#behind = db
      .prepare<[number], RequestRow>(
        `SELECT seq, id FROM request WHERE seq > ? ORDER BY seq LIMIT ${this.#rowsPerLook}`,
      )
      .raw()
    this.#bounds = db
      .prepare<[], readonly [number | null, number | null, number]>(
        `SELECT (SELECT min(seq) FROM request), (SELECT max(seq) FROM request), now_ms FROM writer_state`,
      )
      .raw()
    this.#createdFrom = db
      .prepare<[number], number>('SELECT created_ms FROM request WHERE seq >= ? ORDER BY seq LIMIT 1')
      .pluck()
  }

  /**
   * False: no request with this id was committed before the call, within the time requests are kept. True: one may have
   * been, or there is more to read than one question may.
   */
  mayHave(id: string): boolean {
    const bits = this.#bits ?? this.#begin()
    const rows = this.#behind.all(this.#seq)
    for (const [seq, rowId] of rows) {
      bits.add(hash53(rowId))
      this.#seq = seq
    }
    if (bits.isFull) this.#begin()
    return rows.length === this.#rowsPerLook || bits.mayHave(hash53(id))
  }

  /** An empty set, and everything that is kept still to be read. */
  #begin(): HashBits {
    const [first, last, nowMs] = this.#bounds.get() ?? [null, null, 0]
    this.#seq = first === null || last === null ? 0 : this.#lastTooOld(first, last, nowMs - this.#keepMs)
    this.#bits = new HashBits({ count: Math.max(this.#idsAtFirst, (last ?? 0) - this.#seq) })
    return this.#bits
  }

  /** By halving: rows are numbered in the order of their time. `first` - 1: none is too old. */
  #lastTooOld(first: number, last: number, keptFromMs: number): number {
    let [low, high] = [first, last + 1]
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      // Behind the last row there is none: then the middle is not behind it.
      if ((this.#createdFrom.get(middle) ?? keptFromMs) >= keptFromMs) high = middle
      else low = middle + 1
    }
    return low - 1
  }
}
