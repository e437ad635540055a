import { firstPlace } from '@penstock/store/provider-queries.ts'
import type { Place } from '@penstock/store/provider-queries.ts'

export interface PassWalkDeps<Row> {
  /** Rows behind `after`, in order of their places, at most `providerJobRowsPerTick`. */
  readonly read: (after: Place) => readonly Row[]
  readonly placeOf: (row: Row) => Place
  /** From which times the row's age counts, unix milliseconds. */
  readonly basesOf: (row: Row) => readonly number[]
  readonly agesMs: readonly number[]
  /** The least time from the start of a pass to the start of the next. */
  readonly passMs: number
  /** False: there is no room now. The walk stops in front of the row until there is. */
  readonly offer: (row: Row) => boolean
}

/**
 * Goes through a list of the database again and again, a page a tick, and offers the rows that it meets for the first
 * time, and those that came to one of their ages since the last pass. So what is asked, and how often, follows from the
 * clock and the rows, and nothing has to be kept. The list grows at its end, in the order of `createdMs`.
 */
export class PassWalk<Row> {
  readonly #deps: PassWalkDeps<Row>
  #after = firstPlace
  #isUnderway = false
  #startedMs = Number.NEGATIVE_INFINITY
  #lastStartedMs = Number.NEGATIVE_INFINITY
  /** The newest rows of the last pass; those behind them are new. Of one millisecond there may be several. */
  #newest = { createdMs: -1, ids: new Set<string>() }
  #newestNow = this.#newest

  constructor(deps: PassWalkDeps<Row>) {
    this.#deps = deps
  }

  tick(nowMs: number): void {
    if (!this.#isUnderway && !this.#start(nowMs)) return
    const rows = this.#deps.read(this.#after)
    for (const row of rows) {
      const place = this.#deps.placeOf(row)
      if (this.#isWanted(row, place) && !this.#deps.offer(row)) return
      this.#after = place
      this.#note(place)
    }
    if (rows.length > 0) return
    this.#isUnderway = false
    this.#newest = this.#newestNow
  }

  #start(nowMs: number): boolean {
    if (nowMs < this.#startedMs + this.#deps.passMs) return false
    this.#lastStartedMs = this.#startedMs
    this.#startedMs = nowMs
    this.#after = firstPlace
    this.#newestNow = { createdMs: this.#newest.createdMs, ids: new Set(this.#newest.ids) }
    this.#isUnderway = true
    return true
  }

  #isWanted(row: Row, { createdMs, id }: Place): boolean {
    const isNew =
      createdMs > this.#newest.createdMs || (createdMs === this.#newest.createdMs && !this.#newest.ids.has(id))
    if (isNew) return true
    return this.#deps
      .basesOf(row)
      .some((baseMs) => cameOfAge(baseMs, this.#deps.agesMs, this.#lastStartedMs, this.#startedMs))
  }

  #note({ createdMs, id }: Place): void {
    if (createdMs > this.#newestNow.createdMs) this.#newestNow = { createdMs, ids: new Set() }
    if (createdMs === this.#newestNow.createdMs) this.#newestNow.ids.add(id)
  }
}

/** Whether what began at `baseMs` came to one of its ages, or to a multiple of the last, after `afterMs`, until `untilMs`. */
export function cameOfAge(baseMs: number, agesMs: readonly number[], afterMs: number, untilMs: number): boolean {
  const lastMs = agesMs.at(-1) ?? Number.POSITIVE_INFINITY
  const isPast = (ageMs: number): boolean => ageMs > afterMs - baseMs && ageMs <= untilMs - baseMs
  if (agesMs.some(isPast)) return true
  const multiple = Math.floor((untilMs - baseMs) / lastMs)
  return multiple >= 1 && isPast(multiple * lastMs)
}
