import type { CpuShare } from './cpu.ts'
import type { Phase } from './phase.ts'

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** All runs of one scenario by one generator. */
export interface Summary {
  readonly scenario: string
  readonly generator: string
  readonly perSecond: Spread
  readonly p50Us: Spread
  readonly p95Us: Spread
  readonly p99Us: Spread
  readonly p999Us: Spread
  /** Accepted of all that were sent or should have been, from 0 to 1. */
  readonly success: number
  readonly ok: number
  /** Rows of the first kind that the scenario adds; null when it adds none. */
  readonly rows: number | null
  readonly cpu: CpuShare | null
  readonly batch: number | null
  /** COMMIT with its flush, ms. */
  readonly flushMs: { readonly p50: number; readonly p99: number } | null
  readonly walBytesPerWrite: number | null
  /** Of the last run. */
  readonly bytes: Phase['bytes']
  /** Percent of the empty response, by the same generator; null for others than reads. */
  readonly percentOfEmpty: number | null
}

/** Warm-ups and void phases left out. */
export function summarise(phases: readonly Phase[]): Summary[] {
  const counted = phases.filter(({ run, violation }) => run > 0 && violation === null)
  const groups = Map.groupBy(counted, ({ scenario, generator }) => `${scenario} ${generator}`)
  const summaries = [...groups.values()].map((group) => summariseGroup(group))
  return summaries.map((summary) => {
    const yardstick = summaries.find(
      ({ scenario, generator }) => scenario === 'empty' && generator === summary.generator,
    )
    if (summary.scenario !== 'reads' || yardstick === undefined) return summary
    return { ...summary, percentOfEmpty: (100 * summary.perSecond.median) / yardstick.perSecond.median }
  })
}

function summariseGroup(group: readonly Phase[]): Summary {
  const [first] = group
  if (first === undefined) throw new Error('an empty group')
  const kinds = Object.keys(first.rows)
  const total = (read: (phase: Phase) => number): number => group.reduce((sum, phase) => sum + read(phase), 0)
  const commits = group.flatMap((phase) => phase.commits ?? [])
  const ok = total(({ load }) => load.ok)
  return {
    scenario: first.scenario,
    generator: first.generator,
    perSecond: spread(group.map(({ perSecond }) => perSecond)),
    p50Us: spread(group.map(({ load }) => load.latencyUs.p50)),
    p95Us: spread(group.map(({ load }) => load.latencyUs.p95)),
    p99Us: spread(group.map(({ load }) => load.latencyUs.p99)),
    p999Us: spread(group.map(({ load }) => load.latencyUs.p999)),
    success: ok / (ok + total(({ load }) => load.refused + load.errors + (load.schedule?.unsent ?? 0))),
    ok,
    rows: kinds[0] === undefined ? null : total(({ rows }) => rows[kinds[0] ?? ''] ?? 0),
    cpu: averageCpu(group.flatMap(({ cpu }) => cpu ?? [])),
    batch: commits.length === 0 ? null : median(commits.map(({ batchMean }) => batchMean)),
    flushMs:
      commits.length === 0
        ? null
        : {
            p50: median(commits.map(({ flushMs }) => flushMs.p50)),
            p99: median(commits.map(({ flushMs }) => flushMs.p99)),
          },
    walBytesPerWrite: medianOrNull(group.flatMap(({ walBytesPerWrite }) => walBytesPerWrite ?? [])),
    bytes: (group.at(-1) ?? first).bytes,
    percentOfEmpty: null,
  }
}

function averageCpu(shares: readonly CpuShare[]): CpuShare | null {
  if (shares.length === 0) return null
  const mean = (name: keyof CpuShare): number => shares.reduce((sum, share) => sum + share[name], 0) / shares.length
  return {
    generator: mean('generator'),
    http: mean('http'),
    writer: mean('writer'),
    others: mean('others'),
    idle: mean('idle'),
  }
}

export function median(values: readonly number[]): number {
  return spread(values).median
}

function medianOrNull(values: readonly number[]): number | null {
  return values.length === 0 ? null : median(values)
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? 0
  const middle = sorted.length / 2
  const half = Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle))
  return { median: half, min: at(0), max: at(sorted.length - 1) }
}
