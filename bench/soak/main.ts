import { parseArgs } from 'node:util'
import { readingOptions, wholeOption } from '@penstock/testing/command-line.ts'
import { batchPlot, phaseTables } from '../campaign-report.ts'
import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { boxLine, machineLines } from '../conditions.ts'
import { Own } from '../generators/own/own.ts'
import { Lab } from '../lab.ts'
import { measurePhase } from '../phase.ts'
import { flow } from '../scenarios/flow.ts'
import { judgeMemory, residentMiB } from './memory.ts'
import type { CommandContext } from '../command.ts'
import type { Phase } from '../phase.ts'
import type { Report } from '../report/report.ts'
import type { MemoryTrace } from './memory.ts'

const usage = `usage: npm run bench:soak -- [options]

Whole buyers (read, hold, pay) as fast as the box serves them, while the memory of each of its processes is looked at every
second. Bounded: the last third of the time needed at most 10% more than the second.

  --minutes <count>        (10)
  --connections <count>    (64)
  --help                   shows this

Exit codes: 0 bounded, 1 not bounded, void or failed, 2 wrong options, 130 interrupted.`

interface Options {
  readonly minutes: number
  readonly connections: number
}

function read(argv: readonly string[]): Options | null {
  const { values } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      options: {
        minutes: { type: 'string', default: '10' },
        connections: { type: 'string', default: '64' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  return {
    minutes: wholeOption('minutes', values.minutes, { min: 1, max: 1_440 }),
    connections: wholeOption('connections', values.connections, { min: 1, max: 10_000 }),
  }
}

const httpProcesses = 2
const lookMs = 1_000

/** Looks at the processes of a box until it is stopped. */
function watchMemory({ box }: Lab): () => MemoryTrace[] {
  const named = [
    ['writer', box.pids.writer],
    ...box.pids.http.map((pid, place) => [`http ${place + 1}`, pid] as const),
  ] as const
  const traces = named.flatMap(([name, pid]) => (pid === null ? [] : [{ name, pid, points: [] as [number, number][] }]))
  const startedMs = performance.now()
  const timer = setInterval(() => {
    for (const { pid, points } of traces) {
      const mib = residentMiB(pid)
      if (mib !== null) points.push([(performance.now() - startedMs) / 1_000, mib])
    }
  }, lookMs)
  return () => {
    clearInterval(timer)
    return traces
  }
}

async function run({ minutes, connections }: Options, { signal, progress }: CommandContext): Promise<Report> {
  let [phases, traces]: [Phase[], MemoryTrace[]] = [[], []]
  const at = new Date().toISOString()
  const problems = await untilStopped(signal, async () => {
    const lab = await Lab.open({ httpProcesses })
    const stop = watchMemory(lab)
    try {
      const phase = await measurePhase({
        lab,
        scenario: flow.name,
        server: 'box',
        run: 1,
        plan: await flow.prepare(lab, { requestsMax: 0, connections, onProgress: () => undefined, signal }),
        generator: new Own(1, null),
        counts: flow.counts,
        connections,
        durationMs: minutes * 60_000,
        quietMs: 0,
        signal,
        onMeasuring: () => {
          const startedMs = performance.now()
          progress.show(() => `${((performance.now() - startedMs) / 60_000).toFixed(1)} of ${minutes} minutes`)
        },
      })
      traces = stop()
      progress.show(() => 'auditing the data')
      phases = [{ ...phase, violation: phase.violation ?? (await lab.audit(signal)) }]
    } finally {
      traces = stop()
      await lab.close()
    }
  })
  return describe({ minutes, connections }, phases, traces, at, problems)
}

function describe(
  { minutes, connections }: Options,
  phases: readonly Phase[],
  traces: readonly MemoryTrace[],
  at: string,
  problems: readonly string[],
): Report {
  const verdicts = traces.map((trace) => judgeMemory(trace))
  const unbounded = verdicts.flatMap(({ name, isBounded }) =>
    isBounded ? [] : [`NOT BOUNDED: the memory of ${name} grew`],
  )
  const voided = phases.flatMap(({ violation }) => (violation === null ? [] : [`VOID: ${violation}`]))
  return {
    name: 'soak',
    title: 'Penstock soak',
    command: typedCommand('bench:soak'),
    at,
    conditions: [
      ...machineLines(),
      boxLine(httpProcesses),
      `own generator, closed loop, ${connections} connections, ${minutes} minutes`,
    ],
    tables: [
      {
        title: 'Memory',
        columns: [
          { title: 'process', align: 'left' },
          ...['first third MiB', 'second third', 'last third', 'highest'].map((title) => ({
            title,
            align: 'right' as const,
          })),
          { title: 'bounded', align: 'left' },
        ],
        rows: verdicts.map(({ name, thirds, maxMiB, isBounded }) => [
          name,
          ...[...thirds, maxMiB].map((mib) => mib.toFixed(0)),
          isBounded ? 'yes' : 'NO',
        ]),
        notes: ['Resident memory, the highest of each third of the time.'],
      },
      ...phaseTables(phases),
    ],
    plots: [
      {
        title: 'Memory',
        x: { label: 'seconds', scale: 'linear' },
        y: { label: 'MiB resident', scale: 'linear' },
        series: traces.map(({ name, points }) => ({ name, points })),
      },
      batchPlot(phases),
    ],
    problems: [...voided, ...unbounded, ...problems],
    data: { phases, traces },
  }
}

await runCommand({ usage, read, run })
