import { parseArgs } from 'node:util'
import { readingOptions, UsageError, wholeOption } from '@penstock/testing/command-line.ts'
import { readWrkOrOwn } from '../generators/wrk-or-own.ts'
import { flow } from '../scenarios/flow.ts'
import { holds } from '../scenarios/holds.ts'
import { payments } from '../scenarios/payments.ts'
import { reads } from '../scenarios/reads.ts'
import type { Scenario } from '../scenarios/scenario.ts'

export const dimensions = ['rows', 'skus', 'connections'] as const
export type Dimension = (typeof dimensions)[number]

/** What every size is compared with: nothing stored, one hot SKU, 64 connections. */
export const standard: Readonly<Record<Dimension, number>> = { rows: 0, skus: 1, connections: 64 }

export const loads: readonly Scenario[] = [payments, holds, flow, reads]

const bounds = {
  rows: { min: 0, max: 100_000_000 },
  skus: { min: 1, max: 20_000 },
  connections: { min: 1, max: 15_000 },
  duration: { min: 1, max: 600 },
  runs: { min: 1, max: 100 },
  'audit-rows': { min: 0, max: 100_000_000 },
} as const

export interface GrowthOptions {
  readonly dimensions: readonly Dimension[]
  /** Ascending, with the standard size in front. */
  readonly values: Readonly<Record<Dimension, readonly number[]>>
  readonly loads: readonly Scenario[]
  readonly generator: 'wrk' | 'own'
  readonly durationMs: number
  readonly runs: number
  readonly auditRowsMax: number
}

export const growthUsage = `usage: npm run bench:growth -- [rows] [skus] [connections] [options]

Loads in a closed loop while one thing grows (all three unless named), each size as a share of the standard one: nothing
stored, one SKU, 64 connections. Rounds over all sizes are interleaved. After each measurement rows are counted.
  rows          payments that are stored already, filled in by SQL before the box starts
  skus          one hot SKU, or many, in drops of 100; payments and reads only
  connections   of the load

  --rows <list>          (0,10000,1000000); 20000000 takes 15 GiB in the temporary folder and some four minutes to fill in
  --skus <list>          (1,10000)
  --connections <list>   (64,1000,10000)
  --loads <list>         of ${loads.map(({ name }) => name).join(', ')} (payments)
  --generator <name>     wrk, own, or auto: wrk where it is installed (auto)
  --duration <seconds>   of each measurement (5)
  --runs <count>         rounds; medians are shown (3)
  --audit-rows <count>   the data is audited after each measurement when at most so many payments were filled in
                         (1000000, which takes half a minute each time)
  --help                 shows this

Ctrl-C stops and shows what was measured so far. Reports are kept in bench/results/ as Markdown, JSON and HTML.
Exit codes: 0 measured, 1 void or failed, 2 wrong options, 130 interrupted.`

/** Null when the user only wants help. Throws UsageError. */
export function readGrowthOptions(argv: readonly string[], hasWrk: boolean): GrowthOptions | null {
  const { values, positionals } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rows: { type: 'string', default: '0,10000,1000000' },
        skus: { type: 'string', default: '1,10000' },
        connections: { type: 'string', default: '64,1000,10000' },
        loads: { type: 'string', default: 'payments' },
        generator: { type: 'string', default: 'auto' },
        duration: { type: 'string', default: '5' },
        runs: { type: 'string', default: '3' },
        'audit-rows': { type: 'string', default: '1000000' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  const unknown = positionals.find((name) => !dimensions.some((known) => known === name))
  if (unknown !== undefined)
    throw new UsageError(`nothing called "${unknown}" grows: there are ${dimensions.join(', ')}`)
  const list = (name: Dimension): number[] => {
    const sizes = values[name].split(',').map((text) => wholeOption(name, text, bounds[name]))
    return [...new Set([standard[name], ...sizes])].toSorted((a, b) => a - b)
  }
  const whole = (name: 'duration' | 'runs' | 'audit-rows'): number => wholeOption(name, values[name], bounds[name])
  return {
    dimensions: dimensions.filter((name) => positionals.length === 0 || positionals.includes(name)),
    values: { rows: list('rows'), skus: list('skus'), connections: list('connections') },
    loads: readLoads(values.loads),
    generator: readWrkOrOwn(values.generator, hasWrk),
    durationMs: whole('duration') * 1_000,
    runs: whole('runs'),
    auditRowsMax: whole('audit-rows'),
  }
}

function readLoads(text: string): readonly Scenario[] {
  const names = text.split(',')
  const unknown = names.find((name) => !loads.some((load) => load.name === name))
  if (unknown !== undefined) {
    throw new UsageError(`--loads has "${unknown}", expected some of ${loads.map(({ name }) => name).join(', ')}`)
  }
  return loads.filter(({ name }) => names.includes(name))
}
