import { CpuWatch } from './cpu.ts'
import { expectedRows, findViolation } from './check-rows.ts'
import { commitsBetween } from './commit-counts.ts'
import { WalWatch } from './wal.ts'
import type { CommitFacts, CommitCounts } from './commit-counts.ts'
import type { CpuShare } from './cpu.ts'
import type { Generator, LoadResult } from './generators/generator.ts'
import type { RequestPlan } from './generators/plan.ts'
import type { Lab } from './lab.ts'
import type { DatabaseState } from './row-counts.ts'

/** One load, by one generator, once. */
export interface Phase {
  readonly scenario: string
  readonly generator: string
  /** From 1; 0 is the warm-up. */
  readonly run: number
  readonly perSecond: number
  readonly load: LoadResult
  /** Rows added, by name; only what accepted answers should add. */
  readonly rows: Readonly<Record<string, number>>
  /** Why the figures are void; null when every accepted answer has its rows, and the audit passed. */
  readonly violation: string | null
  readonly cpu: CpuShare | null
  /** Null when nothing was committed. */
  readonly commits: CommitFacts | null
  /** Bytes appended to the WAL per accepted write; null when nothing was written. */
  readonly walBytesPerWrite: number | null
  readonly bytes: { readonly before: FileBytes; readonly after: FileBytes }
}

interface FileBytes {
  readonly database: number
  readonly wal: number
}

export interface Measurement {
  readonly lab: Lab
  readonly scenario: string
  readonly server: 'box' | 'empty'
  readonly run: number
  readonly plan: RequestPlan
  readonly generator: Generator
  /** The step whose answers are the figure; absent: all. */
  readonly counts?: string | undefined
  readonly connections: number
  readonly durationMs: number
  readonly signal: AbortSignal
  /** Other load beside it. */
  readonly alongside?: ((lab: Lab, signal: AbortSignal) => Promise<void>) | undefined
  /** The measured time begins. */
  readonly onMeasuring: () => void
}

export async function measurePhase(measurement: Measurement): Promise<Phase> {
  const { lab, plan, generator, connections, durationMs, signal } = measurement
  const { box, empty } = lab
  const url = measurement.server === 'box' ? box.url : empty?.url
  if (url === undefined) throw new Error(`${measurement.scenario} needs the empty servers`)
  const before = await look(lab)
  let watch: CpuWatch | null = null
  const wal = new WalWatch(box.databasePath)
  let walBytes: number | null = null
  const beside = new AbortController()
  const alongside = measurement.alongside?.(lab, beside.signal)
  // Awaited when the load is over; until then nobody else looks at its rejection.
  alongside?.catch(() => {})
  try {
    const load = await generator.run(
      { url, plan, connections, durationMs },
      {
        signal,
        onStarted: (pids) => {
          const http = measurement.server === 'box' ? box.pids.http.flatMap((pid) => pid ?? []) : (empty?.pids ?? [])
          watch = new CpuWatch({ generator: pids, http, writer: box.pids.writer === null ? [] : [box.pids.writer] })
          measurement.onMeasuring()
        },
      },
    )
    const cpu = stopped(watch)
    watch = null
    walBytes = wal.stop()
    beside.abort()
    await alongside
    return describePhase(measurement, { load, cpu, walBytes, before, after: await look(lab) })
  } finally {
    beside.abort()
    stopped(watch)
    if (walBytes === null) wal.stop()
  }
}

function stopped(watch: CpuWatch | null): CpuShare | null {
  return watch?.stop() ?? null
}

interface Look {
  readonly database: DatabaseState
  readonly counts: CommitCounts
}

async function look(lab: Lab): Promise<Look> {
  return { database: lab.readDatabase(), counts: await lab.commitCounts() }
}

interface Observed {
  readonly load: LoadResult
  readonly cpu: CpuShare | null
  readonly walBytes: number
  readonly before: Look
  readonly after: Look
}

function describePhase({ scenario, generator, run, plan, counts }: Measurement, observed: Observed): Phase {
  const { load, cpu, walBytes, before, after } = observed
  const { steps } = plan
  const names = Object.keys(expectedRows(steps, load.answers)) as (keyof DatabaseState['rows'])[]
  const rows = Object.fromEntries(names.map((name) => [name, after.database.rows[name] - before.database.rows[name]]))
  const counted = counts === undefined ? load.ok : (load.answers[counts] ?? 0)
  const commits = commitsBetween(before.counts, after.counts)
  const writes = steps.reduce(
    (sum, { name, rows: added }) => sum + (Object.keys(added).length > 0 ? (load.answers[name] ?? 0) : 0),
    0,
  )
  return {
    scenario,
    generator: generator.name,
    run,
    perSecond: load.schedule?.actualPerSecond ?? counted / (load.elapsedMs / 1_000),
    load,
    rows,
    violation: findViolation(steps, load, before.database.rows, after.database.rows),
    cpu,
    commits: writes > 0 ? commits : null,
    walBytesPerWrite: writes > 0 ? walBytes / writes : null,
    bytes: { before: fileBytes(before.database), after: fileBytes(after.database) },
  }
}

function fileBytes({ databaseBytes, walBytes }: DatabaseState): FileBytes {
  return { database: databaseBytes, wal: walBytes }
}
