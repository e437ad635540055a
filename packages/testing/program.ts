import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ChildProcess } from 'node:child_process'

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const scripts = {
  cli: '../cli/main.ts',
  writer: '../writer/main.ts',
  http: '../http/main.ts',
  courier: '../courier/main.ts',
} as const

/** One process of Penstock, run by hand: what it prints and how it ends. Ends with the process that started it. */
export class Program {
  readonly exited: Promise<Exit>
  /** What it said over the IPC channel, such as `{box: ...}` of `penstock start`. */
  readonly messages: unknown[] = []
  readonly #child: ChildProcess
  readonly #waiters = new Set<() => void>()
  #output = ''

  private constructor(child: ChildProcess) {
    this.#child = child
    const changed = (): void => {
      for (const check of this.#waiters) check()
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
        changed()
      })
    }
    child.on('message', (message) => {
      this.messages.push(message)
      changed()
    })
    // Node's own "close" does not come when the IPC channel was closed from this side.
    const ended = [child.stdout, child.stderr].map((stream) => stream && once(stream, 'close'))
    this.exited = Promise.all([once(child, 'exit'), ...ended]).then(([[code, signal]]) => {
      changed()
      return { code: code as number | null, signal: signal as NodeJS.Signals | null }
    })
  }

  /** `environment` is the only one: settings of the shell do not leak in. */
  static start(
    script: keyof typeof scripts,
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Program {
    const { PATH = '', HOME = '' } = process.env
    const path = fileURLToPath(new URL(scripts[script], import.meta.url))
    // Not the options of the Node.js that runs the tests.
    const options = { silent: true, detached: true, execArgv: [], env: { PATH, HOME, ...environment } }
    return new Program(fork(path, args, options))
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the process did not start')
    return this.#child.pid
  }

  get output(): string {
    return this.#output
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The match of `pattern` in the output, once there is one. Rejects when the process ends or is silent for too long. */
  printed(pattern: RegExp, deadlineMs = 15_000): Promise<RegExpExecArray> {
    return this.#when(String(pattern), deadlineMs, () => pattern.exec(this.#output))
  }

  /** Resolves once the process has said it is ready. */
  async ready(deadlineMs = 15_000): Promise<void> {
    await this.#when('ready', deadlineMs, () => (this.messages.includes('ready') ? true : null))
  }

  #when<Value>(what: string, deadlineMs: number, look: () => Value | null): Promise<Value> {
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        clearTimeout(deadline)
        this.#waiters.delete(check)
        settle()
      }
      const fail = (reason: string): void => reject(new Error(`${what}: ${reason}. It printed:\n${this.#output}`))
      const check = (): void => {
        const found = look()
        if (found !== null) finish(() => resolve(found))
        else if (!this.isRunning) finish(() => fail('the process ended first'))
      }
      const deadline = setTimeout(() => finish(() => fail(`not within ${deadlineMs} ms`)), deadlineMs)
      this.#waiters.add(check)
      check()
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Closes the IPC channel, as when the program that started it dies. */
  disconnect(): void {
    this.#child.disconnect()
  }

  /** SIGTERM, then its exit. A paused process is woken first. */
  async stop(): Promise<Exit> {
    if (this.isRunning) {
      this.kill('SIGCONT')
      this.kill('SIGTERM')
    }
    return this.exited
  }
}
