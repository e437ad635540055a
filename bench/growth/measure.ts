import { copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Own } from '../generators/own/own.ts'
import { singleStep } from '../generators/plan.ts'
import { Wrk } from '../generators/wrk.ts'
import { Lab } from '../lab.ts'
import { measurePhase } from '../phase.ts'
import { prepareHolds } from '../prepare-holds.ts'
import { payHolds } from '../steps.ts'
import { paceOf, warmUp } from '../warm-up.ts'
import { flushFile } from './fill.ts'
import { fillInProcess } from './fill-process.ts'
import { standard } from './options.ts'
import type { Generator } from '../generators/generator.ts'
import type { RequestPlan } from '../generators/plan.ts'
import type { Phase } from '../phase.ts'
import type { Sale } from '../sale.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import type { Dimension, GrowthOptions } from './options.ts'

export const httpProcesses = 2
const warmUpMs = 1_000
/** Before anything was measured. */
const guessPerSecond = 15_000
const reserve = 1.8
/** A larger filled database is measured where it is, round after round; a smaller one is copied, so all rounds are alike. */
const copiedBytesMax = 2 * 2 ** 30
/** Above this, parking would need more waiting reads than two HTTP processes have places for. */
const parkedConnectionsMax = 4_000

/** One load while `dimension` is `value`, once. */
export interface Sample {
  readonly dimension: Dimension
  readonly value: number
  readonly load: string
  readonly phase: Phase
  /** Before the measurement. */
  readonly databaseBytes: number
}

export interface GrowthDeps {
  readonly options: GrowthOptions
  readonly wrkVersion: string | null
  readonly signal: AbortSignal
  readonly onStatus: (status: () => string) => void
  readonly onSample: (sample: Sample) => void
}

