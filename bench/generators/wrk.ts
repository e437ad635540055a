import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { sendsOf } from './choice.ts'
import { onlyStep, piecesOf, renderRequest } from './plan.ts'
import { wrkPlan } from './wrk-plan.ts'
import type { ChildProcess } from 'node:child_process'
import type { Generator, Load, LoadHooks, LoadResult } from './generator.ts'
import type { Latency } from './latency.ts'
import type { RequestTemplate, Step } from './plan.ts'

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url))
const commonScript = script('wrk-common.lua')
const constantScript = script('wrk-constant.lua')
const variableScript = script('wrk.lua')
const mixScript = script('wrk-mix.lua')
/** How long a parked run may take to end; the server answers parked requests after 2 s. */
const graceSeconds = 5

/** What every script prints. */
interface Printed {
  readonly sent: number
  readonly elapsedMs: number
  /** Threads that did not see the end of all their requests. */
  readonly incomplete: number
  readonly ranOut: number
  readonly broken: number
  readonly failedConnects: number
  readonly latencyUs: Latency
}

/** wrk tells 2xx and 3xx from the rest, no more. */
interface PrintedStatus extends Printed {
  readonly status: number
}

/** Answers of each thread: those that each step expects, and then all others. */
interface PrintedCounts extends Printed {
  readonly counts: readonly (readonly number[])[]
}

/** The version, or null where there is no wrk. */
export function findWrk(): string | null {
  const { stdout, error } = spawnSync('wrk', ['-v'], { encoding: 'utf8' })
  return error === undefined ? (/^wrk \D*([\d.]+)/.exec(stdout)?.[1] ?? 'of unknown version') : null
}

/** wrk: the highest load per core of all generators here. */
export class Wrk implements Generator {
  readonly name = 'wrk'
  readonly description: string
  readonly sends = sendsOf.wrk
  readonly #threads: number
  readonly #looksAtAnswers: boolean

  /** `looksAtAnswers`: at every answer, also where only one kind is sent. Needed for more than 4,000 connections. */
  constructor(version: string, threads: number, { looksAtAnswers = false } = {}) {
    this.#threads = threads
    this.#looksAtAnswers = looksAtAnswers
    this.description = `wrk ${version}, ${threads} thread${threads === 1 ? '' : 's'}`
  }

