import { readFileSync } from 'node:fs'

/** Linux counts in these; 100 everywhere that matters (sysconf(_SC_CLK_TCK)). */
const ticksPerSecond = 100
const sampleMs = 100

/** Cores busy on average: 0.5 is half a core. */
export interface CpuShare {
  readonly generator: number
  readonly http: number
  readonly writer: number
  /** Everything else on this machine. Large: somebody else was working, and the figures suffered. */
  readonly others: number
  readonly idle: number
}

type Group = 'generator' | 'http' | 'writer'
export type WatchedPids = Readonly<Record<Group, readonly number[]>>

interface Sample {
  readonly atMs: number
  readonly ticks: Readonly<Record<Group | 'busy' | 'idle', number>>
}

/**
 * Who used the processors while this was running, from /proc. Looks every 100 ms, because a process that ended has no
 * entry any more: what it had used by the last look counts.
 */
export class CpuWatch {
  readonly #pids: WatchedPids
  readonly #timer: NodeJS.Timeout
  readonly #first: Sample | null
  /** Of processes that have ended, too. */
  readonly #ticksOf = new Map<number, number>()
  #last: Sample | null

  constructor(pids: WatchedPids) {
    this.#pids = pids
    this.#first = this.#sample()
    this.#last = this.#first
    this.#timer = setInterval(() => {
      this.#last = this.#sample() ?? this.#last
    }, sampleMs)
  }

  /** Null on systems without /proc, and after less than one look. */
  stop(): CpuShare | null {
    clearInterval(this.#timer)
    const [first, last] = [this.#first, this.#last]
    if (first === null || last === null || last.atMs === first.atMs) return null
    const seconds = (last.atMs - first.atMs) / 1_000
    const cores = (name: keyof Sample['ticks']): number =>
      (last.ticks[name] - first.ticks[name]) / ticksPerSecond / seconds
    const [generator, http, writer] = [cores('generator'), cores('http'), cores('writer')]
    return {
      generator,
      http,
      writer,
      others: Math.max(0, cores('busy') - generator - http - writer),
      idle: cores('idle'),
    }
  }

  #sample(): Sample | null {
    try {
      const { generator, http, writer } = this.#pids
      const [atMs, machine] = [performance.now(), machineTicks()]
      return {
        atMs,
        ticks: { generator: this.#sum(generator), http: this.#sum(http), writer: this.#sum(writer), ...machine },
      }
    } catch {
      return null
    }
  }

  #sum(pids: readonly number[]): number {
    for (const pid of pids) this.#ticksOf.set(pid, processTicks(pid) ?? this.#ticksOf.get(pid) ?? 0)
    return pids.reduce((total, pid) => total + (this.#ticksOf.get(pid) ?? 0), 0)
  }
}

/** Cores busy on the whole machine, from this call to the call of what it returns. Null on systems without /proc. */
export function busyCores(): () => number | null {
  try {
    const [first, firstMs] = [machineTicks(), performance.now()]
    return () => (machineTicks().busy - first.busy) / ticksPerSecond / ((performance.now() - firstMs) / 1_000)
  } catch {
    return () => null
  }
}

/** utime + stime, fields 14 and 15 of proc(5); the second field may contain spaces and ends with the last bracket. */
function processTicks(pid: number): number | null {
  let stat = ''
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  } catch {
    return null
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

/** The first line of /proc/stat: user nice system idle iowait irq softirq steal. */
function machineTicks(): { busy: number; idle: number } {
  const [line = ''] = readFileSync('/proc/stat', 'latin1').split('\n', 1)
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return { busy: user + nice + system + irq + softirq + steal, idle: idle + iowait }
}
