import { readFileSync } from 'node:fs'
import { indexBytesOf } from '@penstock/store-sqlite/deferred-index.ts'

/** One quantity of one process, or the size of the WAL, over time. */
export interface Trace {
  readonly name: string
  readonly kind: TraceKind
  /** Seconds since the load began, MiB. */
  readonly points: readonly (readonly [number, number])[]
}

/** `resident`: memory that is its own (RssAnon). `heap`: of JavaScript, with what it holds outside. `wal`: the file. */
export type TraceKind = 'resident' | 'heap' | 'wal'

/** What a trace says about bounds. */
export interface Verdict {
  readonly name: string
  readonly kind: TraceKind
  readonly maxMiB: number
  /** Of each third of the time: the highest, of a heap the lowest, which is what a collection left. */
  readonly thirds: readonly [number, number, number]
  readonly verdict: 'bounded' | 'growing' | 'too short'
}

/** Growth from the second third to the last that still counts as none: a garbage collector breathes, by this and these MiB. */
const growthMax = 1.1
const breathMiB = 4
/** Fewer looks say nothing about thirds. */
const pointsMin = 9

export const soakRule = `bounded: the last third of the time needed at most 10% and ${breathMiB} MiB more than the second, and, in the writer, what its indexes need for so many rows. Resident memory and the WAL by their highest, a heap by its lowest, which is what a collection left`

/** What may grow by design, and where its bound is. */
export const growsByDesign = [
  'Not counted: pages of files (libraries, the WAL index), which are the kernel’s and shared; the database file, which grows with every payment.',
  'Grows with the rows: three indexes of the writer, by a key in memory for every 32 rows and a bit or two a row, each up to 192 MB at 33 million rows, 384 after a crash (store-sqlite/deferred-index.ts).',
  'Fills in the first third and then stays: the writer’s newest 262,144 holds, 16 MiB of SQLite’s pages for each connection; remembered keys and rendered answers in the HTTP processes (domain/limits.ts).',
  'Would grow with unpaid stock, some 100 bytes a hold: the deadlines of active holds in the writer. Here every hold is paid, so there are as many as connections.',
]

/** Those of payments, requests and counters of buyers. */
const indexesOfBuyers = 3

/**
 * What the writer's indexes need more in the last third of `rows` whole buyers than in the second: a trace is judged by its
 * highest, which comes at the end of a third, and of a heap by its lowest, which comes at the beginning.
 */
export function indexGrowthMiB(rows: number, kind: TraceKind): number {
  if (kind === 'wal') return 0
  const [from, to] = kind === 'heap' ? [rows / 3, (2 * rows) / 3] : [(2 * rows) / 3, rows]
  return (indexesOfBuyers * (indexBytesOf(to) - indexBytesOf(from))) / 2 ** 20
}

/** Its own memory in MiB, or null when the process is gone or there is no /proc. Shared pages of files are left out. */
export function residentMiB(pid: number): number | null {
  try {
    const kib = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return kib === undefined ? null : Number(kib) / 1_024
  } catch {
    return null
  }
}

/** Null when the process is gone or there is no /proc. */
export function parentOf(pid: number): number | null {
  try {
    const parent = /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]
    return parent === undefined ? null : Number(parent)
  } catch {
    return null
  }
}

/** MiB in what report-heap.mjs wrote last: used by objects, and outside the heap. Null: nothing yet, or half of it. */
export function parseHeap(text: string): number | null {
  const found = /^(\d+) (\d+)\n$/.exec(text)
  return found === null ? null : (Number(found[1]) + Number(found[2])) / 2 ** 20
}

/** `byDesignMiB`: what the last third may need more than the second, besides. */
export function judge({ name, kind, points }: Trace, byDesignMiB = 0): Verdict {
  const size = Math.ceil(points.length / 3)
  const [first, second, last] = [0, 1, 2].map((third) => {
    const values = points.slice(third * size, (third + 1) * size).map(([, mib]) => mib)
    if (values.length === 0) return 0
    return kind === 'heap' ? Math.min(...values) : Math.max(...values)
  }) as [number, number, number]
  const mostMiB = growthMax * second + breathMiB + byDesignMiB
  return {
    name,
    kind,
    maxMiB: points.reduce((most, [, mib]) => Math.max(most, mib), 0),
    thirds: [first, second, last],
    verdict: points.length < pointsMin ? 'too short' : last <= mostMiB ? 'bounded' : 'growing',
  }
}
