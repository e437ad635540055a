import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { boxLine, machineLines } from '../conditions.ts'
import { findWrk } from '../generators/wrk.ts'
import { requireConnections } from '../open-files.ts'
import { renderPhase } from '../phase-line.ts'
import { count } from '../report/format.ts'
import { growthPlots, growthTables } from './growth-report.ts'
import { httpProcesses, makeGenerator, measureDimension } from './measure.ts'
import { growthUsage, readGrowthOptions } from './options.ts'
import type { CommandContext } from '../command.ts'
import type { Report } from '../report/report.ts'
import type { Sample } from './measure.ts'
import type { GrowthOptions } from './options.ts'

const wrkVersion = findWrk()

function read(argv: readonly string[]): GrowthOptions | null {
  const options = readGrowthOptions(argv, wrkVersion !== null)
  if (options?.dimensions.includes('connections') === true) {
    requireConnections('connections', Math.max(...options.values.connections))
  }
  return options
}

async function run(options: GrowthOptions, { signal, progress }: CommandContext): Promise<Report> {
  const { dimensions, durationMs, runs, auditRowsMax } = options
  const samples: Sample[] = []
  const at = new Date().toISOString()
  const conditions = [
    ...machineLines(),
    boxLine(httpProcesses),
    `${makeGenerator(options, wrkVersion, 'rows').description}, closed loop; ${runs} × ${durationMs / 1_000} s after a warm-up, rounds over all sizes interleaved; unless it grows: no payments before, 1 SKU, 64 connections`,
    `audited: data with at most ${count(auditRowsMax)} payments filled in; rows are counted, one by one, in all`,
    'up to 2 GiB a filled database is copied for each round; a larger one grows by what is paid in it',
    ...(dimensions.includes('skus') ? ['many SKUs are in drops of 100, and their holds are prepared evenly'] : []),
  ]
  for (const line of conditions) progress.note(line)
  const problems = await untilStopped(signal, async () => {
    for (const dimension of dimensions) {
      await measureDimension(dimension, {
        options,
        wrkVersion,
        signal,
        onStatus: (status) => progress.show(status),
        onSample: (sample) => {
          samples.push(sample)
          progress.note(`${`${dimension} ${count(sample.value)}`.padEnd(20)} ${renderPhase(sample.phase)}`)
        },
      })
    }
  })
  const voided = samples.flatMap(({ dimension, value, load, phase }) =>
    phase.violation === null
      ? []
      : [`VOID, ${load}, ${dimension} ${count(value)}, run ${phase.run}: ${phase.violation}`],
  )
  return {
    name: 'growth',
    title: 'Penstock: what growth costs',
    command: typedCommand('bench:growth'),
    at,
    conditions,
    tables: growthTables(samples),
    plots: growthPlots(samples),
    problems: [...voided, ...problems],
    data: { options: { ...options, loads: options.loads.map(({ name }) => name) }, samples },
  }
}

await runCommand({ usage: growthUsage, read, run })
