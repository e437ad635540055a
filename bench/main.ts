import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { readSqliteVersion } from '@penstock/testing/reader.ts'
import { UsageError } from '@penstock/testing/command-line.ts'
import { ProgressLine } from '@penstock/testing/progress-line.ts'
import { runCampaign } from './campaign.ts'
import { Autocannon } from './generators/autocannon.ts'
import { findWrk, Wrk } from './generators/wrk.ts'
import { Lab } from './lab.ts'
import { describeMachine } from './machine.ts'
import { benchUsage, readBenchOptions } from './options.ts'
import { renderConditions, renderPhase, renderSummaries } from './report.ts'
import { summarise } from './summary.ts'
import type { Generator } from './generators/generator.ts'
import type { BenchOptions } from './options.ts'
import type { Phase } from './phase.ts'
import type { Conditions } from './report.ts'

const interruptedCode = 130

function makeGenerators(options: BenchOptions, wrkVersion: string | null): Generator[] {
  return options.generators.map((name) =>
    name === 'wrk'
      ? new Wrk(wrkVersion ?? '', options.wrkThreads)
      : new Autocannon(readAutocannonVersion(), options.autocannonProcesses),
  )
}

function readAutocannonVersion(): string {
  const file = fileURLToPath(import.meta.resolve('autocannon/package.json'))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

function save(conditions: Conditions, phases: readonly Phase[]): string {
  const folder = new URL('results/', import.meta.url)
  mkdirSync(folder, { recursive: true })
  const at = new Date()
  const file = fileURLToPath(new URL(`${at.toISOString().replaceAll(/[:.]/g, '-')}.json`, folder))
  const content = { at: at.toISOString(), conditions, summaries: summarise(phases), phases }
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`)
  return file
}

/**
 * Measures until all is done or `signal` says stop; what was measured by then is in `phases`. Resolves with what went
 * wrong, or null, so that the figures are shown whatever happened.
 */
async function measure(
  openLab: () => Promise<Lab>,
  options: BenchOptions,
  generators: readonly Generator[],
  progress: ProgressLine,
  signal: AbortSignal,
  phases: Phase[],
): Promise<Error | null> {
  try {
    await runCampaign({
      openLab,
      options,
      generators,
      signal,
      onStatus: (status) => progress.show(status),
      onPhase: (phase) => {
        phases.push(phase)
        progress.note(renderPhase(phase))
      },
    })
  } catch (error) {
    if (!signal.aborted) return error instanceof Error ? error : new Error(String(error))
  }
  return null
}

async function run(options: BenchOptions, wrkVersion: string | null): Promise<number> {
  const interrupt = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => interrupt.abort())
  const machine = describeMachine()
  const generators = makeGenerators(options, wrkVersion)
  const progress = new ProgressLine()
  const phases: Phase[] = []
  const withEmpty = options.scenarios.some(({ server }) => server === 'empty')
  const openLab = (): Promise<Lab> => Lab.open(options.httpProcesses, withEmpty)
  const { connections, durationMs, runs, httpProcesses } = options
  const conditions: Conditions = {
    machine,
    sqlite: readSqliteVersion(),
    synchronous: 'FULL',
    generators: generators.map(({ description }) => description),
    connections,
    durationMs,
    runs,
    httpProcesses,
  }
  progress.note(renderConditions(conditions))
  if (wrkVersion === null) progress.note('wrk is not installed: autocannon saturates a core long before the box does')
  const failure = await measure(openLab, options, generators, progress, interrupt.signal, phases)
  progress.stop()
  if (phases.length > 0) {
    console.log(`\n${renderSummaries(summarise(phases))}\n${renderConditions(conditions)}`)
    console.log(`kept in ${save(conditions, phases)}`)
  }
  if (failure !== null) throw failure
  return verdict(phases, interrupt.signal.aborted)
}

function verdict(phases: readonly Phase[], isInterrupted: boolean): number {
  const voided = phases.filter(({ violation }) => violation !== null)
  for (const phase of voided) console.error(renderPhase(phase))
  if (voided.length > 0) return 1
  if (isInterrupted) console.error('interrupted: the table shows what was measured by then')
  return isInterrupted ? interruptedCode : 0
}

try {
  const wrkVersion = findWrk()
  const options = readBenchOptions(process.argv.slice(2), wrkVersion !== null)
  if (options === null) console.log(benchUsage)
  else process.exitCode = await run(options, wrkVersion)
} catch (error) {
  if (error instanceof UsageError) console.error(`${error.message}\n\n${benchUsage}`)
  else console.error('the bench failed:', error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
