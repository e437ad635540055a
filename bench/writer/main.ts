import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { readingOptions, wholeOption } from '@penstock/testing/command-line.ts'
import { auditData } from '../audit.ts'
import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { machineLines } from '../conditions.ts'
import { InProcessSale } from '../in-process-sale.ts'
import { count } from '../report/format.ts'
import { readDatabase } from '../row-counts.ts'
import { median, spread } from '../summary.ts'
import { WalWatch } from '../wal.ts'
import type { CommandContext } from '../command.ts'
import type { Plot, Report } from '../report/report.ts'

const bounds = { payments: { min: 100, max: 5_000_000 }, runs: { min: 1, max: 100 } } as const
const sizeBounds = { min: 1, max: 1_024 }
const holdsPerBatch = 512

const usage = `usage: npm run bench:writer -- [options]

The writer alone, in one process: engine, store and disk, no sockets. Payments for existing holds, each with its own
Idempotency-Key, in batches of a fixed size, each on a new database that is counted and audited afterwards.

  --sizes <list>       payments a batch (1,2,4,8,16,32,64,128,256,512)
  --payments <count>   of each size, at most 2,000 batches (100000)
  --runs <count>       rounds over all sizes; medians are shown (3)
  --help               shows this

Exit codes: 0 measured, 1 void or failed, 2 wrong options, 130 interrupted.`

interface Options {
  readonly sizes: readonly number[]
  readonly payments: number
  readonly runs: number
}

