import { batchPlot, phaseTables } from '../campaign-report.ts'
import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { boxLine, machineLines } from '../conditions.ts'
import { Own } from '../generators/own/own.ts'
import { findWrk, Wrk } from '../generators/wrk.ts'
import { Lab } from '../lab.ts'
import { requireConnections } from '../open-files.ts'
import { measurePhase } from '../phase.ts'
import { flow } from '../scenarios/flow.ts'
import { growsByDesign, indexGrowthMiB, judge, soakRule } from './memory.ts'
import { readSoakOptions, soakUsage } from './options.ts'
import { MemoryWatch } from './watch.ts'
import type { CommandContext } from '../command.ts'
import type { Phase } from '../phase.ts'
import type { Plot, Report, Table } from '../report/report.ts'
import type { Trace, TraceKind, Verdict } from './memory.ts'
import type { SoakOptions } from './options.ts'

const wrkVersion = findWrk()
const httpProcesses = 2

function read(argv: readonly string[]): SoakOptions | null {
  const options = readSoakOptions(argv, wrkVersion !== null)
  if (options !== null) requireConnections('connections', options.connections)
  return options
}

async function run(options: SoakOptions, { signal, progress }: CommandContext): Promise<Report> {
  const { seconds, connections } = options
  const generator = options.generator === 'wrk' ? new Wrk(wrkVersion ?? '', 1) : new Own(1, null)
  const watch = new MemoryWatch()
  let phases: Phase[] = []
  let isAudited = false
  const at = new Date().toISOString()
  const conditions = [
    ...machineLines(),
    boxLine(httpProcesses),
    `${generator.description}, closed loop, ${connections} connections, ${seconds} s of whole buyers`,
  ]
  for (const line of conditions) progress.note(line)
  const problems = await untilStopped(signal, async () => {
    progress.show(() => 'starting a box')
    const lab = await Lab.open({ httpProcesses, environment: watch.environment })
    try {
      const phase = await measurePhase({
        lab,
        scenario: flow.name,
        server: 'box',
        run: 1,
        plan: await flow.prepare(lab, { requestsMax: 0, connections, onProgress: () => undefined, signal }),
        generator,
        counts: flow.counts,
        connections,
        durationMs: seconds * 1_000,
        signal,
        onMeasuring: () => {
          watch.start(lab.box)
          const startedMs = performance.now()
          progress.show(() => {
            const resident = watch.latest().map(([name, mib]) => `${name} ${mib.toFixed(0)}`)
            return `${((performance.now() - startedMs) / 1_000).toFixed(0)} of ${seconds} s; MiB: ${resident.join(', ')}`
          })
        },
      })
      watch.stop()
      phases = [phase]
      if (!options.isAudited) return
      progress.show(() => 'auditing the data')
      phases = [{ ...phase, violation: phase.violation ?? (await lab.audit(signal)) }]
      isAudited = true
    } finally {
      watch.stop()
      progress.show(() => 'stopping the box')
      await lab.close()
    }
  })
  const traces = watch.stop()
  watch.close()
  if (phases.length > 0)
    conditions.push(`rows were counted; the data was ${isAudited ? 'audited' : 'not audited'} afterwards`)
  problems.push(...watch.ended.map((name) => `ENDED: ${name} is not the process it was at the beginning`))
  return { ...describe(phases, traces, problems), at, conditions, data: { options, phases, traces } }
}

function describe(
  phases: readonly Phase[],
  traces: readonly Trace[],
  problems: readonly string[],
): Omit<Report, 'at' | 'conditions' | 'data'> {
  const buyers = phases.reduce((sum, { rows }) => sum + (rows['payments'] ?? 0), 0)
  const verdicts = traces.map((trace) => judge(trace, trace.name === 'writer' ? indexGrowthMiB(buyers, trace.kind) : 0))
  const growing = verdicts.flatMap(({ name, kind, verdict }) =>
    verdict === 'growing' ? [`GROWING: the ${kind} memory of ${name}`.replace('wal memory', 'WAL')] : [],
  )
  const voided = phases.flatMap(({ violation }) => (violation === null ? [] : [`VOID: ${violation}`]))
  return {
    name: 'soak',
    title: 'Penstock soak',
    command: typedCommand('bench:soak'),
    tables: [memoryTable(verdicts), ...phaseTables(phases)],
    plots: [
      memoryPlot('Resident memory', 'resident', traces),
      memoryPlot('Heaps', 'heap', traces),
      memoryPlot('WAL', 'wal', traces),
      batchPlot(phases),
    ],
    problems: [...voided, ...growing, ...problems],
  }
}

function memoryTable(verdicts: readonly Verdict[]): Table {
  return {
    title: 'Memory',
    columns: [
      { title: 'process', align: 'left' },
      { title: 'of', align: 'left' },
      ...['first third MiB', 'second third', 'last third', 'highest'].map((title) => ({
        title,
        align: 'right' as const,
      })),
      { title: 'verdict', align: 'left' },
    ],
    rows: verdicts.map(({ name, kind, thirds, maxMiB, verdict }) => [
      name,
      kind,
      ...[...thirds, maxMiB].map((mib) => mib.toFixed(0)),
      verdict === 'growing' ? 'GROWING' : verdict,
    ]),
    notes: [`${soakRule}.`, ...growsByDesign],
  }
}

function memoryPlot(title: string, kind: TraceKind, traces: readonly Trace[]): Plot {
  return {
    title,
    x: { label: 'seconds', scale: 'linear' },
    y: { label: 'MiB', scale: 'linear' },
    series: traces.filter((trace) => trace.kind === kind).map(({ name, points }) => ({ name, points })),
  }
}

await runCommand({ usage: soakUsage, read, run })
