import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sendsOf } from './choice.ts'
import { mergeHistograms, summariseLatency } from './latency.ts'
import { onlyStep, piecesOf, renderRequest } from './plan.ts'
import type { ChildProcess } from 'node:child_process'
import type { Order, ProcessMessage, Tally } from './autocannon-process.ts'
import type { Generator, Load, LoadHooks, LoadResult } from './generator.ts'

const script = fileURLToPath(new URL('autocannon-process.ts', import.meta.url))

/**
 * autocannon, one or more of them, each in a process of its own so that it shares an event loop with nothing. Its own
 * `workers` option does the same with threads, but cannot end a phase without cutting requests off.
 */
export class Autocannon implements Generator {
  readonly name = 'autocannon'
  readonly description: string
  readonly sends = sendsOf.autocannon
  readonly #processes: number

  constructor(version: string, processes: number) {
    this.#processes = processes
    this.description = `autocannon ${version}, ${processes} process${processes === 1 ? '' : 'es'}`
  }

  async run(load: Load, { onStarted, signal }: LoadHooks): Promise<LoadResult> {
    const processes = Math.min(this.#processes, load.connections)
    const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-autocannon-'))
    const children: ChildProcess[] = []
    const kill = (): void => {
      for (const child of children) child.kill('SIGKILL')
    }
    signal.addEventListener('abort', kill, { once: true })
    try {
      const orders = placeOrders(load, processes, folder)
      for (const _ of orders)
        children.push(fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true }))
      const tallies = children.map((child) => tallyOf(child))
      // Handled below; one that fails early must not count as unhandled until then.
      for (const tally of tallies) tally.catch(() => undefined)
      await Promise.all(
        children.map((child, index) => {
          child.send({ order: orders[index] })
          return Promise.race([loaded(child), tallies[index]])
        }),
      )
      for (const child of children) child.send('go')
      onStarted(children.flatMap(({ pid }) => pid ?? []))
      return mergeTallies(await Promise.all(tallies), onlyStep(load.plan).name)
    } finally {
      signal.removeEventListener('abort', kill)
      kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function placeOrders({ url, plan, connections, durationMs }: Load, processes: number, folder: string): Order[] {
  const step = onlyStep(plan)
  const { tokens } = step
  if (tokens?.kind === 'answered') throw new Error('autocannon does not read answers')
  const list = tokens === null || tokens.kind === 'count' ? null : tokens.list
  const tokensFile = list === null ? null : join(folder, 'tokens')
  if (list !== null && tokensFile !== null) writeFileSync(tokensFile, list.join('\0'), 'latin1')
  return Array.from({ length: processes }, (_, index) => ({
    url,
    connections: Math.floor((connections + index) / processes),
    durationMs,
    pieces: piecesOf(step, url),
    tokensFile,
    countFrom: tokens?.kind === 'count' ? tokens.from : null,
    index,
    stride: processes,
    parking: plan.parking === null ? null : renderRequest(plan.parking, url),
    expects: step.expects,
    again: tokens?.kind === 'list' && tokens.again === true,
  }))
}

function loaded(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('message', (message: ProcessMessage) => {
      if (message === 'loaded') resolve()
    })
  })
}

function tallyOf(child: ChildProcess): Promise<Tally> {
  return new Promise((resolve, reject) => {
    child.on('message', (message: ProcessMessage) => {
      if (message !== 'loaded') resolve(message.tally)
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => reject(new Error(`autocannon ended: ${signal ?? `code ${code}`}`)))
  })
}

function mergeTallies(tallies: readonly Tally[], step: string): LoadResult {
  const sum = (read: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + read(tally), 0)
  const started = Math.min(...tallies.map(({ startedMs }) => startedMs))
  const ended = Math.max(...tallies.map(({ endedMs }) => endedMs))
  return {
    elapsedMs: ended - started,
    ok: sum(({ ok }) => ok),
    refused: sum(({ refused }) => refused),
    errors: sum(({ errors }) => errors),
    failedConnects: 0,
    latencyUs: summariseLatency(mergeHistograms(tallies.map(({ latency }) => latency))),
    ranOut: tallies.some(({ ranOut }) => ranOut),
    answers: { [step]: sum(({ ok }) => ok) },
    schedule: null,
  }
}
