import { readFileSync } from 'node:fs'

/** Resident memory of one process over time. */
export interface MemoryTrace {
  readonly name: string
  readonly pid: number
  /** Seconds since the start, MiB. */
  readonly points: readonly (readonly [number, number])[]
}

/** What a trace says about bounds. */
export interface MemoryVerdict {
  readonly name: string
  readonly maxMiB: number
  /** Highest of each third of the time. */
  readonly thirds: readonly [number, number, number]
  readonly isBounded: boolean
}

/** Growth from the second third to the last that still counts as none: a garbage collector breathes. */
const growthMax = 1.1

/** MiB of resident memory, or null when the process is gone or there is no /proc. */
export function residentMiB(pid: number): number | null {
  try {
    const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return kib === undefined ? null : Number(kib) / 1_024
  } catch {
    return null
  }
}

/** Bounded: the last third of the time needed at most 10% more than the second. The first is for warming up. */
export function judgeMemory({ name, points }: MemoryTrace): MemoryVerdict {
  const size = Math.ceil(points.length / 3)
  const maxOf = (third: number): number =>
    Math.max(0, ...points.slice(third * size, (third + 1) * size).map(([, mib]) => mib))
  const thirds = [maxOf(0), maxOf(1), maxOf(2)] as const
  return { name, thirds, maxMiB: Math.max(...thirds), isBounded: thirds[2] <= growthMax * thirds[1] }
}
