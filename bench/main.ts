import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runCampaign } from './campaign.ts'
import { batchPlot, latencyPlot, phaseTables } from './campaign-report.ts'
import { runCommand, typedCommand, untilStopped } from './command.ts'
import { boxLine, machineLines } from './conditions.ts'
import { Autocannon } from './generators/autocannon.ts'
import { Own } from './generators/own/own.ts'
import { findK6, K6 } from './generators/k6.ts'
import { findWrk, Wrk } from './generators/wrk.ts'
import { Lab } from './lab.ts'
import { requireConnections } from './open-files.ts'
import { benchUsage, readBenchOptions } from './options.ts'
import { renderPhase } from './phase-line.ts'
import type { CommandContext } from './command.ts'
import type { GeneratorName } from './generators/choice.ts'
import type { Generator } from './generators/generator.ts'
import type { BenchOptions } from './options.ts'
import type { Phase } from './phase.ts'
import type { Report } from './report/report.ts'

const [wrkVersion, k6Version] = [findWrk(), findK6()]

function makeGenerators(options: BenchOptions): Generator[] {
  if (options.perSecond !== null) return [new Own(options.ownProcesses, options.perSecond)]
  return options.generators.map((name) => {
    switch (name) {
      case 'wrk':
        return new Wrk(wrkVersion ?? '', options.wrkThreads)
      case 'k6':
        return new K6(k6Version ?? '')
      case 'autocannon':
        return new Autocannon(readAutocannonVersion(), options.autocannonProcesses)
      case 'own':
        return new Own(options.ownProcesses, null)
    }
  })
}

function installed(): ReadonlySet<GeneratorName> {
  const names: GeneratorName[] = ['autocannon', 'own']
  if (wrkVersion !== null) names.push('wrk')
  if (k6Version !== null) names.push('k6')
  return new Set(names)
}

function readAutocannonVersion(): string {
  const file = fileURLToPath(import.meta.resolve('autocannon/package.json'))
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}

async function run(options: BenchOptions, { signal, progress }: CommandContext): Promise<Report> {
  const generators = makeGenerators(options)
  const phases: Phase[] = []
  const missing = new Map<string, string>()
  const audited = new Set<number>()
  const withEmpty = options.scenarios.some(({ server }) => server === 'empty')
  const conditions = [
    ...machineLines(),
    boxLine(options.httpProcesses),
    `${generators.map(({ description }) => description).join('; ')}; ${options.connections} connections, ${options.runs} × ${options.durationMs / 1_000} s, a new box for every round`,
  ]
  const at = new Date().toISOString()
  for (const line of conditions) progress.note(line)
  const problems = await untilStopped(signal, () =>
    runCampaign({
      openLab: () => Lab.open({ httpProcesses: options.httpProcesses, withEmpty }),
      options,
      generators,
      checker: new Own(options.ownProcesses, null),
      signal,
      onStatus: (status) => progress.show(status),
      onPhase: (phase) => {
        phases.push(phase)
        progress.note(renderPhase(phase))
      },
      onMissing: (scenario, reason) => missing.set(scenario, reason),
      onAudited: (round, violation) => {
        audited.add(round)
        if (violation === null) return
        for (const [place, phase] of phases.entries()) {
          if (phase.run === round) phases[place] = { ...phase, violation: phase.violation ?? violation }
        }
      },
    }),
  )
  const voided = phases.flatMap(({ scenario, generator, run: round, violation }) =>
    violation === null
      ? []
      : [`VOID, ${scenario} by ${generator}, ${round === 0 ? 'warm-up' : `run ${round}`}: ${violation}`],
  )
  const unaudited = phases.flatMap(({ scenario, generator, run: round }) =>
    round === 0 || audited.has(round) ? [] : [`NOT AUDITED, ${scenario} by ${generator}, run ${round}`],
  )
  return {
    name: 'bench',
    title: 'Penstock bench',
    command: typedCommand('bench'),
    at,
    conditions: [...conditions, ...[...missing].map(([name, reason]) => `not measured: ${name}, because ${reason}`)],
    tables: phaseTables(phases),
    plots: [latencyPlot(phases), batchPlot(phases)],
    problems: [...voided, ...unaudited, ...problems],
    data: { options: { ...options, scenarios: options.scenarios.map(({ name }) => name) }, phases },
  }
}

function read(argv: readonly string[]): BenchOptions | null {
  const options = readBenchOptions(argv, installed())
  if (options !== null) requireConnections('connections', options.connections)
  return options
}

await runCommand({ usage: benchUsage, read, run })