/** All sizes of one dimension, round after round. Filled databases live as long as this runs. */
export async function measureDimension(dimension: Dimension, deps: GrowthDeps): Promise<void> {
  const { options, signal, onStatus } = deps
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-growth-'))
  try {
    const filled = new Map<number, string>()
    for (const value of dimension === 'rows' ? options.values.rows.filter((rows) => rows > 0) : []) {
      const path = join(folder, `filled-${value}`)
      mkdirSync(path)
      const startedMs = performance.now()
      let last = 'starting'
      onStatus(() => {
        const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0)
        return `filling in ${value.toLocaleString('en-US')} payments, ${seconds} s: ${last}`
      })
      await fillInProcess(join(path, 'penstock.db'), value, (status) => (last = status), signal)
      filled.set(value, path)
    }
    for (let round = 1; round <= options.runs; round++) {
      for (const value of options.values[dimension]) await measureSize(dimension, value, round, filled, folder, deps)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measureSize(
  dimension: Dimension,
  value: number,
  round: number,
  filled: ReadonlyMap<number, string>,
  folder: string,
  deps: GrowthDeps,
): Promise<void> {
  const { options, signal, onStatus, onSample } = deps
  const name = `${dimension} ${value.toLocaleString('en-US')}, run ${round} of ${options.runs}`
  const size = { ...standard, [dimension]: value }
  const source = filled.get(value)
  const copy = join(folder, 'copy')
  onStatus(() => `${name}: starting a box`)
  try {
    const dataFolder = source === undefined ? undefined : placeDatabase(source, copy)
    const lab = await Lab.open({ httpProcesses, ...(dataFolder === undefined ? {} : { dataFolder }) })
    const samples: Sample[] = []
    try {
      const sales = size.skus === 1 ? [lab.sale] : await lab.openWideSale(size.skus)
      for (const load of loadsOf(dimension, options)) {
        const databaseBytes = statSync(lab.box.databasePath).size
        const measure = (run: number, perSecond: number, durationMs: number): Promise<Phase> =>
          measureLoad(deps, {
            lab,
            sales,
            load,
            dimension,
            name,
            run,
            perSecond,
            durationMs,
            connections: size.connections,
          })
        const warm = await warmUp(Math.min(warmUpMs, options.durationMs), guessPerSecond, async (perSecond, ms) =>
          paceOf(await measure(0, perSecond, ms)),
        )
        const phase = await measure(round, warm.perSecond * reserve, options.durationMs)
        const violation = warm.violation ?? phase.violation
        samples.push({ dimension, value, load: load.name, phase: { ...phase, violation }, databaseBytes })
      }
      const isAudited = size.rows <= options.auditRowsMax
      if (isAudited) onStatus(() => `${name}: auditing the data`)
      const violation = isAudited ? await lab.audit(signal) : null
      for (const sample of samples) {
        onSample({ ...sample, phase: { ...sample.phase, violation: sample.phase.violation ?? violation } })
      }
    } finally {
      onStatus(() => `${name}: stopping the box`)
      await lab.close()
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

/** The folder to measure in: that of `source` itself, or `copy` with a copy of its database. */
function placeDatabase(source: string, copy: string): string {
  const path = join(source, 'penstock.db')
  if (statSync(path).size > copiedBytesMax) return source
  mkdirSync(copy)
  const target = join(copy, 'penstock.db')
  copyFileSync(path, target)
  flushFile(target)
  return copy
}

/** Holds of many SKUs are prepared and paid; the other loads have requests for one SKU. */
export function loadsOf(dimension: Dimension, { loads }: Pick<GrowthOptions, 'loads'>): readonly Scenario[] {
  return dimension === 'skus' ? loads.filter(({ name }) => name === 'payments' || name === 'reads') : loads
}

interface LoadSize {
  readonly lab: Lab
  readonly sales: readonly Sale[]
  readonly load: Scenario
  readonly dimension: Dimension
  readonly name: string
  /** 0: a warm-up. */
  readonly run: number
  readonly perSecond: number
  readonly durationMs: number
  readonly connections: number
}

async function measureLoad(
  { options, wrkVersion, signal, onStatus }: GrowthDeps,
  { lab, sales, load, dimension, name, run, perSecond, durationMs, connections }: LoadSize,
): Promise<Phase> {
  signal.throwIfAborted()
  const status = (text: string): void => onStatus(() => `${name}: ${load.name}: ${run === 0 ? 'warm-up: ' : ''}${text}`)
  return measurePhase({
    lab,
    scenario: load.name,
    server: load.server,
    run,
    plan: await planLoad(lab, sales, load, Math.ceil((perSecond * durationMs) / 1_000), connections, status, signal),
    generator: makeGenerator(options, wrkVersion, dimension),
    counts: load.counts,
    connections,
    durationMs,
    signal,
    onMeasuring: () => {
      const startedMs = performance.now()
      onStatus(
        () =>
          `${name}: ${load.name}: ${((performance.now() - startedMs) / 1_000).toFixed(1)} of ${durationMs / 1_000} s`,
      )
    },
  })
}

async function planLoad(
  lab: Lab,
  sales: readonly Sale[],
  load: Scenario,
  requestsMax: number,
  connections: number,
  status: (text: string) => void,
  signal: AbortSignal,
): Promise<RequestPlan> {
  const onProgress = (done: number): void => status(`preparing holds, ${done.toLocaleString('en-US')}`)
  if (load.name !== 'payments' || sales.length === 1) {
    return load.prepare(lab, { requestsMax, connections, onProgress, signal })
  }
  const ids = await prepareHolds(sales, requestsMax, onProgress, signal)
  return singleStep(payHolds(lab.sale, ids), lab.sale.facts.parking)
}

/** One way of measuring for all sizes of a dimension, or their ratio would say nothing. */
export function makeGenerator(options: GrowthOptions, wrkVersion: string | null, dimension: Dimension): Generator {
  if (options.generator === 'own') return new Own(1, null)
  const most = Math.max(standard.connections, ...(dimension === 'connections' ? options.values.connections : []))
  return new Wrk(wrkVersion ?? '', 1, { looksAtAnswers: most > parkedConnectionsMax })
}
