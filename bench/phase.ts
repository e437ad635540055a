import { CpuWatch } from './cpu.ts'
import { waitForQuiet } from './quiet.ts'
import type { CpuShare } from './cpu.ts'
import type { Generator, LoadResult } from './generators/generator.ts'
import type { Lab } from './lab.ts'
import type { DatabaseState, RowCounts } from './row-counts.ts'
import type { Preparation, Scenario } from './scenarios/scenario.ts'

/** One scenario, by one generator, once. */
export interface Phase {
  readonly scenario: string
  readonly generator: string
  /** From 1; 0 is the warm-up. */
  readonly run: number
  readonly perSecond: number
  readonly load: LoadResult
  /** Rows added, by name; only what a 2xx answer should add. */
  readonly rows: Readonly<Record<string, number>>
  /** Why the figures are void; null when every 2xx answer has its rows. */
  readonly violation: string | null
  readonly cpu: CpuShare | null
  readonly commits: number
  /** Accepted writes per commit; null when nothing was committed. */
  readonly batch: number | null
  readonly bytes: { readonly before: FileBytes; readonly after: FileBytes }
}

interface FileBytes {
  readonly database: number
  readonly wal: number
}

export interface PhaseDeps {
  readonly lab: Lab
  readonly connections: number
  readonly durationMs: number
  readonly quietMs: number
  readonly preparation: Preparation
  /** The measured time begins. */
  readonly onMeasuring: () => void
}

export async function measurePhase(
  scenario: Scenario,
  generator: Generator,
  run: number,
  { lab, connections, durationMs, quietMs, preparation, onMeasuring }: PhaseDeps,
): Promise<Phase> {
  const { box, empty } = lab
  const url = scenario.server === 'box' ? box.url : empty?.url
  if (url === undefined) throw new Error(`${scenario.name} needs the empty servers`)
  const plan = await scenario.prepare(lab, preparation)
  await waitForQuiet(quietMs, preparation.signal)
  const before = lab.readDatabase()
  let watch: CpuWatch | null = null
  const beside = new AbortController()
  const alongside = scenario.alongside?.(lab, beside.signal)
  // Awaited when the load is over; until then nobody else looks at its rejection.
  alongside?.catch(() => {})
  try {
    const load = await generator.run(
      { url, plan, connections, durationMs },
      {
        signal: preparation.signal,
        onStarted: (pids) => {
          const http = scenario.server === 'box' ? box.pids.http.flatMap((pid) => pid ?? []) : (empty?.pids ?? [])
          watch = new CpuWatch({ generator: pids, http, writer: box.pids.writer === null ? [] : [box.pids.writer] })
          onMeasuring()
        },
      },
    )
    const cpu = stopped(watch)
    watch = null
    beside.abort()
    await alongside
    return describePhase(scenario, generator, run, { load, cpu, before, after: lab.readDatabase() })
  } finally {
    beside.abort()
    stopped(watch)
  }
}

function stopped(watch: CpuWatch | null): CpuShare | null {
  return watch?.stop() ?? null
}

interface Observed {
  readonly load: LoadResult
  readonly cpu: CpuShare | null
  readonly before: DatabaseState
  readonly after: DatabaseState
}

function describePhase(scenario: Scenario, generator: Generator, run: number, observed: Observed): Phase {
  const { load, cpu, before, after } = observed
  const commits = after.commits - before.commits
  const isWrite = Object.keys(scenario.rowsPerAnswer).length > 0
  return {
    scenario: scenario.name,
    generator: generator.name,
    run,
    perSecond: load.ok / (load.elapsedMs / 1_000),
    load,
    rows: addedRows(scenario, before.rows, after.rows),
    violation: findViolation(scenario, load, before.rows, after.rows),
    cpu,
    commits,
    batch: isWrite && commits > 0 ? load.ok / commits : null,
    bytes: { before: fileBytes(before), after: fileBytes(after) },
  }
}

function fileBytes({ databaseBytes, walBytes }: DatabaseState): FileBytes {
  return { database: databaseBytes, wal: walBytes }
}

function addedRows({ rowsPerAnswer }: Scenario, before: RowCounts, after: RowCounts): Record<string, number> {
  const names = Object.keys(rowsPerAnswer) as (keyof RowCounts)[]
  return Object.fromEntries(names.map((name) => [name, after[name] - before[name]]))
}

/** A figure counts only when every request was answered 2xx and left exactly its rows, and nothing else did. */
function findViolation(
  { rowsPerAnswer }: Scenario,
  load: LoadResult,
  before: RowCounts,
  after: RowCounts,
): string | null {
  if (load.errors > 0) return `${load.errors} requests without an answer`
  if (load.refused > 0) return `${load.refused} answers that are not 2xx`
  if (load.ok === 0) return 'no request was answered'
  for (const name of Object.keys(after) as (keyof RowCounts)[]) {
    const [added, expected] = [after[name] - before[name], load.ok * (rowsPerAnswer[name] ?? 0)]
    if (added !== expected) return `${load.ok} answers 2xx should make ${expected} ${name}, there are ${added}`
  }
  return null
}
