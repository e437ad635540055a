import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const cliPath = fileURLToPath(new URL('../packages/cli/main.ts', import.meta.url))

/** What `penstock audit --json` prints, as far as it is used. */
interface Audited {
  readonly sound: boolean
  readonly violations: readonly { check: string; table: string; key: string; expected: string; found: string }[]
}

/** Runs `penstock audit` in a process of its own. Null: the data is sound; otherwise what is broken first. */
export async function auditData(dataFolder: string, signal: AbortSignal): Promise<string | null> {
  const child = spawn(process.execPath, [cliPath, 'audit', '--data', dataFolder, '--json'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    signal,
    killSignal: 'SIGKILL',
  })
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (output === '') return `the audit ended with code ${code}: ${errors.trim()}`
  const { sound, violations } = JSON.parse(output) as Audited
  if (sound) return null
  const [first] = violations
  return `the audit found ${violations.length} rows broken; ${first?.check}: ${first?.key} should be ${first?.expected}, is ${first?.found}`
}
