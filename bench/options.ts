import { parseArgs } from 'node:util'
import { readingOptions, UsageError, wholeOption } from '@penstock/testing/command-line.ts'
import { generatorNames, sendsOf } from './generators/choice.ts'
import { scenarios } from './scenarios/index.ts'
import type { GeneratorName } from './generators/choice.ts'
import type { Scenario } from './scenarios/scenario.ts'

export interface BenchOptions {
  readonly scenarios: readonly Scenario[]
  readonly durationMs: number
  readonly connections: number
  readonly runs: number
  /** In the order of preference. */
  readonly generators: readonly GeneratorName[]
  /** Each of them makes the load of every scenario it can send; otherwise the first that can. */
  readonly isEachGenerator: boolean
  readonly wrkThreads: number
  readonly autocannonProcesses: number
  readonly httpProcesses: number
  readonly ownProcesses: number
  /** Requests a second of an open loop; null: closed loops. */
  readonly perSecond: number | null
  /** How long to wait, before each phase, for a machine that nobody else uses. */
  readonly quietMs: number
}

const bounds = {
  // Webhooks are signed before the phase, and a signature is taken for 300 s.
  duration: { min: 1, max: 240 },
  // Each connection is parked once in a waiting read; an HTTP process holds 4,096 of them.
  connections: { min: 1, max: 4_000 },
  runs: { min: 1, max: 100 },
  'wrk-threads': { min: 1, max: 64 },
  'autocannon-processes': { min: 1, max: 64 },
  'own-processes': { min: 1, max: 64 },
  rate: { min: 1, max: 1_000_000 },
  'http-processes': { min: 1, max: 64 },
  quiet: { min: 0, max: 3_600 },
} as const

export const benchUsage = `usage: npm run bench -- [scenario ...] [options]

Measures a box that it starts in a temporary folder: durable (synchronous FULL), nothing else changed. After every
phase the rows in the database are counted and must equal the accepted answers, and after every round the audit must
pass; otherwise the figures are void and it exits 1.

scenarios (all of them unless named, but for those with *):
${scenarios.map(({ name, onlyWhenNamed, summary }) => `  ${`${name}${onlyWhenNamed ? ' *' : ''}`.padEnd(22)} ${summary}`).join('\n')}

  --duration <seconds>            of each measured phase (5)
  --connections <count>           keep-alive connections (64)
  --runs <count>                  rounds over all scenarios; medians are shown (3)
  --generator <name>              auto: the first of wrk, k6, autocannon and own that is installed and can send the
                                  scenario; one of these names; or all: each that is installed, side by side (auto)
  --rate <requests/s>             an open loop of the own generator instead: latency counts from the intended time
  --wrk-threads <count>           (1)
  --autocannon-processes <count>  (1)
  --own-processes <count>         (1)
  --http-processes <count>        of the box, and of the empty server (2)
  --quiet <seconds>               before each phase, wait up to so long until nobody else uses the machine (0)
  --help                          shows this

Ctrl-C stops and shows what was measured so far. Reports are kept in bench/results/ as Markdown, JSON and HTML.
Exit codes: 0 measured, 1 void or failed, 2 wrong options, 130 interrupted.`

/** Null when the user only wants help. Throws UsageError. */
export function readBenchOptions(argv: readonly string[], installed: ReadonlySet<GeneratorName>): BenchOptions | null {
  const { values, positionals } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        duration: { type: 'string', default: '5' },
        connections: { type: 'string', default: '64' },
        runs: { type: 'string', default: '3' },
        generator: { type: 'string', default: 'auto' },
        'wrk-threads': { type: 'string', default: '1' },
        'autocannon-processes': { type: 'string', default: '1' },
        'own-processes': { type: 'string', default: '1' },
        rate: { type: 'string' },
        'http-processes': { type: 'string', default: '2' },
        quiet: { type: 'string', default: '0' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  const whole = (name: Exclude<keyof typeof bounds, 'rate'>): number => wholeOption(name, values[name], bounds[name])
  if (values.rate !== undefined && values.generator !== 'auto') {
    throw new UsageError('--rate is an open loop of the own generator: leave --generator out')
  }
  const chosen = readScenarios(positionals)
  return {
    scenarios: chosen,
    durationMs: whole('duration') * 1_000,
    connections: whole('connections'),
    runs: whole('runs'),
    generators: readGenerators(values.generator, chosen, installed),
    isEachGenerator: values.generator === 'all',
    wrkThreads: whole('wrk-threads'),
    autocannonProcesses: whole('autocannon-processes'),
    ownProcesses: whole('own-processes'),
    perSecond: values.rate === undefined ? null : wholeOption('rate', values.rate, bounds.rate),
    httpProcesses: whole('http-processes'),
    quietMs: whole('quiet') * 1_000,
  }
}

function readScenarios(names: readonly string[]): readonly Scenario[] {
  const known = scenarios.map(({ name }) => name)
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new UsageError(`there is no scenario "${unknown}": there are ${known.join(', ')}`)
  return scenarios.filter(({ name, onlyWhenNamed }) =>
    names.length === 0 ? onlyWhenNamed !== true : names.includes(name),
  )
}

function readGenerators(
  name: string,
  chosen: readonly Scenario[],
  installed: ReadonlySet<GeneratorName>,
): readonly GeneratorName[] {
  if (name === 'auto' || name === 'all') return generatorNames.filter((known) => installed.has(known))
  const found = generatorNames.find((known) => known === name)
  if (found === undefined) {
    throw new UsageError(`--generator is "${name}", expected auto, all or one of ${generatorNames.join(', ')}`)
  }
  if (!installed.has(found)) throw new UsageError(`--generator is "${name}", but ${name} is not installed`)
  const unable = chosen.filter(({ sends = 'variable' }) => !sendsOf[found].has(sends)).map((scenario) => scenario.name)
  if (unable.length > 0) {
    throw new UsageError(`--generator is "${name}", which cannot send ${unable.join(' and ')}: name other scenarios`)
  }
  return [found]
}
