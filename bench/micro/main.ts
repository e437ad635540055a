import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { briefResult, fullResult } from '@penstock/protocol/brief-result.ts'
import { Codec } from '@penstock/protocol/codec.ts'
import { FrameReader } from '@penstock/protocol/frame.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { MemoryData, MemoryStore } from '@penstock/testing/model/memory-store.ts'
import { readingOptions, wholeOption } from '@penstock/testing/command-line.ts'
import { runCommand, typedCommand, untilStopped } from '../command.ts'
import { machineLines } from '../conditions.ts'
import { InProcessSale } from '../in-process-sale.ts'
import { count } from '../report/format.ts'
import { median } from '../summary.ts'
import { StatementWatch } from './statements.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { Reply } from '@penstock/protocol/messages.ts'
import type { CommandContext } from '../command.ts'
import type { Report } from '../report/report.ts'
import type { StatementCost } from './statements.ts'

const usage = `usage: npm run bench:micro -- [options]

What the parts cost, each alone in one process: the engine's decisions (on a store in memory), the codec, the store, and
each prepared statement of a payment.

  --batch <count>     commands a batch, a frame, a commit (32)
  --batches <count>   of each part (500)
  --runs <count>      medians are shown (5)
  --help              shows this

Exit codes: 0 measured, 1 failed, 2 wrong options, 130 interrupted.`

interface Options {
  readonly batch: number
  readonly batches: number
  readonly runs: number
}

