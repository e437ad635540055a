import { parseArgs } from 'node:util'
import { readingOptions, wholeOption } from '@penstock/testing/command-line.ts'
import { readWrkOrOwn } from '../generators/wrk-or-own.ts'
import { soakRule } from './memory.ts'

export interface SoakOptions {
  readonly seconds: number
  readonly connections: number
  readonly generator: 'wrk' | 'own'
  readonly isAudited: boolean
}

export const soakUsage = `usage: npm run bench:soak -- [options]

Whole buyers (read, hold, pay) in a closed loop, as fast as the box serves them, while every process of it and the WAL
are looked at once a second.
${soakRule}.

  --minutes <count>        (10)
  --seconds <count>        instead of minutes, to try it
  --connections <count>    (64)
  --generator <name>       wrk, own, or auto: wrk where it is installed (auto)
  --no-audit               leaves the audit out, which takes half a minute for a million payments; rows are counted
  --help                   shows this

Ctrl-C stops and shows what was measured so far. Reports are kept in bench/results/ as Markdown, JSON and HTML.
Exit codes: 0 bounded, 1 growing, void or failed, 2 wrong options, 130 interrupted.`

/** Null when the user only wants help. Throws UsageError. */
export function readSoakOptions(argv: readonly string[], hasWrk: boolean): SoakOptions | null {
  const { values } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      options: {
        minutes: { type: 'string', default: '10' },
        seconds: { type: 'string' },
        connections: { type: 'string', default: '64' },
        generator: { type: 'string', default: 'auto' },
        'no-audit': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  const generator = readWrkOrOwn(values.generator, hasWrk)
  return {
    seconds:
      values.seconds === undefined
        ? 60 * wholeOption('minutes', values.minutes, { min: 1, max: 1_440 })
        : wholeOption('seconds', values.seconds, { min: 1, max: 86_400 }),
    connections: wholeOption('connections', values.connections, { min: 1, max: 4_000 }),
    generator,
    isAudited: !values['no-audit'],
  }
}
