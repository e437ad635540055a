import {
  forgetPerRequest,
  forgetRowsIdle,
  forgetRowsMax,
  requestRetentionMs,
  requestsPerForgetting,
  sweepPerForgotten,
} from '@penstock/domain/limits.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'

/** How long requests are kept and how fast they go; `limits.ts` unless a test says otherwise. */
export interface RetentionOptions {
  /** Milliseconds a request is kept at least. */
  readonly keepMs?: number
  /** New requests between two steps of a busy writer. */
  readonly requestsPerStep?: number
  /** Requests forgotten by one step of an idle writer. */
  readonly rowsIdle?: number
}

/** The next row that is not forgotten: its number and when it was made. */
type NextRow = readonly [seq: number, createdMs: number]

/**
 * Forgets remembered requests after `keepMs`, in the order they came (docs/adr/0007-idempotency-retention.md): rows off
 * the old end of `request`, side by side on their pages, and later, range by range, what the index still says of
 * them. Lasting rows stay.
 *
 * One step is a bounded number of rows inside a transaction of the caller, who must have a failed one end the process:
 * what is remembered here is not taken back. Nothing of it is stored: a new writer starts at the first row. Stopping
 * between any two steps is safe, because a row is younger than `keepMs` or it may go, and an index entry goes only
 * when its row is gone. An entry without a row finds nothing, in the index as in the writer's memory: whoever looks a
 * key up compares it with the row.
 */
export class RequestRetention {
  readonly #index: { readonly lastSeq: number }
  readonly #keepMs: number
  readonly #requestsPerStep: number
  readonly #rowsIdle: number
  readonly #lastOld: Statement<[number, number, number, number], number | null>
  readonly #delete: Statement<[number, number, number]>
  readonly #next: Statement<[number], NextRow>
  readonly #range: Statement<[number, number], readonly [upTo: number | null, count: number]>
  readonly #sweep: Statement<[number, number, number]>
  /** Rows up to here are lasting or gone. */
  #seq = 0
  /** When the first row behind `#seq` may go; 0 until it was looked at. */
  #dueMs = 0
  #lastSeqAtStep: number
  /** Rows forgotten since the last sweep began. */
  #unswept = 0
  /** The hash up to which this sweep has come; null between sweeps. */
  #sweptHash: number | null = null
  /** Entries of rows up to here were to be swept when this sweep began. */
  #sweepSeq = 0
  /** Entries the last sweep left, or this one has passed over. */
  #entriesLeft = 0

  constructor(db: Connection, index: { readonly lastSeq: number }, options: RetentionOptions = {}) {
    this.#index = index
    this.#keepMs = options.keepMs ?? requestRetentionMs
    this.#requestsPerStep = options.requestsPerStep ?? requestsPerForgetting
    this.#rowsIdle = options.rowsIdle ?? forgetRowsIdle
    this.#lastSeqAtStep = index.lastSeq
    this.#lastOld = db
      .prepare<[number, number, number, number], number | null>(
        `SELECT max(seq) FROM (SELECT seq, created_ms FROM request WHERE seq > ? AND seq < ? ORDER BY seq LIMIT ?)
         WHERE created_ms <= ?`,
      )
      .pluck()
    // The time is asked again although rows come in its order: no doubt about that may cost a young key.
    this.#delete = db.prepare('DELETE FROM request WHERE seq > ? AND seq <= ? AND created_ms <= ? AND lasting = 0')
    this.#next = db
      .prepare<[number], NextRow>('SELECT seq, created_ms FROM request WHERE seq > ? ORDER BY seq LIMIT 1')
      .raw()
    this.#range = db
      .prepare<[number, number], readonly [number | null, number]>(
        'SELECT max(hash), count(*) FROM (SELECT hash FROM request_index WHERE hash > ? ORDER BY hash LIMIT ?)',
      )
      .raw()
    this.#sweep = db.prepare(
      `DELETE FROM request_index WHERE hash > ? AND hash <= ? AND seq <= ?
       AND NOT EXISTS (SELECT 1 FROM request WHERE request.seq = request_index.seq)`,
    )
  }

  /** Whether `step` has something to do at `nowMs`. A busy writer has, at most, once in so many new requests. */
  isDue(idle: boolean, nowMs: number): boolean {
    if (!idle && this.#index.lastSeq - this.#lastSeqAtStep < this.#requestsPerStep) return false
    return this.#mayForget(nowMs) || this.#maySweep()
  }

  /** Forgets a bounded number of rows, more of them than came since the last step, and sweeps in proportion. */
  step(idle: boolean, nowMs: number): void {
    const added = this.#index.lastSeq - this.#lastSeqAtStep
    this.#lastSeqAtStep = this.#index.lastSeq
    const rows = idle ? this.#rowsIdle : Math.min(added * forgetPerRequest, forgetRowsMax)
    if (this.#mayForget(nowMs)) this.#forget(nowMs - this.#keepMs, rows)
    if (this.#maySweep()) this.#sweepRange(rows * sweepPerForgotten)
  }

  /** The newest row always stays: the number of the next one follows from it. */
  #mayForget(nowMs: number): boolean {
    return nowMs >= this.#dueMs && this.#seq + 1 < this.#index.lastSeq
  }

  #forget(bornBeforeMs: number, rows: number): void {
    const upTo = this.#lastOld.get(this.#seq, this.#index.lastSeq, rows, bornBeforeMs) ?? this.#seq
    if (upTo > this.#seq) this.#unswept += this.#delete.run(this.#seq, upTo, bornBeforeMs).changes
    const next = this.#next.get(upTo)
    this.#seq = next === undefined ? upTo : next[0] - 1
    this.#dueMs = next === undefined ? 0 : next[1] + this.#keepMs
  }

  /** A sweep writes every page of the index, so it waits until a quarter of the entries point to nothing. */
  #maySweep(): boolean {
    return this.#sweptHash !== null || this.#unswept > Math.max(this.#entriesLeft / 4, this.#requestsPerStep)
  }

  #sweepRange(entriesMax: number): void {
    if (this.#sweptHash === null) {
      this.#sweptHash = -1
      this.#sweepSeq = this.#seq
      this.#unswept = 0
      this.#entriesLeft = 0
    }
    const [upTo, count] = this.#range.get(this.#sweptHash, entriesMax) ?? [null, 0]
    if (upTo !== null) this.#entriesLeft += count - this.#sweep.run(this.#sweptHash, upTo, this.#sweepSeq).changes
    this.#sweptHash = count < entriesMax ? null : upTo
  }
}
