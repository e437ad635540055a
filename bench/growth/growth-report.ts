import { caveats } from '../caveats.ts'
import { count, mebibytes, usAsMs } from '../report/format.ts'
import { median, spread } from '../summary.ts'
import { standard } from './options.ts'
import type { Phase } from '../phase.ts'
import type { Plot, Table } from '../report/report.ts'
import type { Sample } from './measure.ts'
import type { Dimension } from './options.ts'

/** Payments/s with so many rows must stay above this share of the figure without any. */
const goal = { rows: 20_000_000, share: 0.7 } as const

/** What a slope of each dimension would come from, to be read off the columns. */
const explanations: Readonly<Record<Dimension, string>> = {
  rows: 'If payments/s falls with the rows: more WAL bytes a payment and writer us mean random pages (entries of the deferred indexes, which are merged the sooner the more keys there are, and rows looked up); a longer COMMIT with the same bytes means the disk; the same writer us and more HTTP us means readers.',
  skus: 'If it falls with the SKUs: each commit writes the counters of as many SKUs as its payments are of, so WAL bytes and writer us grow until each payment has a page of its own; HTTP us grow with the counters that every commit sends to the HTTP processes.',
  connections:
    'More connections mean larger batches (fewer commits for as many payments) and a latency that is the number under way through payments/s: p50 must grow with them. If payments/s falls, HTTP us say what the kernel and the sockets cost.',
}

/** Sizes of one load while one dimension grows, ascending, each with its share of the standard one. */
export interface Slope {
  readonly dimension: Dimension
  readonly load: string
  readonly steps: readonly { readonly value: number; readonly rate: number; readonly share: number | null }[]
}

/** Medians over the runs; void ones left out. `share` is null when the standard size was not measured. */
export function slopesOf(samples: readonly Sample[]): Slope[] {
  const sound = samples.filter(({ phase }) => phase.violation === null)
  return [...Map.groupBy(sound, ({ dimension, load }) => `${dimension} ${load}`).values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const { dimension, load } = first
    const rates = [...Map.groupBy(group, ({ value }) => value)].map(([value, some]) => ({
      value,
      rate: median(some.map(({ phase }) => phase.perSecond)),
    }))
    const base = rates.find(({ value }) => value === standard[dimension])?.rate
    const steps = rates
      .map(({ value, rate }) => ({ value, rate, share: base === undefined ? null : rate / base }))
      .toSorted((a, b) => a.value - b.value)
    return [{ dimension, load, steps }]
  })
}

/** What the goal of issue 5 says about a slope; empty: nothing. */
export function goalNotes({ dimension, load, steps }: Slope): string[] {
  if (dimension !== 'rows' || load !== 'payments') return []
  return steps.flatMap(({ value, share }) => {
    if (value < goal.rows || share === null) return []
    const verdict = share > goal.share ? 'reached' : 'NOT REACHED'
    return [
      `Goal: with ${count(goal.rows)} payments stored above ${100 * goal.share}% of the empty figure. With ${count(value)}: ${(100 * share).toFixed(0)}%, ${verdict}.`,
    ]
  })
}

export function growthTables(samples: readonly Sample[]): Table[] {
  return slopesOf(samples).map((slope) => {
    const { dimension, load, steps } = slope
    return {
      title: title(slope),
      columns: [
        dimension,
        `${load}/s`,
        'min – max',
        `of ${dimension} ${count(standard[dimension])}`,
        'p50 ms',
        'p99 ms',
        'batch',
        'COMMIT p50 ms',
        'writer us each',
        'HTTP us each',
        'WAL bytes/write',
        'others, cores',
        'database file MiB',
      ].map((name) => ({ title: name, align: 'right' as const })),
      rows: steps.map(({ value, rate, share }) => {
        const group = samples.filter(
          (sample) =>
            sample.dimension === dimension &&
            sample.load === load &&
            sample.value === value &&
            sample.phase.violation === null,
        )
        const range = spread(group.map(({ phase }) => phase.perSecond))
        const of = (read: (phase: Phase) => number | null | undefined, digits: number): string => {
          const values = group.flatMap(({ phase }) => read(phase) ?? [])
          return values.length === 0 ? '–' : median(values).toFixed(digits)
        }
        const usEach = (process: 'writer' | 'http'): string =>
          of(({ cpu, perSecond }) => (cpu === null ? null : (1_000_000 * cpu[process]) / perSecond), 1)
        return [
          count(value),
          count(rate),
          `${count(range.min)} – ${count(range.max)}`,
          share === null ? '–' : `${(100 * share).toFixed(0)}%`,
          usAsMs(median(group.map(({ phase }) => phase.load.latencyUs.p50))),
          usAsMs(median(group.map(({ phase }) => phase.load.latencyUs.p99))),
          of(({ commits }) => commits?.batchMean, 1),
          of(({ commits }) => commits?.flushMs.p50, 2),
          usEach('writer'),
          usEach('http'),
          of(({ walBytesPerWrite }) => walBytesPerWrite, 0),
          of(({ cpu }) => cpu?.others, 2),
          mebibytes(median(group.map(({ databaseBytes }) => databaseBytes))),
        ]
      }),
      notes: [...goalNotes(slope), ...caveatsOf(samples, slope), explanations[dimension]],
    }
  })
}

function caveatsOf(samples: readonly Sample[], { dimension, load }: Slope): string[] {
  const own = samples.filter((sample) => sample.dimension === dimension && sample.load === load)
  return own.flatMap(({ value, phase }) => caveats([phase], () => `${dimension} ${count(value)}`))
}

export function growthPlots(samples: readonly Sample[]): Plot[] {
  return slopesOf(samples).map((slope) => ({
    title: title(slope),
    x: { label: slope.dimension, scale: 'log' },
    y: { label: `${slope.load}/s`, scale: 'linear' },
    // A logarithm has no zero.
    series: [{ name: slope.load, points: slope.steps.map(({ value, rate }) => [Math.max(1, value), rate] as const) }],
  }))
}

function title({ dimension, load }: Slope): string {
  return `${load.slice(0, 1).toUpperCase()}${load.slice(1)} by ${dimension}`
}
