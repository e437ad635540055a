import { parseArgs } from 'node:util'
import { readingOptions, UsageError, wholeOption } from '@penstock/testing/command-line.ts'
import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { machineLines } from '../conditions.ts'
import { Own } from '../generators/own/own.ts'
import { findWrk, Wrk } from '../generators/wrk.ts'
import { count } from '../report/format.ts'
import { measureContestant } from './measure.ts'
import { peerPlots, peerTables } from './peer-report.ts'
import { penstock, penstockOnNode } from './penstock-peer.ts'
import { fastifyPostgres } from './postgres-peer.ts'
import { fastifySqlite, goFiber } from './sqlite-peers.ts'
import type { CommandContext } from '../command.ts'
import type { Report } from '../report/report.ts'
import type { Peer } from './contestant.ts'
import type { PeerLoad, PeerSample } from './measure.ts'

const peers: readonly Peer[] = [
  penstock,
  penstockOnNode,
  fastifySqlite('FULL'),
  fastifySqlite('NORMAL'),
  fastifyPostgres,
  goFiber,
]
const loads: readonly PeerLoad[] = ['payments', 'holds', 'reads']

const usage = `usage: npm run bench:peers -- [payments] [holds] [reads] [options]

The same sale by Penstock and by its peers under bench/peers/, each with its own idiomatic tuning, one after the other in
each round, each on a new database, with the same requests. Rows are counted after every load; Penstock is audited.

peers:
${peers.map(({ name, description }) => `  ${name.padEnd(32)} ${description}`).join('\n')}

  --only <text>            only Penstock and the peers whose name contains it; may be repeated
  --duration <seconds>     of each load (5)
  --connections <count>    (64)
  --runs <count>           rounds; medians are shown (5)
  --help                   shows this

Exit codes: 0 measured, 1 void or failed, 2 wrong options, 130 interrupted.`

interface Options {
  readonly loads: readonly PeerLoad[]
  readonly peers: readonly Peer[]
  readonly durationMs: number
  readonly connections: number
  readonly runs: number
}

function read(argv: readonly string[]): Options | null {
  const { values, positionals } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        duration: { type: 'string', default: '5' },
        connections: { type: 'string', default: '64' },
        runs: { type: 'string', default: '5' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  const unknown = positionals.find((name) => !loads.some((known) => known === name))
  if (unknown !== undefined) throw new UsageError(`there is no load "${unknown}": there are ${loads.join(', ')}`)
  const only = values.only.map((text) => text.toLowerCase())
  const absent = only.find((text) => !peers.some(({ name }) => name.toLowerCase().includes(text)))
  if (absent !== undefined) throw new UsageError(`--only is "${absent}", but no peer has that in its name`)
  return {
    loads: loads.filter((name) => positionals.length === 0 || positionals.includes(name)),
    peers: peers.filter(
      (peer) => only.length === 0 || peer === penstock || only.some((text) => peer.name.toLowerCase().includes(text)),
    ),
    durationMs: wholeOption('duration', values.duration, { min: 1, max: 600 }) * 1_000,
    connections: wholeOption('connections', values.connections, { min: 1, max: 4_000 }),
    runs: wholeOption('runs', values.runs, { min: 1, max: 100 }),
  }
}

async function run(options: Options, { signal, progress }: CommandContext): Promise<Report> {
  const wrkVersion = findWrk()
  const generator = wrkVersion === null ? new Own(1, null) : new Wrk(wrkVersion, 1)
  const samples: PeerSample[] = []
  const absent: string[] = []
  const at = new Date().toISOString()
  const problems = await untilStopped(signal, async () => {
    const present: Peer[] = []
    for (const peer of options.peers) {
      const reason = await peer.prepare((status) => progress.show(() => status), signal)
      signal.throwIfAborted()
      if (reason === null) present.push(peer)
      else absent.push(`not measured: ${peer.name}, because ${reason}`)
    }
    for (let round = 1; round <= options.runs; round++) {
      for (const peer of present) {
        const status = (text: string): void =>
          progress.show(() => `run ${round} of ${options.runs}: ${peer.name}: ${text}`)
        for (const sample of await measureContestant(peer, { ...options, generator, round, signal, status })) {
          samples.push(sample)
          const verdict = sample.violation === null ? '' : `  VOID: ${sample.violation}`
          progress.note(
            `${peer.name.padEnd(34)} ${sample.load.padEnd(9)} ${count(sample.perSecond).padStart(9)}/s${verdict}`,
          )
        }
      }
    }
  })
  const voided = samples.flatMap(({ peer, load, round, violation }) =>
    violation === null ? [] : [`VOID, ${load} of ${peer}, run ${round}: ${violation}`],
  )
  return {
    name: 'peers',
    title: 'Penstock and its peers',
    command: typedCommand('bench:peers'),
    at,
    conditions: [
      ...machineLines(),
      `${generator.description}, closed loop, on the same cores; ${options.connections} connections, ${options.runs} × ${options.durationMs / 1_000} s, rounds interleaved`,
      ...options.peers.map(({ name, description }) => `${name}: ${description}`),
      ...absent,
    ],
    tables: peerTables(samples, options.loads),
    plots: peerPlots(samples),
    problems: [...voided, ...problems],
    data: { samples },
  }
}

await runCommand({ usage, read, run })
