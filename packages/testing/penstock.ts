import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const cliPath = fileURLToPath(new URL('../cli/main.ts', import.meta.url))

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface PenstockOptions {
  readonly cwd?: string
  /** Beside PATH and HOME; settings of the shell do not leak in. */
  readonly environment?: Readonly<Record<string, string>>
}

/** `penstock ...args`, run to its end as a stranger would. */
export async function penstock(args: readonly string[], options: PenstockOptions = {}): Promise<Ended> {
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [cliPath, ...args], {
    cwd: options.cwd,
    env: { PATH, HOME, ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code: code as number | null, stdout, stderr }
}
