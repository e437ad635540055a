import type { Maintenance } from '@penstock/store/maintenance.ts'
import type { ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'

/** One command of `penstock`: help, docs and parsing are made from it. */
export interface Command {
  /** `drop import`: at most a group and a word. */
  readonly name: string
  /** One line, imperative, without a full stop. */
  readonly summary: string
  readonly args?: readonly Argument[]
  readonly options?: readonly Option[]
  /** What else a stranger needs to know, below the options. */
  readonly notes?: string
  readonly run: (call: Call, context: Context) => Promise<ExitCode> | ExitCode
}

export interface Argument {
  /** `<file>`, or `[id]` when it may be missing. */
  readonly usage: string
  readonly summary: string
}

export interface Option {
  /** `--data <folder>`, or `--json` for a switch. */
  readonly flags: string
  readonly summary: string
  /** May be given several times. */
  readonly repeatable?: boolean
}

/** What the world looks like to a command; main.ts makes it. */
export interface Context {
  readonly environment: NodeJS.ProcessEnv
  readonly cores: number
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly output: Output
  /** Loads the database library, which a command that needs none must not depend on. */
  readonly openMaintenance: () => Promise<Maintenance>
}

/** One use of a command. */
export class Call {
  readonly args: readonly string[]
  readonly #options: Readonly<Record<string, unknown>>

  constructor(args: readonly string[], options: Readonly<Record<string, unknown>>) {
    this.args = args
    this.#options = options
  }

  /** The value of `--name <value>`; undefined when it was not given. `name` in camelCase. */
  text(name: string): string | undefined {
    const value = this.#options[name]
    return typeof value === 'string' ? value : undefined
  }

  /** Whether the switch was given. */
  has(name: string): boolean {
    return this.#options[name] === true
  }

  /** Whether the switch `--no-name` was given. */
  isOff(name: string): boolean {
    return this.#options[name] === false
  }

  /** The values of a repeatable option. */
  list(name: string): readonly string[] {
    const value = this.#options[name]
    return Array.isArray(value) ? value.map(String) : []
  }

  get json(): boolean {
    return this.has('json')
  }
}
