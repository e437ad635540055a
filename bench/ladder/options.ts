import { parseArgs } from 'node:util'
import { readingOptions, UsageError, wholeOption } from '@penstock/testing/command-line.ts'

export type LadderName = (typeof ladderNames)[number]
const ladderNames = ['mixed', 'payments'] as const

export interface LadderOptions {
  readonly ladders: readonly LadderName[]
  /** Requests a second, ascending. */
  readonly rungs: readonly number[]
  readonly durationMs: number
  readonly runs: number
  readonly connections: number
  readonly workers: number
  readonly httpProcesses: number
  readonly quietMs: number
}

const bounds = {
  // Webhooks are signed before the phase, and a signature is taken for 300 s.
  duration: { min: 1, max: 240 },
  runs: { min: 1, max: 100 },
  connections: { min: 1, max: 10_000 },
  workers: { min: 1, max: 64 },
  'http-processes': { min: 1, max: 64 },
  quiet: { min: 0, max: 3_600 },
} as const
const rungBounds = { min: 10, max: 1_000_000 }

export const ladderUsage = `usage: npm run bench:ladder -- [mixed] [payments] [options]

Open loop: requests go out at a constant rate, whatever the server does, and latency counts from the intended time.
Each rung has a box of its own, warmed up for two seconds at its rate, at most 8,000/s. Afterwards its rows are counted and
its data is audited.

ladders (both unless named):
  mixed      60% list, 20% hold and pay, 10% webhook for an unknown hold, 10% one drop
  payments   durable payments only, each for its own hold

  --rungs <list>             requests/s (2000,5000,8000,15000,25000,50000)
  --duration <seconds>       of each rung (10)
  --runs <count>             rounds over all rungs; medians are shown (3)
  --connections <count>      (512)
  --workers <count>          processes of the generator (1)
  --http-processes <count>   of the box, and of the empty server (2)
  --quiet <seconds>          before each rung, wait up to so long until nobody else uses the machine (0)
  --help                     shows this

Ctrl-C stops and shows what was measured so far. Reports are kept in bench/results/ as Markdown, JSON and HTML.
Exit codes: 0 measured (whatever the rungs say), 1 void or failed, 2 wrong options, 130 interrupted.`

/** Null when the user only wants help. Throws UsageError. */
export function readLadderOptions(argv: readonly string[]): LadderOptions | null {
  const { values, positionals } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        rungs: { type: 'string', default: '2000,5000,8000,15000,25000,50000' },
        duration: { type: 'string', default: '10' },
        runs: { type: 'string', default: '3' },
        connections: { type: 'string', default: '512' },
        workers: { type: 'string', default: '1' },
        'http-processes': { type: 'string', default: '2' },
        quiet: { type: 'string', default: '0' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  const unknown = positionals.find((name) => !ladderNames.some((known) => known === name))
  if (unknown !== undefined)
    throw new UsageError(`there is no ladder "${unknown}": there are ${ladderNames.join(', ')}`)
  const whole = (name: keyof typeof bounds): number => wholeOption(name, values[name], bounds[name])
  return {
    ladders: ladderNames.filter((name) => positionals.length === 0 || positionals.includes(name)),
    rungs: values.rungs
      .split(',')
      .map((text) => wholeOption('rungs', text, rungBounds))
      .toSorted((a, b) => a - b),
    durationMs: whole('duration') * 1_000,
    runs: whole('runs'),
    connections: whole('connections'),
    workers: whole('workers'),
    httpProcesses: whole('http-processes'),
    quietMs: whole('quiet') * 1_000,
  }
}
