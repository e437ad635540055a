import { idFloor } from '@penstock/domain/id.ts'
import { clockSkewMs } from '@penstock/domain/limits.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { Database as Connection } from 'better-sqlite3'

/** What of a hold says when it is due. */
type Deadline = Pick<Hold, 'id' | 'expiresMs'>

/**
 * The deadlines of all active holds, in memory: some 100 bytes for each, and a drop's stock bounds their number. An
 * index in the database would be written twice for every hold, in random places.
 *
 * Holds are kept by the second of their deadline, so that adding, removing and looking for due ones cost the same
 * however many there are. Follows commits only; a restart reads the active holds again.
 */
export class DueHolds {
  /** Second of the deadline → id → deadline in milliseconds. */
  readonly #seconds = new Map<number, Map<string, number>>()
  /** No active hold has a deadline in an earlier second. Infinity: none is known. */
  #firstSecond = Number.POSITIVE_INFINITY

  /** `log` is told of the progress where there are more than `holdsPerLook` to look at. */
  constructor(db: Connection, log: (line: string) => void = () => {}, holdsPerLook = 1_000_000) {
    const state = db.prepare<[], { settled_ms: number; longest_hold_ms: number }>(
      'SELECT settled_ms, longest_hold_ms FROM writer_state',
    )
    const { settled_ms: settledMs = 0, longest_hold_ms: longestHoldMs = 0 } = state.get() ?? {}
    // Older holds have ended: their deadline, at most `longest_hold_ms` after they were made, has been settled.
    const oldest = idFloor('hold', Math.max(0, settledMs - longestHoldMs - clockSkewMs))
    const range = db
      .prepare<[string], readonly [number | null, number | null]>(
        'SELECT min(seq), max(seq) FROM hold_start WHERE id >= ?',
      )
      .raw()
    const active = db.prepare<[number, number], Deadline>(
      `SELECT id, expires_ms AS expiresMs FROM hold_start
       WHERE seq >= ? AND seq < ? AND NOT EXISTS (SELECT 1 FROM hold_end WHERE hold_seq = seq)`,
    )
    const [first, last] = range.get(oldest) ?? [null, null]
    if (first === null || last === null) return
    for (let from = first; from <= last; from += holdsPerLook) {
      if (from > first) log(`looking for active holds, ${from - first} looked at`)
      for (const hold of active.iterate(from, from + holdsPerLook)) this.add(hold)
    }
  }

  add({ id, expiresMs }: Deadline): void {
    const second = toSecond(expiresMs)
    const holds = this.#seconds.get(second)
    if (holds === undefined) this.#seconds.set(second, new Map([[id, expiresMs]]))
    else holds.set(id, expiresMs)
    if (second < this.#firstSecond) this.#firstSecond = second
  }

  /** Harmless when the hold is not there. */
  remove({ id, expiresMs }: Deadline): void {
    const second = toSecond(expiresMs)
    const holds = this.#seconds.get(second)
    holds?.delete(id)
    if (holds?.size === 0) this.#seconds.delete(second)
  }

  /** Ids of at most `max` holds whose deadline is at or before `nowMs`, the earliest first. */
  list(nowMs: number, max: number): string[] {
    this.#skipEmptySeconds(nowMs)
    const due: string[] = []
    for (let second = this.#firstSecond; second <= toSecond(nowMs) && due.length < max; second++) {
      const holds = this.#seconds.get(second)
      if (holds === undefined) continue
      const ended = [...holds].filter(([, expiresMs]) => expiresMs <= nowMs)
      ended.sort(([idA, a], [idB, b]) => a - b || (idA < idB ? -1 : 1))
      for (const [id] of ended) due.push(id)
    }
    return due.slice(0, max)
  }

  /** Every hold with a deadline before this time has ended. */
  settledMs(nowMs: number): number {
    this.#skipEmptySeconds(nowMs)
    return Math.min(nowMs, this.#firstSecond * 1_000)
  }

  #skipEmptySeconds(nowMs: number): void {
    if (this.#seconds.size === 0) this.#firstSecond = Number.POSITIVE_INFINITY
    while (this.#firstSecond < toSecond(nowMs) && !this.#seconds.has(this.#firstSecond)) this.#firstSecond += 1
  }
}

function toSecond(ms: number): number {
  return Math.floor(ms / 1_000)
}
