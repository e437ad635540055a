import { exportRestFactor, exportRestMaxMs, exportsMax, slowListsMax } from '@penstock/domain/limits.ts'
import { sendProblem } from './api.ts'
import { problem } from './problem.ts'
import type { Deps } from './api.ts'
import type { HttpExchange } from './transport.ts'
import type { ReadPart } from './read-part.ts'

/** What an HTTP process reads on other threads, and how much of it at once. */
export interface SlowReads {
  readonly readPart: ReadPart
  /** The same for exports, which nobody is in a hurry for: it rests after each step while buyers wait. */
  readonly readExportPart: ReadPart
  readonly lists: Gate
  readonly exports: Gate
}

/** Lets `max` in at a time. Whoever entered must leave, once. */
export class Gate {
  readonly #max: number
  #inside = 0

  constructor(max: number) {
    this.#max = max
  }

  /** False: full. */
  enter(): boolean {
    if (this.#inside >= this.#max) return false
    this.#inside++
    return true
  }

  leave(): void {
    this.#inside--
  }
}

export interface Politeness {
  /** Whether buyers of this process wait for the writer. */
  readonly isBusy: () => boolean
  /** Milliseconds with their fractions, from any start: most steps take a few, and some less than one. */
  readonly stopwatch: () => number
  readonly rest: (ms: number) => Promise<unknown>
}

export function openSlowReads(readPart: ReadPart, { isBusy, stopwatch, rest }: Politeness): SlowReads {
  const readExportPart: ReadPart = async (request) => {
    const startMs = stopwatch()
    const part = await readPart(request)
    // One thread serves all exports, so a step takes the longer the more there are, and they share what one would get.
    if (isBusy()) await rest(Math.min(exportRestMaxMs, exportRestFactor * (stopwatch() - startMs)))
    return part
  }
  return { readPart, readExportPart, lists: new Gate(slowListsMax), exports: new Gate(exportsMax) }
}

/** A step did not end in time: something is broken, or the machine is overwhelmed. */
export class SlowReadTimeout extends Error {
  override readonly name = 'SlowReadTimeout'
}

/** Answers what a step that failed calls for; throws what is a bug. */
export function answerSlowReadError(
  exchange: HttpExchange,
  deps: Pick<Deps, 'mint' | 'log'>,
  error: unknown,
  headers: readonly string[],
): void {
  if (!(error instanceof SlowReadTimeout)) throw error
  deps.log('a slow read was not done in time', error)
  const detail = 'The database was not read in time. Nothing was changed: ask again later.'
  sendProblem(exchange, deps, problem('read_timeout', detail), headers)
}
