import { fork } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'

const cliPath = fileURLToPath(new URL('../cli/main.ts', import.meta.url))

export interface BoxOptions {
  readonly httpProcesses?: number
  readonly transport?: 'auto' | 'uws' | 'node'
  /** An existing data folder, which is kept. Absent: a new one, removed by `stop`. */
  readonly dataFolder?: string
  readonly environment?: Readonly<Record<string, string>>
}

interface Pids {
  readonly writer: number | null
  readonly http: readonly (number | null)[]
  readonly courier: number | null
}

/** A whole box, run as a stranger would: `penstock start` in a process of its own, on a free port. */
export class Box {
  readonly url: string
  readonly dataFolder: string
  readonly secretKey: string
  readonly publishableKey: string
  readonly #child: ChildProcess
  readonly #ownsFolder: boolean
  readonly #state: { pids: Pids; readonly lines: string[]; readonly waiters: Set<() => void> }

  private constructor(
    child: ChildProcess,
    dataFolder: string,
    ownsFolder: boolean,
    port: number,
    state: { pids: Pids; lines: string[]; waiters: Set<() => void> },
  ) {
    this.#child = child
    this.#ownsFolder = ownsFolder
    this.#state = state
    this.dataFolder = dataFolder
    this.url = `http://127.0.0.1:${port}`
    const keys = JSON.parse(readFileSync(join(dataFolder, 'bootstrap-keys.json'), 'utf8')) as Record<string, string>
    this.secretKey = keys['secret_key'] ?? ''
    this.publishableKey = keys['publishable_key'] ?? ''
  }

  /** Resolves when every process is ready. Rejects with the box's own output when it does not start. */
  static start(options: BoxOptions = {}): Promise<Box> {
    const dataFolder = options.dataFolder ?? mkdtempSync(join(tmpdir(), 'penstock-box-'))
    const child = fork(cliPath, ['start', '--no-seed'], {
      silent: true,
      // Ctrl-C is for the program that started the box. Should that die, the closed IPC channel stops the box.
      detached: true,
      env: {
        ...withoutSettings(process.env),
        PENSTOCK_DATA: dataFolder,
        PENSTOCK_PORT: '0',
        PENSTOCK_HTTP_PROCESSES: String(options.httpProcesses ?? 2),
        PENSTOCK_TRANSPORT: options.transport ?? 'auto',
        ...options.environment,
      },
    })
    const state = {
      pids: { writer: null, http: [], courier: null } as Pids,
      lines: [] as string[],
      waiters: new Set<() => void>(),
    }
    let port = 0
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        state.lines.push(text)
        for (const check of state.waiters) check()
      })
    }
    return new Promise((resolve, reject) => {
      child.on('message', (message) => {
        if (typeof message === 'object' && 'box' in message) {
          const box = message.box as Pids & { port: number }
          port = box.port
          state.pids = box
          for (const check of state.waiters) check()
        }
        if (message === 'ready') resolve(new Box(child, dataFolder, options.dataFolder === undefined, port, state))
      })
      child.once('exit', (code) => reject(new Error(`the box ended with code ${code}:\n${state.lines.join('')}`)))
    })
  }

  get pids(): Pids {
    return this.#state.pids
  }

  /** Everything the box has printed. */
  get output(): string {
    return this.#state.lines.join('')
  }

  get databasePath(): string {
    return join(this.dataFolder, 'penstock.db')
  }

  /** Resolves once `condition` holds; looked at whenever a process came or went or a line was printed. */
  until(condition: (box: Box) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!condition(this)) return
        this.#state.waiters.delete(check)
        resolve()
      }
      this.#state.waiters.add(check)
      check()
    })
  }

  /** kill -9 of the writer. Resolves once another one runs. */
  async killWriter(): Promise<void> {
    const pid = this.pids.writer
    if (pid === null) throw new Error('there is no writer to kill')
    process.kill(pid, 'SIGKILL')
    await this.until(({ pids }) => pids.writer !== null && pids.writer !== pid)
  }

  /** kill -9 of the courier. Resolves once another one runs. */
  async killCourier(): Promise<void> {
    const pid = this.pids.courier
    if (pid === null) throw new Error('there is no courier to kill')
    process.kill(pid, 'SIGKILL')
    await this.until(({ pids }) => pids.courier !== null && pids.courier !== pid)
  }

  /** Drains and stops everything. The exit code of the box must be 0. */
  async stop(): Promise<void> {
    const child = this.#child
    const ended = new Promise<number | null>((resolve) => {
      if (child.exitCode !== null || child.signalCode !== null) resolve(child.exitCode)
      else child.once('exit', resolve)
    })
    child.kill('SIGTERM')
    const code = await ended
    if (this.#ownsFolder) rmSync(this.dataFolder, { recursive: true, force: true })
    if (code !== 0) throw new Error(`the box stopped with code ${code}:\n${this.output}`)
  }
}

/** Settings of the shell that runs the tests must not leak into them. */
function withoutSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(PENSTOCK|STRIPE)_/.test(name)))
}
