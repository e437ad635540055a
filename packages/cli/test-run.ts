import { runCommandLine } from './command-line.ts'
import { Output } from './output.ts'
import type { Context } from './command.ts'
import type { ExitCode } from './exit-code.ts'

export interface Ran {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line in this process, as a pipe would see it. For tests. */
export async function runForTest(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  context: Partial<Context> = {},
): Promise<Ran> {
  const written = { stdout: '', stderr: '' }
  const stream = (name: keyof typeof written): NodeJS.WriteStream => {
    const write = (text: string): boolean => {
      written[name] += text
      return true
    }
    return { write, isTTY: false, on: () => undefined } as unknown as NodeJS.WriteStream
  }
  const code = await runCommandLine(args, '1.2.3', {
    environment,
    cores: 2,
    clock: () => 1_800_000_000_000,
    output: new Output(stream('stdout'), stream('stderr')),
    openMaintenance: () => Promise.reject(new Error('this test needs no database')),
    ...context,
  })
  return { code, ...written }
}
