import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import {
  courierDrainMs,
  httpDrainMs,
  restartMaxMs,
  restartMinMs,
  restartResetMs,
  startDeadlineMs,
  webhookEndpointsMax,
  writerDrainMs,
} from '@penstock/domain/limits.ts'
import { CommandError, exitCodes } from './exit-code.ts'
import { prefixLines } from './prefix-lines.ts'
import type { ChildProcess } from 'node:child_process'
import type { Settings } from '@penstock/domain/settings.ts'
import type { ExitCode } from './exit-code.ts'

/**
 * Exit codes of the writer that no restart can cure, with that of the box: bad settings, another writer on this folder,
 * another schema.
 */
const hopelessCodes: ReadonlyMap<number | null, ExitCode> = new Map([
  [2, exitCodes.usage],
  [3, exitCodes.refused],
  [4, exitCodes.refused],
])

/** Names are looked up on these threads: one for each endpoint, so that a silent name server keeps no other waiting. */
const courierEnvironment = { UV_THREADPOOL_SIZE: String(webhookEndpointsMax + 4) }

/** Helper threads that Node gives to V8 by itself. */
const v8ThreadsDefault = 4

/**
 * Flags of Node for each process. V8 collects garbage and compiles in helper threads: those of four processes, four each,
 * otherwise take a machine of few cores away from the sale for tens of milliseconds (docs/performance-log.md).
 */
function nodeFlags(cores: number): string[] {
  return [`--v8-pool-size=${Math.min(v8ThreadsDefault, Math.max(1, cores - 1))}`]
}

/** What runs now. A pid is null while its process is being replaced. */
export interface BoxState {
  /** The port HTTP is served on; 0 until the first process listens. */
  readonly port: number
  readonly writer: number | null
  readonly http: readonly (number | null)[]
  readonly courier: number | null
}

export interface SupervisorDeps {
  readonly settings: Settings
  readonly environment: NodeJS.ProcessEnv
  readonly cores: number
  readonly log: (line: string) => void
  readonly onState: (state: BoxState) => void
  /** A process ended in a way that no restart can cure: the box must stop. */
  readonly onHopeless: (reason: CommandError) => void
}

/**
 * Runs one box in the foreground: the writer first, then the HTTP processes and the courier; restarts what dies, with
 * backoff; stops in the order that loses nothing: HTTP answers what it took, the courier notes what it has delivered, then
 * the writer ends.
 */
export class Supervisor {
  readonly #deps: SupervisorDeps
  readonly #writer: Worker
  readonly #http: Worker[]
  readonly #courier: Worker
  #port: number

