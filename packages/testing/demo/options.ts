import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { readingOptions, wholeOption } from '../command-line.ts'

export interface DemoOptions {
  readonly stock: number
  readonly buyers: number
  readonly seed: number
  readonly connections: number
}

const bounds = {
  stock: { min: 1, max: 50_000 },
  buyers: { min: 1, max: 100_000 },
  seed: { min: 0, max: 2 ** 32 - 1 },
  connections: { min: 1, max: 1_000 },
} as const

const standard = { stock: '500', buyers: '5000', connections: '64' } as const

export const demoUsage = `usage: npm run demo -- [options]

Sells a limited drop to a crowd, on a box that it starts in a temporary folder, and audits the database afterwards.

  --stock <units>        units for sale (${standard.stock})
  --buyers <count>       buyers who want one or two of them (${standard.buyers})
  --connections <count>  requests under way at once (${standard.connections})
  --seed <number>        repeats the plans of an earlier crowd (random)
  --help                 shows this

Exit codes: 0 the sale was clean, 1 a promise was broken or the run failed, 2 wrong options, 130 interrupted.`

/** Null when the user only wants help. Throws UsageError. */
export function readDemoOptions(argv: readonly string[]): DemoOptions | null {
  const { values } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      options: {
        stock: { type: 'string', default: standard.stock },
        buyers: { type: 'string', default: standard.buyers },
        connections: { type: 'string', default: standard.connections },
        seed: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  return {
    stock: wholeOption('stock', values.stock, bounds.stock),
    buyers: wholeOption('buyers', values.buyers, bounds.buyers),
    connections: wholeOption('connections', values.connections, bounds.connections),
    seed: values.seed === undefined ? randomInt(2 ** 32) : wholeOption('seed', values.seed, bounds.seed),
  }
}
