import { batchPlot } from '../campaign-report.ts'
import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { boxLine, machineLines } from '../conditions.ts'
import { Lab } from '../lab.ts'
import { requireConnections } from '../open-files.ts'
import { renderPhase } from '../phase-line.ts'
import { count, usAsMs } from '../report/format.ts'
import { measureStall } from '../stall.ts'
import { climb, findOffered } from './climb.ts'
import { ladderPlots, ladderTables } from './ladder-report.ts'
import { ladderUsage, readLadderOptions } from './options.ts'
import type { CommandContext } from '../command.ts'
import type { Report } from '../report/report.ts'
import type { ClimbDeps, Rung } from './climb.ts'
import type { LadderOptions } from './options.ts'

async function checkStall(openLab: () => Promise<Lab>, signal: AbortSignal): Promise<string> {
  const lab = await openLab()
  try {
    const { p90, p999 } = (await measureStall(lab, signal)).latencyUs
    return `a writer that stood still for 500 ms showed as a p90 of ${usAsMs(p90)} and a p99.9 of ${usAsMs(p999)} ms`
  } finally {
    await lab.close()
  }
}

async function run(options: LadderOptions, { signal, progress }: CommandContext): Promise<Report> {
  const { ladders, runs, durationMs, connections, workers, httpProcesses } = options
  const deps: ClimbDeps = {
    options,
    openLab: () => Lab.open({ httpProcesses, withEmpty: true }),
    signal,
    onStatus: (status) => progress.show(status),
  }
  const conditions = [
    ...machineLines(),
    boxLine(httpProcesses),
    `own generator, ${workers} process${workers === 1 ? '' : 'es'}, open loop at a constant rate; ${connections} connections, ${runs} × ${durationMs / 1_000} s, a new box for every rung`,
  ]
  const at = new Date().toISOString()
  for (const line of conditions) progress.note(line)
  const rungs: Rung[] = []
  let offered = new Set<number>()
  const problems = await untilStopped(signal, async () => {
    progress.show(() => 'a writer that stands still for 500 ms')
    conditions.push(await checkStall(deps.openLab, signal))
    offered = await findOffered(deps)
    conditions.push(`the generator can offer: ${[...offered].map((rate) => `${count(rate)}/s`).join(', ')}`)
    for (let round = 1; round <= runs; round++) {
      for (const ladder of ladders) {
        for (const target of options.rungs) {
          const rung = await climb(deps, ladder, target, round)
          rungs.push(rung)
          progress.note(`${count(target).padStart(7)}/s ${renderPhase(rung.phase)}`)
        }
      }
    }
  })
  const voided = rungs.flatMap(({ ladder, target, phase }) =>
    phase.violation === null ? [] : [`VOID, ${ladder} at ${count(target)}/s, run ${phase.run}: ${phase.violation}`],
  )
  return {
    name: 'ladder',
    title: 'Penstock ladder',
    command: typedCommand('bench:ladder'),
    at,
    conditions,
    tables: ladders.flatMap((ladder) => ladderTables(rungs, ladder, offered)),
    plots: [
      ...ladderPlots(rungs, ladders),
      batchPlot(rungs.map(({ target, phase }) => ({ ...phase, scenario: `${phase.scenario}, ${count(target)}/s` }))),
    ],
    problems: [...voided, ...problems],
    data: { options, offered: [...offered], rungs },
  }
}

function read(argv: readonly string[]): LadderOptions | null {
  const options = readLadderOptions(argv)
  if (options !== null) requireConnections('connections', options.connections)
  return options
}

await runCommand({ usage: ladderUsage, read, run })