function read(argv: readonly string[]): Options | null {
  const { values } = readingOptions(() =>
    parseArgs({
      args: [...argv],
      options: {
        batch: { type: 'string', default: '32' },
        batches: { type: 'string', default: '500' },
        runs: { type: 'string', default: '5' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }),
  )
  if (values.help) return null
  return {
    batch: wholeOption('batch', values.batch, { min: 1, max: 1_024 }),
    batches: wholeOption('batches', values.batches, { min: 1, max: 100_000 }),
    runs: wholeOption('runs', values.runs, { min: 1, max: 100 }),
  }
}

/** Microseconds of one command or reply, by the name of the part. */
type Costs = Map<string, number[]>

function note(costs: Costs, part: string, ms: number, commands: number): void {
  const all = costs.get(part) ?? []
  all.push((1_000 * ms) / commands)
  costs.set(part, all)
}

function time(work: () => void): number {
  const startedMs = performance.now()
  work()
  return performance.now() - startedMs
}

/** Decisions over a store in memory: loading is a look into a Map. */
function measureEngine({ batch, batches }: Options, costs: Costs): void {
  const sale = new InProcessSale(new MemoryStore(new MemoryData()))
  const holds = Array.from({ length: batches }, () => Array.from({ length: batch }, () => sale.hold()))
  const payments = holds.map((some) => some.map(({ holdId }) => sale.payment(holdId)))
  const all = batch * batches
  sale.takeDecideMs()
  for (const [part, commands] of [
    ['create_hold', holds],
    ['capture_payment', payments],
    ['a duplicate payment', payments],
  ] as const) {
    for (const some of commands) sale.transact(some)
    note(costs, `engine: decide ${part}`, sale.takeDecideMs(), all)
  }
}

function measureCodec({ batch, batches }: Options, costs: Costs): void {
  const sale = new InProcessSale(new MemoryStore(new MemoryData()))
  const holds = Array.from({ length: batch }, () => sale.hold())
  sale.transact(holds)
  const commands = holds.map(({ holdId }) => sale.payment(holdId))
  const results = sale.transact(commands)
  const [sender, receiver] = [new Codec(), new Codec()]
  const all = batch * batches
  const repeat = (work: () => void): number =>
    time(() => {
      for (let done = 0; done < batches; done++) work()
    })
  const numbered = commands.map((command, id) => ({ id, command }))
  const changes = { seq: 1, skus: [], dropIds: [], apiKeysChanged: false }
  note(
    costs,
    'codec: encode payments',
    repeat(() => sender.encodeCommands(numbered)),
    all,
  )
  const payloads = payloadsOf(sender.encodeCommands(numbered))
  note(
    costs,
    'codec: decode payments',
    repeat(() => payloads.forEach((payload) => receiver.decodeCommands(payload))),
    all,
  )
  note(
    costs,
    'codec: encode replies',
    repeat(() => receiver.encodeCommit({ ...changes, replies: numberedReplies(commands, results) })),
    all,
  )
  const replies = payloadsOf(receiver.encodeCommit({ ...changes, replies: numberedReplies(commands, results) }))
  note(
    costs,
    'codec: decode replies',
    repeat(() => replies.forEach((payload) => readReplies(sender, payload, commands))),
    all,
  )
}

/** As the process that sent the commands does. */
function readReplies(codec: Codec, payload: Buffer, commands: readonly Command[]): void {
  for (const { id, result } of codec.decodeCommit(payload).replies) {
    const command = commands[id]
    if (command !== undefined) fullResult(command, result)
  }
}

/** As the writer sends them. */
function numberedReplies(commands: readonly Command[], results: readonly Result[]): Reply[] {
  return commands.flatMap((command, id) => {
    const result = results[id]
    return result === undefined ? [] : [{ id, result: briefResult(command, result) }]
  })
}

function payloadsOf(frames: readonly Buffer[]): Buffer[] {
  const payloads: Buffer[] = []
  const reader = new FrameReader((_, payload) => payloads.push(Buffer.from(payload)))
  for (const frame of frames) reader.push(frame)
  return payloads
}

/** The real store, and what each of its statements took for the payments. */
async function measureStore(
  { batch, batches }: Options,
  costs: Costs,
  statements: StatementCost[][],
  signal: AbortSignal,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-micro-'))
  const watch = new StatementWatch()
  const store = new SqliteStore(join(folder, 'penstock.db'))
  try {
    const sale = new InProcessSale(store)
    const holds = Array.from({ length: batches }, () => Array.from({ length: batch }, () => sale.hold()))
    const payments = holds.map((some) => some.map(({ holdId }) => sale.payment(holdId)))
    for (const [part, all] of [
      ['store: a commit of holds', holds],
      ['store: a commit of payments', payments],
    ] as const) {
      watch.reset()
      let ms = 0
      for (const some of all) {
        ms += time(() => void sale.transact(some))
        sale.store.maintain(false)
        await turn()
        signal.throwIfAborted()
      }
      note(costs, part, ms, batch * batches)
    }
    statements.push(watch.stop())
  } finally {
    watch.stop()
    store.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(options: Options, { signal, progress }: CommandContext): Promise<Report> {
  const [costs, statements]: [Costs, StatementCost[][]] = [new Map(), []]
  const at = new Date().toISOString()
  const problems = await untilStopped(signal, async () => {
    for (let round = 0; round <= options.runs; round++) {
      signal.throwIfAborted()
      const name = round === 0 ? 'warm-up' : `run ${round} of ${options.runs}`
      const show = async (part: string): Promise<void> => {
        progress.show(() => `${name}: ${part}`)
        await turn()
        signal.throwIfAborted()
      }
      const [kept, keptStatements] = round === 0 ? [new Map(), []] : [costs, statements]
      await show('engine')
      measureEngine(options, kept)
      await show('codec')
      measureCodec(options, kept)
      await show('store')
      await measureStore(options, kept, keptStatements, signal)
      progress.note(`${name} is done`)
    }
  })
  const payments = options.batch * options.batches
  return {
    name: 'micro',
    title: 'Penstock: what the parts cost',
    command: typedCommand('bench:micro'),
    at,
    conditions: [
      ...machineLines(),
      `one process; ${options.batch} commands a batch, ${count(options.batches)} batches, ${options.runs} runs after a warm-up; store with synchronous FULL`,
    ],
    tables: [
      {
        title: 'Parts',
        columns: [
          { title: 'part', align: 'left' },
          { title: 'us a command', align: 'right' },
        ],
        rows: [...costs].map(([part, values]) => [part, median(values).toFixed(2)]),
        notes: [
          'Medians of the runs. The engine decides on a store in memory. The store includes the engine, and its timed statements.',
        ],
      },
      {
        title: 'Statements of a payment',
        columns: [
          ...['us a payment', 'calls a payment', 'us a call'].map((title) => ({ title, align: 'right' as const })),
          { title: 'statement', align: 'left' },
        ],
        rows: (statements.at(-1) ?? []).map(({ sql, calls, ms }) => [
          ((1_000 * ms) / payments).toFixed(2),
          (calls / payments).toFixed(3),
          ((1_000 * ms) / calls).toFixed(2),
          sql,
        ]),
        notes: ['Of the last run, dearest first. COMMIT includes the fsync.'],
      },
    ],
    plots: [],
    problems,
    data: { options, costs: Object.fromEntries(costs), statements },
  }
}

await runCommand({ usage, read, run })
