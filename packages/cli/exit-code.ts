/** How a command ended: the exit codes of `penstock`, also in docs/cli.md. */
export const exitCodes = {
  done: 0,
  /** It failed while running: a missing file, a full disk, a bug. */
  failed: 1,
  /** Wrong usage, settings, file, or filter of a list (the server's 400 to a read). Nothing was done. */
  usage: 2,
  /** What was looked at is not as it must be: `audit` and `doctor`. */
  unsound: 3,
  /** Refused: by the server, because a writer runs, or for the database's schema. Asking again changes nothing. */
  refused: 4,
  /** No server answered, or it was too busy: ask again later. */
  unavailable: 5,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

export const exitCodeMeanings: Readonly<Record<ExitCode, string>> = {
  0: 'done',
  1: 'it failed while running',
  2: 'wrong usage, settings, file or filter; nothing was done',
  3: 'audit or doctor found something wrong',
  4: 'refused: by the server, by a running writer, or by a database of another release',
  5: 'no server answered, or it is too busy: try again later',
}

/** A command ends with `exitCode`; the message is for the user. */
export class CommandError extends Error {
  readonly exitCode: ExitCode
  /** What `--json` prints as `error`. */
  readonly facts: object
  constructor(exitCode: ExitCode, message: string, facts: object = {}, cause?: unknown) {
    super(message, { cause })
    this.name = 'CommandError'
    this.exitCode = exitCode
    this.facts = facts
  }
}

/** The user asked for something that cannot be done. */
export function usageError(message: string): CommandError {
  return new CommandError(exitCodes.usage, message)
}
