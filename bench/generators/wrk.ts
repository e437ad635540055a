import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onlyStep, piecesOf, renderRequest } from './plan.ts'
import type { ChildProcess } from 'node:child_process'
import type { Generator, Load, LoadHooks, LoadResult } from './generator.ts'
import type { Latency } from './latency.ts'
import type { RequestTemplate, Step } from './plan.ts'

const constantScript = fileURLToPath(new URL('wrk-constant.lua', import.meta.url))
const variableScript = fileURLToPath(new URL('wrk.lua', import.meta.url))
/** How long a parked run may take to end; the server answers parked requests after 2 s. */
const graceSeconds = 5

/** What the scripts print. */
interface Printed {
  readonly sent: number
  readonly elapsedMs: number
  readonly incomplete: number
  readonly ranOut: number
  readonly status: number
  readonly broken: number
  readonly latencyUs: Latency
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
  readonly sendsMixes = false
  readonly #threads: number

  constructor(version: string, threads: number) {
    this.#threads = threads
    this.description = `wrk ${version}, ${threads} thread${threads === 1 ? '' : 's'}`
  }

  async run(load: Load, hooks: LoadHooks): Promise<LoadResult> {
    const threads = Math.min(this.#threads, load.connections)
    const { parking } = load.plan
    const step = onlyStep(load.plan)
    const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-wrk-'))
    try {
      const printed =
        parking === null
          ? await this.#runConstant(load, step, threads, hooks)
          : await this.#runVariable(load, step, parking, threads, folder, hooks)
      if (printed.incomplete > 0) throw new Error('wrk ended before all its requests were answered')
      const accepted = printed.sent - printed.status
      // wrk tells 2xx and 3xx from the rest, no more: where a refusal is expected, any refusal counts.
      const [ok, refused] = step.expects === '2xx' ? [accepted, printed.status] : [printed.status, accepted]
      return {
        elapsedMs: printed.elapsedMs,
        ok,
        refused,
        answers: { [step.name]: ok },
        schedule: null,
        errors: printed.broken,
        latencyUs: printed.latencyUs,
        ranOut: printed.ranOut > 0,
      }
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  #runConstant(load: Load, { template }: Step, threads: number, hooks: LoadHooks): Promise<Printed> {
    const { url, connections, durationMs } = load
    const headers = Object.entries(template.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
    const seconds = Math.max(1, Math.round(durationMs / 1_000))
    const args = [...size(threads, connections, seconds), ...headers, '-s', constantScript, url + template.path]
    const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    if (child.pid !== undefined) hooks.onStarted([child.pid])
    return result(child, hooks.signal)
  }

  #runVariable(
    { url, connections, durationMs }: Load,
    step: Step,
    parking: RequestTemplate,
    threads: number,
    folder: string,
    hooks: LoadHooks,
  ): Promise<Printed> {
    const { tokens } = step
    if (tokens === null || tokens.kind === 'answered') throw new Error('wrk needs tokens that are there before')
    const write = (name: string, content: string): string => {
      const file = join(folder, name)
      writeFileSync(file, content, 'latin1')
      return file
    }
    const environment = {
      ...process.env,
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
    }
    const seconds = Math.ceil(durationMs / 1_000) + graceSeconds
    const child = spawn('wrk', [...size(threads, connections, seconds), '-s', variableScript, url], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: environment,
    })
    let parked = 0
    let isStarted = false
    child.stderr.on('data', (chunk: Buffer) => {
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

function size(threads: number, connections: number, seconds: number): string[] {
  const perThread = Math.floor(connections / threads)
  return ['-t', String(threads), '-c', String(perThread * threads), '-d', `${seconds}s`, '--timeout', '10s']
}

function result(child: ChildProcess, signal: AbortSignal): Promise<Printed> {
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  signal.addEventListener('abort', kill, { once: true })
  let [output, errors] = ['', '']
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')))
  child.stderr?.on('data', (chunk: Buffer) => (errors += chunk.toString('utf8')))
  return new Promise<Printed>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      signal.removeEventListener('abort', kill)
      const json = output.split('\n').find((line) => line.startsWith('{'))
      if (json === undefined) reject(new Error(`wrk ended with code ${code}: ${output}${errors}`))
      else resolve(JSON.parse(json) as Printed)
    })
  })
}
