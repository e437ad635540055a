import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { readingOptions, UsageError, wholeOption } from '@penstock/testing/command-line.ts'
import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { boxLine, machineLines } from '../conditions.ts'
import { Own } from '../generators/own/own.ts'
import { singleStep } from '../generators/plan.ts'
import { Lab } from '../lab.ts'
import { measurePhase } from '../phase.ts'
import { renderPhase } from '../phase-line.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { count, mebibytes, usAsMs } from '../report/format.ts'
import { payHolds } from '../steps.ts'
import { median, spread } from '../summary.ts'
import { fillPayments } from './fill.ts'
import type { CommandContext } from '../command.ts'
import type { Phase } from '../phase.ts'
import type { Plot, Report, Table } from '../report/report.ts'
import type { Sale } from '../sale.ts'

const usage = `usage: npm run bench:growth -- [rows] [skus] [connections] [options]

Durable payments, closed loop, while one thing grows (all three unless named):
  rows          payments that are stored already, filled in by SQL before the box starts
  skus          one hot SKU, or many, in drops of 100
  connections   of the load

  --rows <list>          (0,10000,1000000); 20000000 takes some 20 GiB and half an hour
  --skus <list>          (1,10000)
  --connections <list>   (64,1000,10000)
  --duration <seconds>   of each measurement (5)
  --runs <count>         of each; medians are shown (3)
  --audit-rows <count>   the data is audited when at most so many payments were filled in (100000)
  --help                 shows this

Exit codes: 0 measured, 1 void or failed, 2 wrong options, 130 interrupted.`

const dimensions = ['rows', 'skus', 'connections'] as const
type Dimension = (typeof dimensions)[number]
const bounds = {
  rows: { min: 0, max: 100_000_000 },
  skus: { min: 1, max: 20_000 },
  connections: { min: 1, max: 15_000 },
} as const
const standard = { rows: 0, skus: 1, connections: 64 } as const

interface Options {
  readonly dimensions: readonly Dimension[]
  readonly values: Readonly<Record<Dimension, readonly number[]>>
  readonly durationMs: number
  readonly runs: number
  readonly auditRowsMax: number
}

