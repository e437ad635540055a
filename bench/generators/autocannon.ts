import { fork } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, decodeFromCompressedBase64 } from 'hdr-histogram-js'
import { renderPieces, lengthOfTokens } from './generator.ts'
import type { ChildProcess } from 'node:child_process'
import type { Order, ProcessMessage, Tally } from './autocannon-process.ts'
import type { Generator, Latency, Load, LoadHooks, LoadResult } from './generator.ts'

const script = fileURLToPath(new URL('autocannon-process.ts', import.meta.url))

/**
 * autocannon, one or more of them, each in a process of its own so that it shares an event loop with nothing. Its own
 * `workers` option does the same with threads, but cannot end a phase without cutting requests off.
 */
export class Autocannon implements Generator {
  readonly name = 'autocannon'
  readonly description: string
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
      for (const _ of orders) children.push(fork(script, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }))
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
      return mergeTallies(await Promise.all(tallies))
    } finally {
      signal.removeEventListener('abort', kill)
      kill()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

function placeOrders({ url, plan, connections, durationMs }: Load, processes: number, folder: string): Order[] {
  const { template, variation } = plan
  const tokens = variation?.tokens ?? null
  const tokensFile = tokens?.kind === 'list' ? join(folder, 'tokens') : null
  if (tokens?.kind === 'list' && tokensFile !== null) writeFileSync(tokensFile, tokens.list.join('\n'))
  return Array.from({ length: processes }, (_, index) => ({
    url,
    connections: Math.floor((connections + index) / processes),
    durationMs,
    pieces: renderPieces(template, url, tokens === null ? 0 : lengthOfTokens(tokens)),
    tokensFile,
    countFrom: tokens?.kind === 'count' ? tokens.from : null,
    index,
    stride: processes,
    parking: variation === null ? null : renderPieces(variation.parking, url, 0).join(''),
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

function mergeTallies(tallies: readonly Tally[]): LoadResult {
  const sum = (read: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + read(tally), 0)
  const started = Math.min(...tallies.map(({ startedMs }) => startedMs))
  const ended = Math.max(...tallies.map(({ endedMs }) => endedMs))
  return {
    elapsedMs: ended - started,
    ok: sum(({ ok }) => ok),
    refused: sum(({ refused }) => refused),
    errors: sum(({ errors }) => errors),
    latencyUs: mergeLatency(tallies),
    ranOut: tallies.some(({ ranOut }) => ranOut),
  }
}

function mergeLatency(tallies: readonly Tally[]): Latency {
  const all = build({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000, numberOfSignificantValueDigits: 3 })
  for (const { latency } of tallies) all.add(decodeFromCompressedBase64(latency))
  return {
    p50: all.getValueAtPercentile(50),
    p90: all.getValueAtPercentile(90),
    p99: all.getValueAtPercentile(99),
    p999: all.getValueAtPercentile(99.9),
    max: all.maxValue,
  }
}