  async run(load: Load, hooks: LoadHooks): Promise<LoadResult> {
    hooks.signal.throwIfAborted()
    const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-wrk-'))
    try {
      const { parking, steps } = load.plan
      if (parking === null) return describeStatus(await this.#runConstant(load, hooks), onlyStep(load.plan))
      if (steps.length > 1 || this.#looksAtAnswers) {
        return describeCounts(await this.#runMix(load, parking, folder, hooks), steps)
      }
      return describeStatus(await this.#runVariable(load, parking, folder, hooks), onlyStep(load.plan))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  #runConstant({ plan, url, connections, durationMs }: Load, hooks: LoadHooks): Promise<PrintedStatus> {
    const { template } = onlyStep(plan)
    const headers = Object.entries(template.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    const args = [...headers, '-s', constantScript, url + template.path]
    const seconds = Math.max(1, Math.round(durationMs / 1_000))
    const child = this.#spawn(connections, seconds, args, {})
    if (child.pid !== undefined) hooks.onStarted([child.pid])
    return result(child, hooks.signal)
  }

  #runVariable(load: Load, parking: RequestTemplate, folder: string, hooks: LoadHooks): Promise<PrintedStatus> {
    const { plan, url, connections, durationMs } = load
    const step = onlyStep(plan)
    const { tokens } = step
    if (tokens === null || tokens.kind === 'answered') throw new Error('wrk needs tokens that are there before')
    const write = (name: string, content: string): string => writeLatin1(join(folder, name), content)
    const threads = this.#threadsFor(connections)
    return this.#runParked(variableScript, load, hooks, {
      BENCH_THREADS: String(threads),
      BENCH_THREAD_CONNECTIONS: String(Math.floor(connections / threads)),
      BENCH_SECONDS: String(durationMs / 1_000),
      BENCH_PIECES: write('pieces', piecesOf(step, url).join('\0')),
      BENCH_PARKING: write('parking', renderRequest(parking, url)),
      ...(tokens.kind === 'count'
        ? { BENCH_COUNT_FROM: String(tokens.from) }
        : {
            BENCH_TOKENS: write('tokens', tokens.list.join('\0')),
            BENCH_AGAIN: tokens.kind === 'list' && tokens.again === true ? '1' : '0',
          }),
    })
  }

  #runMix(load: Load, parking: RequestTemplate, folder: string, hooks: LoadHooks): Promise<PrintedCounts> {
    const { url, connections, durationMs, plan } = load
    const [threads, seconds] = [this.#threadsFor(connections), durationMs / 1_000]
    const { lua, files } = wrkPlan(plan, parking, { url, threads, seconds, folder })
    for (const [file, content] of files) writeLatin1(file, content)
    return this.#runParked(mixScript, load, hooks, { BENCH_PLAN: writeLatin1(join(folder, 'plan.lua'), lua) })
  }

  #threadsFor(connections: number): number {
    return Math.min(this.#threads, connections)
  }

  #spawn(connections: number, seconds: number, args: readonly string[], env: Record<string, string>): ChildProcess {
    const threads = this.#threadsFor(connections)
    const size = ['-t', String(threads), '-c', String(Math.floor(connections / threads) * threads)]
    return spawn('wrk', [...size, '-d', `${seconds}s`, '--timeout', '10s', ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C in the terminal is for the bench.
      detached: true,
      env: { ...process.env, BENCH_COMMON: commonScript, ...env },
    })
  }

  /** A run that ends when every thread says that all its requests are answered. */
  #runParked<Output extends Printed>(
    file: string,
    { url, connections, durationMs }: Load,
    hooks: LoadHooks,
    env: Record<string, string>,
  ): Promise<Output> {
    const threads = this.#threadsFor(connections)
    const seconds = Math.ceil(durationMs / 1_000) + graceSeconds
    const child = this.#spawn(connections, seconds, ['-s', file, url], env)
    let parked = 0
    let isStarted = false
    child.stderr?.on('data', (chunk: Buffer) => {
      const lines = chunk.toString('utf8').split('\n')
      if (!isStarted && lines.includes('started') && child.pid !== undefined) {
        isStarted = true
        hooks.onStarted([child.pid])
      }
      parked += lines.filter((line) => line === 'parked').length
      // wrk sleeps until its own time is over, unless it is interrupted; then it prints as usual.
      if (parked === threads) child.kill('SIGINT')
    })
    return result(child, hooks.signal)
  }
}

function writeLatin1(file: string, content: string): string {
  writeFileSync(file, content, 'latin1')
  return file
}

/** What a run of wrk.lua or wrk-constant.lua saw. Where a refusal is expected, any refusal counts. */
export function describeStatus(printed: PrintedStatus, { name, expects }: Pick<Step, 'name' | 'expects'>): LoadResult {
  const accepted = printed.sent - printed.status
  if (accepted < 0) throw new Error(`wrk counted ${printed.status} refusals of ${printed.sent} requests`)
  const [ok, refused] = expects === '2xx' ? [accepted, printed.status] : [printed.status, accepted]
  return { ...describe(printed), ok, refused, answers: { [name]: ok } }
}

/** What a run of wrk-mix.lua saw. */
export function describeCounts(printed: PrintedCounts, steps: readonly Pick<Step, 'name'>[]): LoadResult {
  const at = (place: number): number => printed.counts.reduce((sum, counts) => sum + (counts[place] ?? 0), 0)
  const answers = Object.fromEntries(steps.map(({ name }, place) => [name, at(place)]))
  const ok = Object.values(answers).reduce((sum, count) => sum + count, 0)
  return { ...describe(printed), ok, refused: at(steps.length), answers }
}

function describe(printed: Printed): Omit<LoadResult, 'ok' | 'refused' | 'answers'> {
  if (printed.incomplete > 0) throw new Error('wrk ended before all its requests were answered')
  const { elapsedMs, broken, failedConnects, latencyUs, ranOut } = printed
  return { elapsedMs, schedule: null, errors: broken, failedConnects, latencyUs, ranOut: ranOut > 0 }
}

function result<Output extends Printed>(child: ChildProcess, signal: AbortSignal): Promise<Output> {
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  signal.addEventListener('abort', kill, { once: true })
  let [output, errors] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
  return new Promise<Output>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      signal.removeEventListener('abort', kill)
      const json = output.split('\n').find((line) => line.startsWith('{'))
      if (json === undefined) reject(new Error(`wrk ended with code ${code}: ${output}${errors}`))
      else resolve(JSON.parse(json) as Output)
    })
  })
}