function read(argv: readonly string[]): Options | null {
  const { values, positionals } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rows: { type: 'string', default: '0,10000,1000000' },
        skus: { type: 'string', default: '1,10000' },
        connections: { type: 'string', default: '64,1000,10000' },
        duration: { type: 'string', default: '5' },
        runs: { type: 'string', default: '3' },
        'audit-rows': { type: 'string', default: '100000' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  const unknown = positionals.find((name) => !dimensions.some((known) => known === name))
  if (unknown !== undefined)
    throw new UsageError(`nothing called "${unknown}" grows: there are ${dimensions.join(', ')}`)
  const list = (name: Dimension): number[] =>
    values[name].split(',').map((text) => wholeOption(name, text, bounds[name]))
  return {
    dimensions: dimensions.filter((name) => positionals.length === 0 || positionals.includes(name)),
    values: { rows: list('rows'), skus: list('skus'), connections: list('connections') },
    durationMs: wholeOption('duration', values.duration, { min: 1, max: 600 }) * 1_000,
    runs: wholeOption('runs', values.runs, { min: 1, max: 100 }),
    auditRowsMax: wholeOption('audit-rows', values['audit-rows'], { min: 0, max: 100_000_000 }),
  }
}

/** Payments while `dimension` is `value`, once. */
interface Sample {
  readonly dimension: Dimension
  readonly value: number
  readonly phase: Phase
  /** Before the measurement. */
  readonly databaseBytes: number
}

interface Size extends Record<Dimension, number> {}

const httpProcesses = 2
const warmUpMs = 1_000
/** Before anything was measured. */
const guessPerSecond = 15_000
const reserve = 1.4

async function measureSize(
  dimension: Dimension,
  size: Size,
  options: Options,
  { signal, progress }: CommandContext,
  onSample: (sample: Sample) => void,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-growth-'))
  const name = `${dimension} ${count(size[dimension])}`
  try {
    if (size.rows > 0) {
      const onProgress = (done: number): void => progress.show(() => `${name}: filling in payments, ${count(done)}`)
      await fillPayments(join(folder, 'penstock.db'), size.rows, onProgress, signal)
    }
    for (let round = 1; round <= options.runs; round++) {
      progress.show(() => `${name}, run ${round} of ${options.runs}`)
      const lab = await Lab.open({ httpProcesses, dataFolder: folder })
      try {
        const databaseBytes = statSync(lab.box.databasePath).size
        const sales = size.skus === 1 ? [lab.sale] : await lab.openWideSale(size.skus)
        const warm = await pay(lab, sales, 0, guessPerSecond, warmUpMs, size.connections, signal)
        const perSecond = Math.max(guessPerSecond, warm.perSecond) * reserve
        const phase = await pay(lab, sales, round, perSecond, options.durationMs, size.connections, signal)
        const violation = phase.violation ?? (size.rows <= options.auditRowsMax ? await lab.audit(signal) : null)
        progress.note(`${name.padEnd(20)} ${renderPhase({ ...phase, violation })}`)
        onSample({ dimension, value: size[dimension], phase: { ...phase, violation }, databaseBytes })
      } finally {
        await lab.close()
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function pay(
  lab: Lab,
  sales: readonly Sale[],
  round: number,
  perSecondMax: number,
  durationMs: number,
  connections: number,
  signal: AbortSignal,
): Promise<Phase> {
  const holds = await prepareHolds(sales, Math.ceil((perSecondMax * durationMs) / 1_000), () => undefined, signal)
  return measurePhase({
    lab,
    scenario: 'payments',
    server: 'box',
    run: round,
    plan: singleStep(payHolds(lab.sale, holds), null),
    generator: new Own(1, null),
    connections,
    durationMs,
    quietMs: 0,
    signal,
    onMeasuring: () => undefined,
  })
}

function tableOf(dimension: Dimension, samples: readonly Sample[]): Table {
  const groups = [...Map.groupBy(samples, ({ value }) => value)]
  const rateOf = (group: readonly Sample[]): number => median(group.map(({ phase }) => phase.perSecond))
  const first = groups[0] === undefined ? 0 : rateOf(groups[0][1])
  const columns = [
    dimension,
    'payments/s',
    'min – max',
    'of the first',
    'p50 ms',
    'p99 ms',
    'batch',
    'COMMIT p50 ms',
    'WAL bytes/payment',
    'database MiB',
  ]
  return {
    title: `Payments by ${dimension}`,
    columns: columns.map((title) => ({ title, align: 'right' })),
    rows: groups.map(([value, group]) => {
      const rate = spread(group.map(({ phase }) => phase.perSecond))
      const of = (pick: (phase: Phase) => number): number => median(group.map(({ phase }) => pick(phase)))
      return [
        count(value),
        count(rate.median),
        `${count(rate.min)} – ${count(rate.max)}`,
        `${((100 * rate.median) / first).toFixed(0)}%`,
        usAsMs(of(({ load }) => load.latencyUs.p50)),
        usAsMs(of(({ load }) => load.latencyUs.p99)),
        of(({ commits }) => commits?.batchMean ?? 0).toFixed(1),
        of(({ commits }) => commits?.flushMs.p50 ?? 0).toFixed(2),
        count(of(({ walBytesPerWrite }) => walBytesPerWrite ?? 0)),
        mebibytes(median(group.map(({ databaseBytes }) => databaseBytes))),
      ]
    }),
    notes: [],
  }
}

function plotOf(dimension: Dimension, samples: readonly Sample[]): Plot {
  const points = [...Map.groupBy(samples, ({ value }) => value)].map(
    ([value, group]) => [Math.max(1, value), median(group.map(({ phase }) => phase.perSecond))] as const,
  )
  return {
    title: `Payments by ${dimension}`,
    x: { label: dimension, scale: 'log' },
    y: { label: 'payments/s', scale: 'linear' },
    series: [{ name: 'payments/s', points }],
  }
}

async function run(options: Options, context: CommandContext): Promise<Report> {
  const samples: Sample[] = []
  const at = new Date().toISOString()
  const problems = await untilStopped(context.signal, async () => {
    for (const dimension of options.dimensions) {
      for (const value of options.values[dimension]) {
        const size = { ...standard, [dimension]: value }
        await measureSize(dimension, size, options, context, (sample) => samples.push(sample))
      }
    }
  })
  const voided = samples.flatMap(({ dimension, value, phase }) =>
    phase.violation === null ? [] : [`VOID, ${dimension} ${count(value)}, run ${phase.run}: ${phase.violation}`],
  )
  const sound = samples.filter(({ phase }) => phase.violation === null)
  const of = (dimension: Dimension): Sample[] => sound.filter((sample) => sample.dimension === dimension)
  return {
    name: 'growth',
    title: 'Penstock: what growth costs',
    command: typedCommand('bench:growth'),
    at,
    conditions: [
      ...machineLines(),
      boxLine(httpProcesses),
      `own generator, closed loop, 1 process; ${options.runs} × ${options.durationMs / 1_000} s; unless it grows: no payments before, 1 SKU, 64 connections`,
      `audited: databases with at most ${count(options.auditRowsMax)} payments filled in; rows are counted in all`,
    ],
    tables: options.dimensions.filter((name) => of(name).length > 0).map((name) => tableOf(name, of(name))),
    plots: options.dimensions.map((name) => plotOf(name, of(name))),
    problems: [...voided, ...problems],
    data: { options, samples },
  }
}

await runCommand({ usage, read, run })