  constructor(deps: SupervisorDeps) {
    this.#deps = deps
    this.#port = deps.settings.port
    this.#writer = this.#worker('writer', '../writer/main.ts', writerDrainMs)
    this.#http = Array.from({ length: deps.settings.httpProcesses }, (_, index) =>
      this.#worker(`http-${index + 1}`, '../http/main.ts', httpDrainMs),
    )
    this.#courier = this.#worker('courier', '../courier/main.ts', courierDrainMs, courierEnvironment)
  }

  /** Resolves when every process is ready. Rejects, with everything stopped, when one cannot start. */
  async start(): Promise<void> {
    try {
      await this.#writer.start()
      // The first one settles the port when it is 0: the others share it.
      const [first, ...others] = this.#http
      await first?.start()
      await Promise.all([...others, this.#courier].map((worker) => worker.start()))
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#http, this.#courier].map((worker) => worker.stop()))
    await this.#writer.stop()
  }

  #worker(name: string, script: string, drainMs: number, extra: NodeJS.ProcessEnv = {}): Worker {
    return new Worker(name, fileURLToPath(new URL(script, import.meta.url)), drainMs, {
      environment: () => ({ ...this.#deps.environment, ...extra, PENSTOCK_PORT: String(this.#port) }),
      nodeFlags: [...process.execArgv, ...nodeFlags(this.#deps.cores)],
      log: this.#deps.log,
      onListening: (port) => {
        this.#port = port
      },
      onChange: () => this.#report(),
      onHopeless: this.#deps.onHopeless,
    })
  }

  #report(): void {
    this.#deps.onState({
      port: this.#port,
      writer: this.#writer.pid,
      http: this.#http.map((worker) => worker.pid),
      courier: this.#courier.pid,
    })
  }
}

interface WorkerDeps {
  readonly environment: () => NodeJS.ProcessEnv
  readonly nodeFlags: readonly string[]
  readonly log: (line: string) => void
  readonly onListening: (port: number) => void
  readonly onChange: () => void
  readonly onHopeless: (reason: CommandError) => void
}

/** One supervised process: started, kept running, stopped. */
class Worker {
  readonly #name: string
  readonly #script: string
  readonly #drainMs: number
  readonly #deps: WorkerDeps
  #child: ChildProcess | null = null
  #mode: 'stopped' | 'running' | 'stopping' = 'stopped'
  #backoffMs = restartMinMs
  #restart: NodeJS.Timeout | null = null

  constructor(name: string, script: string, drainMs: number, deps: WorkerDeps) {
    this.#name = name
    this.#script = script
    this.#drainMs = drainMs
    this.#deps = deps
  }

  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  /** Resolves when the process says it is ready; rejects when it ends or stays silent before that. */
  start(): Promise<void> {
    this.#mode = 'running'
    return new Promise((resolve, reject) => {
      const child = this.#spawn(resolve)
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        const message = `${this.#name} ended before it was ready (${signal ?? `exit code ${code}`})`
        reject(new CommandError(hopelessCodes.get(code) ?? exitCodes.failed, message))
      })
    })
  }

  /** Asks the process to drain and waits; kills it when it takes longer than it may. */
  stop(): Promise<void> {
    this.#mode = 'stopping'
    if (this.#restart !== null) clearTimeout(this.#restart)
    const child = this.#child
    if (child === null) return Promise.resolve()
    return new Promise((resolve) => {
      // A second more than the process gives itself.
      const deadline = setTimeout(() => child.kill('SIGKILL'), this.#drainMs + 1_000)
      child.once('exit', () => {
        clearTimeout(deadline)
        resolve()
      })
      child.kill('SIGTERM')
    })
  }

  #spawn(onReady: () => void): ChildProcess {
    // In a process group of its own, so that Ctrl-C in the terminal reaches the supervisor only, which stops the
    // processes in order. Should the supervisor die, the closed IPC channel tells the process to stop.
    const child = fork(this.#script, {
      env: this.#deps.environment(),
      execArgv: [...this.#deps.nodeFlags],
      detached: true,
      silent: true,
    })
    this.#child = child
    const startedMs = performance.now()
    const deadline = setTimeout(() => {
      this.#deps.log(`${this.#name} was not ready within ${startDeadlineMs} ms and is killed`)
      child.kill('SIGKILL')
    }, startDeadlineMs)
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) prefixLines(stream, `${this.#name.padEnd(7)} | `, this.#deps.log)
    }
    child.on('message', (message) => {
      if (typeof message === 'object' && 'listening' in message) this.#deps.onListening(Number(message.listening))
      // How long that takes depends on the size of the database, and a writer that is killed starts from the beginning.
      if (message === 'opening') clearTimeout(deadline)
      if (message !== 'ready') return
      clearTimeout(deadline)
      onReady()
      this.#deps.onChange()
    })
    child.once('error', (error) => this.#deps.log(`${this.#name}: ${error.message}`))
    child.once('exit', (code, signal) => {
      clearTimeout(deadline)
      this.#exited(code, signal, performance.now() - startedMs)
    })
    return child
  }

  #exited(code: number | null, signal: NodeJS.Signals | null, uptimeMs: number): void {
    this.#child = null
    this.#deps.onChange()
    if (this.#mode !== 'running') {
      this.#mode = 'stopped'
      return
    }
    const cause = signal ?? `exit code ${code}`
    const hopelessCode = hopelessCodes.get(code)
    if (hopelessCode !== undefined) {
      this.#mode = 'stopped'
      const message = `${this.#name} ended (${cause}), which a restart cannot cure: see its last line`
      this.#deps.onHopeless(new CommandError(hopelessCode, message))
      return
    }
    this.#backoffMs = uptimeMs >= restartResetMs ? restartMinMs : Math.min(this.#backoffMs * 2, restartMaxMs)
    this.#deps.log(`${this.#name} ended (${cause}); starting it again in ${this.#backoffMs} ms`)
    this.#restart = setTimeout(() => {
      this.#restart = null
      this.#spawn(() => this.#deps.log(`${this.#name} is back`))
    }, this.#backoffMs)
  }
}