function read(argv: readonly string[]): Options | null {
  const { values } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      options: {
        sizes: { type: 'string', default: '1,2,4,8,16,32,64,128,256,512' },
        payments: { type: 'string', default: '100000' },
        runs: { type: 'string', default: '3' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  return {
    sizes: values.sizes.split(',').map((text) => wholeOption('sizes', text, sizeBounds)),
    payments: wholeOption('payments', values.payments, bounds.payments),
    runs: wholeOption('runs', values.runs, bounds.runs),
  }
}

/** One size, once. */
interface Sample {
  readonly size: number
  readonly perSecond: number
  readonly cpuUsPerPayment: number
  readonly batchMs: { readonly p50: number; readonly p99: number; readonly max: number }
  readonly flushMsP50: number
  readonly walBytesPerPayment: number
  readonly violation: string | null
}

const batchesMax = 2_000

async function measure(size: number, paymentsMax: number, signal: AbortSignal): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-writer-'))
  try {
    const [path, payments] = [join(folder, 'penstock.db'), Math.min(paymentsMax, size * batchesMax)]
    const measured = await pay(path, size, payments, signal)
    const { payments: rows } = readDatabase(path).rows
    const lost = rows === payments ? null : `${payments} were paid, there are ${rows} payments`
    return { size, ...measured, violation: lost ?? (await auditData(folder, signal)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function pay(
  path: string,
  size: number,
  payments: number,
  signal: AbortSignal,
): Promise<Omit<Sample, 'size' | 'violation'>> {
  const sale = new InProcessSale(new SqliteStore(path, { stopwatch: () => performance.now() }))
  // Threads and timers would keep an interrupted bench alive.
  let wal: WalWatch | null = null
  try {
    const holds = await prepare(sale, payments, signal)
    const commands = holds.map((hold) => sale.payment(hold))
    wal = new WalWatch(path)
    const [batches, flushes]: [number[], number[]] = [[], []]
    const [cpu, startedMs] = [process.cpuUsage(), performance.now()]
    for (let first = 0; first < commands.length; first += size) {
      const batchMs = performance.now()
      sale.transact(commands.slice(first, first + size))
      sale.store.maintain(false)
      batches.push(performance.now() - batchMs)
      flushes.push(sale.store.lastFlushMs)
      // As the writer does: the checkpoint thread reports through the event loop.
      await turn()
      signal.throwIfAborted()
    }
    const [seconds, used] = [(performance.now() - startedMs) / 1_000, process.cpuUsage(cpu)]
    const walBytes = wal.stop()
    wal = null
    return {
      perSecond: payments / seconds,
      cpuUsPerPayment: (used.user + used.system) / payments,
      batchMs: { p50: quantile(batches, 0.5), p99: quantile(batches, 0.99), max: quantile(batches, 1) },
      flushMsP50: quantile(flushes, 0.5),
      walBytesPerPayment: walBytes / payments,
    }
  } finally {
    wal?.stop()
    sale.store.close()
  }
}

async function prepare(sale: InProcessSale<SqliteStore>, count_: number, signal: AbortSignal): Promise<string[]> {
  const holds: string[] = []
  while (holds.length < count_) {
    const batch = Array.from({ length: Math.min(holdsPerBatch, count_ - holds.length) }, () => sale.hold())
    sale.transact(batch)
    sale.store.maintain(false)
    for (const { holdId } of batch) holds.push(holdId)
    await turn()
    signal.throwIfAborted()
  }
  return holds
}

/** The value that `fraction` of all do not exceed. */
function quantile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? 0
}

async function run(options: Options, { signal, progress }: CommandContext): Promise<Report> {
  const { sizes, payments, runs } = options
  const samples: Sample[] = []
  const atTime = new Date().toISOString()
  const problems = await untilStopped(signal, async () => {
    for (let round = 0; round <= runs; round++) {
      for (const size of round === 0 ? sizes.slice(-1) : sizes) {
        const name = round === 0 ? 'warm-up' : `run ${round} of ${runs}`
        progress.show(() => `${name}: batches of ${size}`)
        const sample = await measure(size, payments, signal)
        progress.note(`${name}: batches of ${size}: ${count(sample.perSecond)}/s`)
        if (round > 0) samples.push(sample)
      }
    }
  })
  return describe(options, samples, atTime, problems)
}

function describe({ payments, runs }: Options, samples: readonly Sample[], at: string, problems: string[]): Report {
  const voided = samples.flatMap(({ size, violation }) =>
    violation === null ? [] : [`VOID, batches of ${size}: ${violation}`],
  )
  const bySize = [
    ...Map.groupBy(
      samples.filter(({ violation }) => violation === null),
      ({ size }) => size,
    ),
  ]
  const columns = [
    'payments a batch',
    'payments/s',
    'min – max',
    'CPU us/payment',
    'batch p50 ms',
    'p99 ms',
    'max ms',
    'COMMIT p50 ms',
    'WAL bytes/payment',
  ]
  return {
    name: 'writer',
    title: 'Penstock: the writer alone',
    command: typedCommand('bench:writer'),
    at,
    conditions: [
      ...machineLines(),
      `engine and store in one process, synchronous FULL; up to ${count(payments)} payments a size on a new database, ${runs} rounds`,
    ],
    tables: [
      {
        title: 'Payments by batch size',
        columns: columns.map((title) => ({ title, align: 'right' })),
        rows: bySize.map(([size, group]) => {
          const of = (value: (sample: Sample) => number): number => median(group.map((sample) => value(sample)))
          const rate = spread(group.map(({ perSecond }) => perSecond))
          return [
            count(size),
            count(rate.median),
            `${count(rate.min)} – ${count(rate.max)}`,
            of(({ cpuUsPerPayment }) => cpuUsPerPayment).toFixed(1),
            of(({ batchMs }) => batchMs.p50).toFixed(2),
            of(({ batchMs }) => batchMs.p99).toFixed(2),
            of(({ batchMs }) => batchMs.max).toFixed(1),
            of(({ flushMsP50 }) => flushMsP50).toFixed(2),
            count(of(({ walBytesPerPayment }) => walBytesPerPayment)),
          ]
        }),
        notes: [
          'CPU: of the whole process, its checkpoint thread included. Payments were counted and the data was audited after every size of every round.',
        ],
      },
    ],
    plots: [plotOf(bySize)],
    problems: [...voided, ...problems],
    data: { samples },
  }
}

function plotOf(bySize: readonly (readonly [number, readonly Sample[]])[]): Plot {
  return {
    title: 'Payments by batch size',
    x: { label: 'payments a batch', scale: 'log' },
    y: { label: 'payments/s', scale: 'linear' },
    series: [
      {
        name: 'payments/s',
        points: bySize.map(([size, group]) => [size, median(group.map(({ perSecond }) => perSecond))]),
      },
    ],
  }
}

await runCommand({ usage, read, run })
