import { exportsMax, slowListsMax } from '@penstock/domain/limits.ts'
import { problem } from './problem.ts'
import type { Problem } from './problem.ts'
import type { ReadPart } from './read-part.ts'

/** What an HTTP process reads on other threads, and how much of it at once. */
export interface SlowReads {
  readonly readPart: ReadPart
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

export function openSlowReads(readPart: ReadPart): SlowReads {
  return { readPart, lists: new Gate(slowListsMax), exports: new Gate(exportsMax) }
}

/** A step did not end in time: something is broken, or the machine is overwhelmed. */
export class SlowReadTimeout extends Error {
  override readonly name = 'SlowReadTimeout'
}

/** What to answer when a step failed; null when that is a bug. */
export function describeSlowReadError(error: unknown): Problem | null {
  if (!(error instanceof SlowReadTimeout)) return null
  return problem('read_timeout', 'The database was not read in time. Nothing was changed: ask again later.')
}
