import { styleText } from 'node:util'
import type { CpuShare } from './cpu.ts'
import type { Machine } from './machine.ts'
import type { Phase } from './phase.ts'
import type { Spread, Summary } from './summary.ts'

export interface Conditions {
  readonly machine: Machine
  readonly sqlite: string
  readonly synchronous: 'FULL'
  readonly generators: readonly string[]
  readonly connections: number
  readonly durationMs: number
  readonly runs: number
  readonly httpProcesses: number
}

/** Others using more than this spoil a figure noticeably. */
const noiseCores = 0.15

/** One finished phase, for the running commentary. */
export function renderPhase(phase: Phase): string {
  const { scenario, generator, run, load, perSecond, violation } = phase
  const name = `${scenario.padEnd(9)} ${generator.padEnd(10)} ${run === 0 ? 'warm-up' : `run ${run}`.padEnd(7)}`
  if (violation !== null) return styleText(['red', 'bold'], `✗ ${name} VOID: ${violation}`)
  const [kind, added] = Object.entries(phase.rows)[0] ?? []
  const rows = kind === undefined || added === undefined ? 'nothing changed' : `= ${count(added)} ${spaced(kind)}`
  const seconds = `${(load.elapsedMs / 1_000).toFixed(1)} s${load.ranOut ? ' (ran out of holds)' : ''}`
  const figures = `${count(perSecond).padStart(8)}/s in ${seconds}; ${count(load.ok)} × 2xx ${rows}`
  return `${styleText('green', '✓')} ${name} ${figures}${noise(phase)}`
}

/** Somebody else used the machine: the figure is lower than it could be. */
function noise({ cpu }: Phase): string {
  if (cpu === null || cpu.others < noiseCores) return ''
  return styleText('yellow', `; NOISY: others used ${cpu.others.toFixed(2)} cores`)
}

export function renderConditions({ machine, sqlite, generators, ...rest }: Conditions): string {
  return [
    `${machine.cores} cores (${machine.model}), ${machine.memoryGiB} GiB, ${machine.kernel}, load average ${machine.loadAverage.toFixed(2)}`,
    `Node ${machine.node}, SQLite ${sqlite}, synchronous ${rest.synchronous}, one writer, ${rest.httpProcesses} HTTP processes`,
    `${generators.join('; ')}, on the same cores; ${rest.connections} connections, ${rest.runs} × ${rest.durationMs / 1_000} s, closed loop`,
  ].join('\n')
}

const columns = [
  ['scenario', 10],
  ['generator', 11],
  ['median/s', 10],
  ['min – max', 19],
  ['p50 ms', 8],
  ['p99 ms', 8],
  ['2xx', 12],
  ['rows', 12],
  ['batch', 7],
] as const

export function renderSummaries(summaries: readonly Summary[]): string {
  const head = columns.map(([name, width], index) => (index < 2 ? name.padEnd(width) : name.padStart(width))).join('')
  const lines = summaries.map((summary) => {
    const cells = [
      summary.scenario,
      summary.generator,
      count(summary.perSecond.median),
      `${count(summary.perSecond.min)} – ${count(summary.perSecond.max)}`,
      ms(summary.p50Us),
      ms(summary.p99Us),
      count(summary.ok),
      summary.rows === null ? '–' : count(summary.rows),
      summary.batch === null ? '–' : summary.batch.toFixed(1),
    ]
    const padded = columns.map(([, width], index) => {
      const cell = cells[index] ?? ''
      return index < 2 ? cell.padEnd(width) : cell.padStart(width)
    })
    return padded.join('')
  })
  return [styleText('dim', head), ...lines, '', ...notes(summaries)].join('\n')
}

function notes(summaries: readonly Summary[]): string[] {
  const cpu = summaries.flatMap((summary) => (summary.cpu === null ? [] : [renderCpu(summary, summary.cpu)]))
  const shares = summaries.flatMap(({ generator, percentOfEmpty }) =>
    percentOfEmpty === null ? [] : [`reads are ${percentOfEmpty.toFixed(0)}% of an empty response (${generator})`],
  )
  return [
    ...(cpu.length === 0
      ? []
      : [
          styleText(
            'dim',
            'cores busy            generator    http  writer  others    idle   database MiB       WAL MiB',
          ),
        ]),
    ...cpu,
    '',
    ...shares,
    'cores busy: averages over all runs; files: before and after the last run. “others” should be 0.',
    'batch: accepted writes per commit. Latency is that of a closed loop and hides stalls; wrk spreads its own correction over it.',
  ]
}

function renderCpu({ scenario, generator, bytes }: Summary, cpu: CpuShare): string {
  const cores = [cpu.generator, cpu.http, cpu.writer, cpu.others, cpu.idle].map((busy) => busy.toFixed(2))
  const [first = '', ...others] = cores
  const files = [grown(bytes.before.database, bytes.after.database), grown(bytes.before.wal, bytes.after.wal)]
  const cells = [
    first.padStart(10),
    ...others.map((cell) => cell.padStart(8)),
    ...files.map((cell) => `   ${cell.padEnd(16)}`),
  ]
  return `${scenario.padEnd(10)}${generator.padEnd(11)}${cells.join('')}`.trimEnd()
}

function grown(before: number, after: number): string {
  return `${mebibytes(before)} → ${mebibytes(after)}`
}

function ms({ median }: Spread): string {
  return (median / 1_000).toFixed(2)
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1)
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** `ledgerEntries` → `ledger entries` */
function spaced(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
