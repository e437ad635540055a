import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sendsOf } from '../choice.ts'
import { mergeHistograms, summariseLatency } from '../latency.ts'
import { piecesOf } from '../plan.ts'
import type { ChildProcess } from 'node:child_process'
import type { Generator, Load, LoadHooks, LoadResult, ScheduleFacts } from '../generator.ts'
import type { Step } from '../plan.ts'
import type { WorkerOrder, WorkerTally } from './load-loop.ts'
import type { StepOrder } from './request-source.ts'
import type { FromWorker, ToWorker } from './worker.ts'

const script = fileURLToPath(new URL('worker.ts', import.meta.url))

/**
 * The bench's own generator: plain sockets, requests made before they are needed, one under way per connection. With a
 * rate it is an open loop; without, a closed one, for plans that wrk cannot send.
 */
export class Own implements Generator {
  readonly name: string
  readonly description: string
  readonly sends = sendsOf.own
  readonly #workers: number
  readonly #perSecond: number | null

  /** `perSecond`: null for a closed loop. */
  constructor(workers: number, perSecond: number | null) {
    this.#workers = workers
    this.#perSecond = perSecond
    this.name = perSecond === null ? 'own' : 'open'
    const loop = perSecond === null ? 'closed loop' : `open loop, ${perSecond.toLocaleString('en-US')}/s`
    this.description = `own generator (${loop}), ${workers} process${workers === 1 ? '' : 'es'}`
  }

  async run(load: Load, { onStarted, signal }: LoadHooks): Promise<LoadResult> {
    const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-own-'))
    const children: ChildProcess[] = []
    const kill = (): void => {
      for (const child of children) child.kill('SIGKILL')
    }
    signal.addEventListener('abort', kill, { once: true })
    try {
      signal.throwIfAborted()
      const orders = placeOrders(load, Math.min(this.#workers, load.connections), this.#perSecond, folder)
      for (const _ of orders)
        children.push(fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true }))
      const tallies = children.map((child) => tallyOf(child))
      // Handled below; one that fails early must not count as unhandled until then.
      for (const tally of tallies) tally.catch(() => undefined)
      await Promise.all(
        children.map((child, place) => {
          const order = orders[place]
          if (order !== undefined) child.send({ order } satisfies ToWorker)
          return Promise.race([connected(child), tallies[place]])
        }),
      )
      for (const child of children) child.send('go' satisfies ToWorker)
      onStarted(children.flatMap(({ pid }) => pid ?? []))
      return mergeTallies(await Promise.all(tallies), load.plan.steps, load.durationMs, this.#perSecond)
    } finally {
      signal.removeEventListener('abort', kill)
      kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function placeOrders(load: Load, workers: number, perSecond: number | null, folder: string): WorkerOrder[] {
  const { url, plan, connections, durationMs } = load
  const { hostname, port } = new URL(url)
  return Array.from({ length: workers }, (_, worker) => ({
    host: hostname,
    port: Number(port),
    steps: plan.steps.map((step, place) => placeStep(step, url, worker, workers, join(folder, `${worker}-${place}`))),
    order: plan.order,
    connections: Math.floor((connections + worker) / workers),
    durationMs,
    perSecond,
    worker,
    workers,
  }))
}

function placeStep(step: Step, url: string, worker: number, workers: number, file: string): StepOrder {
  const own = (list: readonly string[]): string[] => list.filter((_, place) => place % workers === worker)
  const { name, expects, tokens } = step
  const common = { name, expects, keepsId: step.keepsId === true, pieces: piecesOf(step, url) }
  switch (tokens?.kind) {
    case undefined:
      return { ...common, tokens: { kind: 'none' } }
    case 'count':
      return { ...common, tokens: { kind: 'count', from: tokens.from + worker, stride: workers } }
    case 'answered':
      return { ...common, tokens: { kind: 'answered', seed: own(tokens.seed) } }
    case 'list':
    case 'requests':
      writeFileSync(file, own(tokens.list).join('\0'), 'latin1')
      return { ...common, tokens: { kind: 'file', file, again: tokens.kind === 'list' && tokens.again === true } }
  }
}

function connected(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('message', (message: FromWorker) => {
      if (message === 'connected') resolve()
    })
  })
}

function tallyOf(child: ChildProcess): Promise<WorkerTally> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: FromWorker) => {
      if (message === 'connected') return
      if ('tally' in message) resolve(message.tally)
      else reject(new Error(`the generator could not start: ${message.failed}`))
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`the generator ended: ${signal ?? `code ${code}`}`)))
  })
}

/** What all workers saw together. */
export function mergeTallies(
  tallies: readonly WorkerTally[],
  steps: readonly Pick<Step, 'name'>[],
  durationMs: number,
  perSecond: number | null,
): LoadResult {
  const sum = (read: (tally: WorkerTally) => number): number => tallies.reduce((total, tally) => total + read(tally), 0)
  const answers = Object.fromEntries(steps.map(({ name }, place) => [name, sum(({ ok }) => ok[place] ?? 0)]))
  const lastMs =
    Math.max(...tallies.map(({ endedMs }) => endedMs)) - Math.min(...tallies.map(({ startedMs }) => startedMs))
  const inTime = sum((tally) => tally.inTime)
  return {
    elapsedMs: lastMs,
    ok: Object.values(answers).reduce((total, count) => total + count, 0),
    refused: sum(({ refused }) => refused),
    errors: sum(({ errors }) => errors),
    failedConnects: sum(({ failedConnects }) => failedConnects),
    latencyUs: summariseLatency(mergeHistograms(tallies.map(({ latency }) => latency))),
    ranOut: tallies.some(({ ranOut }) => ranOut),
    answers,
    schedule: perSecond === null ? null : scheduleFacts(tallies, perSecond, inTime / (durationMs / 1_000)),
  }
}

function scheduleFacts(tallies: readonly WorkerTally[], perSecond: number, actualPerSecond: number): ScheduleFacts {
  const late = summariseLatency(mergeHistograms(tallies.map((tally) => tally.late)))
  return {
    perSecond,
    actualPerSecond,
    planned: tallies.reduce((total, { planned }) => total + planned, 0),
    unsent: tallies.reduce((total, { unsent }) => total + unsent, 0),
    lateUs: { p50: late.p50, p99: late.p99, max: late.max },
    loopBusy: Math.max(...tallies.map(({ loopBusy }) => loopBusy)),
  }
}
