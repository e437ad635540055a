/** Batches of 1, 2, up to 4, up to 8 commands, and so on; the last class has all larger ones. */
const batchClasses = 16
/** Four classes an octave, from 1 us on; the last has everything above 16 s. */
const flushClasses = 97
const classesPerOctave = 4

/** Commits since the start, counted in classes: plain numbers, so that two looks can be subtracted. */
export interface CommitCounts {
  readonly commits: number
  readonly commands: number
  /** COMMITs by how many commands they had: place n is at most 2 ** n. */
  readonly batches: readonly number[]
  /** COMMITs by how long they took, flush included: place n is at most 2 ** (n / 4) us. */
  readonly flushes: readonly number[]
  readonly flushMs: number
}

/** What the commits of this process were like. Two additions for each commit, whatever it holds. */
export class CommitMeter {
  #commits = 0
  #commands = 0
  #flushMs = 0
  readonly #batches = Array.from({ length: batchClasses }, () => 0)
  readonly #flushes = Array.from({ length: flushClasses }, () => 0)

  record(commands: number, flushMs: number): void {
    this.#commits += 1
    this.#commands += commands
    this.#flushMs += flushMs
    add(this.#batches, Math.log2(Math.max(1, commands)))
    add(this.#flushes, classesPerOctave * Math.log2(Math.max(1, flushMs * 1_000)))
  }

  get counts(): CommitCounts {
    return {
      commits: this.#commits,
      commands: this.#commands,
      batches: [...this.#batches],
      flushes: [...this.#flushes],
      flushMs: this.#flushMs,
    }
  }
}

function add(classes: number[], place: number): void {
  const at = Math.min(classes.length - 1, Math.ceil(place))
  classes[at] = (classes[at] ?? 0) + 1
}
