import { caveats } from './caveats.ts'
import { cores, count, mebibytes, percent, usAsMs } from './report/format.ts'
import { median, summarise } from './summary.ts'
import type { Phase } from './phase.ts'
import type { Column, Plot, Table } from './report/report.ts'
import type { Summary } from './summary.ts'

const left = (title: string): Column => ({ title, align: 'left' })
const right = (title: string): Column => ({ title, align: 'right' })

/** The tables of any set of phases: what was reached, what it cost, how it was committed. */
export function phaseTables(phases: readonly Phase[]): Table[] {
  const summaries = summarise(phases)
  const notes = caveats(phases, ({ scenario, generator }) => `${scenario} by ${generator}`)
  return [throughputTable(summaries, notes), costTable(summaries), commitTable(summaries)].filter(
    ({ rows }) => rows.length > 0,
  )
}

function throughputTable(summaries: readonly Summary[], notes: readonly string[]): Table {
  const shares = summaries.flatMap(({ generator, percentOfEmpty }) =>
    percentOfEmpty === null ? [] : [`Reads are ${percentOfEmpty.toFixed(0)}% of an empty response (${generator}).`],
  )
  return {
    title: 'Throughput and latency',
    columns: [
      left('scenario'),
      left('generator'),
      right('median/s'),
      right('min – max'),
      ...['p50 ms', 'p95 ms', 'p99 ms', 'p99.9 ms', 'accepted', 'success', 'rows'].map(right),
    ],
    rows: summaries.map((summary) => [
      summary.scenario,
      summary.generator,
      count(summary.perSecond.median),
      `${count(summary.perSecond.min)} – ${count(summary.perSecond.max)}`,
      ...[summary.p50Us, summary.p95Us, summary.p99Us, summary.p999Us].map((spread) => usAsMs(spread.median)),
      count(summary.ok),
      percent(summary.success),
      summary.rows === null ? '–' : count(summary.rows),
    ]),
    notes: [
      'Medians over the runs; accepted and rows are sums. Rows: of the first kind that the scenario adds, counted in the database.',
      'Latency of an open loop (open) counts from the intended time. Connections of a closed loop wait with the server, so a stall is one slow answer each; wrk adds what it thinks it left out so, the others do not: theirs cannot be compared with it.',
      ...shares,
      ...exportNotes(summaries),
      ...notes,
    ],
  }
}

/** What slow reads do to the p99 of payments. Closed loops saturate the cores, so only an open loop answers that. */
function exportNotes(summaries: readonly Summary[]): string[] {
  return summaries.flatMap(({ scenario, generator, p99Us }) => {
    const alone = summaries.find((other) => other.scenario === 'payments' && other.generator === generator)
    if (scenario !== 'payments-with-export' || alone === undefined) return []
    const moved = 100 * (p99Us.median / alone.p99Us.median - 1)
    const [from, to] = [alone, { p99Us }].map((one) => usAsMs(one.p99Us.median))
    return [
      `An export that is always under way moves the p99 of payments from ${from} to ${to} ms: ${moved.toFixed(0)}% (${generator}).`,
    ]
  })
}

function costTable(summaries: readonly Summary[]): Table {
  return {
    title: 'Processors',
    columns: [left('scenario'), left('generator'), ...['generator', 'HTTP', 'writer', 'others', 'idle'].map(right)],
    rows: summaries.flatMap(({ scenario, generator, cpu }) =>
      cpu === null
        ? []
        : [
            [
              scenario,
              generator,
              ...[cpu.generator, cpu.http, cpu.writer, cpu.others, cpu.idle].map((busy) => cores(busy)),
            ],
          ],
    ),
    notes: [
      'Cores busy, averages over the runs. “others” should be 0: somebody else was working, and the figures suffered.',
    ],
  }
}

function commitTable(summaries: readonly Summary[]): Table {
  return {
    title: 'Commits',
    columns: [
      left('scenario'),
      left('generator'),
      ...['batch', 'COMMIT p50 ms', 'COMMIT p99 ms', 'WAL bytes/write', 'database MiB', 'WAL MiB'].map(right),
    ],
    rows: summaries.flatMap(({ scenario, generator, batch, flushMs, walBytesPerWrite, bytes }) =>
      batch === null || flushMs === null
        ? []
        : [
            [
              scenario,
              generator,
              batch.toFixed(1),
              flushMs.p50.toFixed(2),
              flushMs.p99.toFixed(2),
              walBytesPerWrite === null ? '–' : count(walBytesPerWrite),
              `${mebibytes(bytes.before.database)} → ${mebibytes(bytes.after.database)}`,
              `${mebibytes(bytes.before.wal)} → ${mebibytes(bytes.after.wal)}`,
            ],
          ],
    ),
    notes: [
      'Batch: commands a commit, as the writer counts them. COMMIT: with its fsync; upper bounds of classes of 19%.',
      'Files: before and after the last run.',
    ],
  }
}

/** How many commits had how many commands, for each scenario that commits. */
export function batchPlot(phases: readonly Phase[]): Plot {
  const counted = phases.filter(({ run, violation, commits }) => run > 0 && violation === null && commits !== null)
  return {
    title: 'Batch sizes',
    x: { label: 'commands a commit (at most)', scale: 'log' },
    y: { label: 'percent of the commits', scale: 'linear' },
    series: [...Map.groupBy(counted, ({ scenario }) => scenario)].map(([name, group]) => ({
      name,
      points: batchShares(group),
    })),
  }
}

function batchShares(group: readonly Phase[]): [number, number][] {
  const facts = group.flatMap(({ commits }) => commits ?? [])
  const total = facts.reduce((sum, { commits }) => sum + commits, 0)
  const classes = facts[0]?.batches.length ?? 0
  const shares = Array.from({ length: classes }, (_, place): [number, number] => [
    2 ** place,
    (100 * facts.reduce((sum, { batches }) => sum + (batches[place] ?? 0), 0)) / total,
  ])
  const last = shares.findLastIndex(([, share]) => share > 0)
  return shares.slice(0, last + 1)
}

const percentiles = [
  ['p50', 50],
  ['p90', 90],
  ['p95', 95],
  ['p99', 99],
  ['p999', 99.9],
] as const

/** Median latency at each percentile; the further right, the rarer: 1 of 2 requests, 1 of 10, 1 of 1,000. */
export function latencyPlot(phases: readonly Phase[]): Plot {
  const counted = phases.filter(({ run, violation }) => run > 0 && violation === null)
  return {
    title: 'Latency percentiles',
    x: { label: 'one request of so many takes longer', scale: 'log' },
    y: { label: 'ms', scale: 'log' },
    series: [...Map.groupBy(counted, ({ scenario, generator }) => `${scenario} ${generator}`)].map(([name, group]) => ({
      name,
      points: percentiles.map(([key, at]) => [
        100 / (100 - at),
        median(group.map(({ load }) => load.latencyUs[key])) / 1_000,
      ]),
    })),
  }
}
