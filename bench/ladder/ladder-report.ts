import { cores, count, percent, usAsMs } from '../report/format.ts'
import { median } from '../summary.ts'
import { ladderRules, rungStatus } from './rules.ts'
import type { Plot, Series, Table } from '../report/report.ts'
import type { Rung } from './climb.ts'
import type { LadderName } from './options.ts'
import type { RungResult } from './rules.ts'

export const ladderTitles: Readonly<Record<LadderName, string>> = {
  mixed: 'Ladder of the mix',
  payments: 'Ladder of durable payments',
}

interface Step extends RungResult {
  readonly averageUs: number
  readonly p95Us: number
  readonly p999Us: number
  readonly rungs: readonly Rung[]
}

/** Medians of the rungs at each target; void ones left out. */
export function stepsOf(rungs: readonly Rung[], ladder: LadderName): Step[] {
  const sound = rungs.filter((rung) => rung.ladder === ladder && rung.phase.violation === null)
  return [...Map.groupBy(sound, ({ target }) => target)].map(([target, group]) => {
    const loads = group.map(({ phase }) => phase.load)
    const at = (key: 'mean' | 'p95' | 'p99' | 'p999'): number => median(loads.map(({ latencyUs }) => latencyUs[key]))
    const planned = loads.reduce((sum, { schedule }) => sum + (schedule?.planned ?? 0), 0)
    return {
      target,
      actual: median(group.map(({ phase }) => phase.perSecond)),
      success: loads.reduce((sum, { ok }) => sum + ok, 0) / planned,
      averageUs: at('mean'),
      p95Us: at('p95'),
      p99Us: at('p99'),
      p999Us: at('p999'),
      rungs: group,
    }
  })
}

/** The columns of the old system's report, and what belongs to them. */
export function ladderTables(rungs: readonly Rung[], ladder: LadderName, offered: ReadonlySet<number>): Table[] {
  const steps = stepsOf(rungs, ladder)
  if (steps.length === 0) return []
  return [
    {
      title: ladderTitles[ladder],
      columns: [
        ...['target/s', 'actual/s', 'average ms', 'p95 ms', 'p99 ms', 'success'].map((title) => ({
          title,
          align: 'right' as const,
        })),
        { title: 'status', align: 'left' },
      ],
      rows: steps.map((step) => [
        count(step.target),
        count(step.actual),
        usAsMs(step.averageUs),
        usAsMs(step.p95Us),
        usAsMs(step.p99Us),
        percent(step.success),
        rungStatus(step, offered.has(step.target)),
      ]),
      notes: ladderRules,
    },
    detailTable(steps, ladder),
  ]
}

function detailTable(steps: readonly Step[], ladder: LadderName): Table {
  const columns = [
    'target/s',
    'p99.9 ms',
    'unsent',
    'late p99 ms',
    'loop busy',
    'cores: generator',
    'HTTP',
    'writer',
    'others',
    'batch',
    'COMMIT p99 ms',
    'WAL bytes/write',
  ]
  return {
    title: `${ladderTitles[ladder]}: what it took`,
    columns: columns.map((title) => ({ title, align: 'right' })),
    rows: steps.map(({ target, p999Us, rungs }) => {
      const of = (read: (rung: Rung) => number | null | undefined): number | undefined => {
        const values = rungs.flatMap((rung) => read(rung) ?? [])
        return values.length === 0 ? undefined : median(values)
      }
      const number = (value: number | undefined, digits: number): string => value?.toFixed(digits) ?? '–'
      return [
        count(target),
        usAsMs(p999Us),
        count(of(({ phase }) => phase.load.schedule?.unsent) ?? 0),
        usAsMs(of(({ phase }) => phase.load.schedule?.lateUs.p99) ?? 0),
        number(
          of(({ phase }) => phase.load.schedule?.loopBusy),
          2,
        ),
        cores(of(({ phase }) => phase.cpu?.generator)),
        cores(of(({ phase }) => phase.cpu?.http)),
        cores(of(({ phase }) => phase.cpu?.writer)),
        cores(of(({ phase }) => phase.cpu?.others)),
        number(
          of(({ phase }) => phase.commits?.batchMean),
          1,
        ),
        number(
          of(({ phase }) => phase.commits?.flushMs.p99),
          2,
        ),
        number(
          of(({ phase }) => phase.walBytesPerWrite),
          0,
        ),
      ]
    }),
    notes: [
      'Unsent: no connection was free for them until the end. Late: sent later than intended although a connection was free, which is the generator’s fault. Loop busy: of the busiest generator process; near 1 it measures itself.',
    ],
  }
}

export function ladderPlots(rungs: readonly Rung[], ladders: readonly LadderName[]): Plot[] {
  const series = (read: (step: Step) => number): Series[] =>
    ladders.map((ladder) => ({
      name: ladder,
      points: stepsOf(rungs, ladder).map((step) => [step.target, read(step)] as const),
    }))
  const x = { label: 'offered requests/s', scale: 'linear' } as const
  return [
    {
      title: 'Throughput against offered load',
      x,
      y: { label: 'accepted/s', scale: 'linear' },
      series: series(({ actual }) => actual),
    },
    {
      title: 'p99 against offered load',
      x,
      y: { label: 'ms', scale: 'log' },
      series: series(({ p99Us }) => p99Us / 1_000),
    },
    {
      title: 'p99.9 against offered load',
      x,
      y: { label: 'ms', scale: 'log' },
      series: series(({ p999Us }) => p999Us / 1_000),
    },
  ]
}
