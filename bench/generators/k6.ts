import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sendsOf } from './choice.ts'
import { k6Script } from './k6-script.ts'
import type { Generator, Load, LoadHooks, LoadResult } from './generator.ts'
import type { Step } from './plan.ts'

/** What the script prints at its end. */
export interface K6Printed {
  readonly elapsedMs: number
  readonly ok: readonly number[]
  readonly refused: number
  /** Requests without an answer. */
  readonly lost: number
  readonly turns: number
  /** Turns that there were tokens for; null: no end of them. */
  readonly ofTurns: number | null
  /** Milliseconds, by k6's names; empty when nothing was answered. */
  readonly ms: Readonly<Record<string, number>>
}

/** The version, or null where there is no k6. */
export function findK6(): string | null {
  const { stdout, error } = spawnSync('k6', ['version'], { encoding: 'utf8' })
  return error === undefined ? (/^k6 v([\d.]+)/.exec(stdout)?.[1] ?? 'of unknown version') : null
}

/** k6: several times the processor of wrk for a request, so on shared cores it measures itself; for comparison. */
export class K6 implements Generator {
  readonly name = 'k6'
  readonly description: string
  readonly sends = sendsOf.k6

  constructor(version: string) {
    this.description = `k6 ${version}, a user for each connection`
  }

  async run({ url, plan, connections, durationMs }: Load, { onStarted, signal }: LoadHooks): Promise<LoadResult> {
    signal.throwIfAborted()
    const folder = mkdtempSync(join(tmpdir(), 'penstock-bench-k6-'))
    try {
      const { script, files } = k6Script(plan, { url, connections, durationMs })
      for (const [name, content] of files) writeFileSync(join(folder, name), content)
      writeFileSync(join(folder, 'script.js'), script)
      const args = ['run', '--quiet', '--no-usage-report', '--no-color', '--log-output=stderr', 'script.js']
      const child = spawn('k6', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
      const kill = (): void => void child.kill('SIGKILL')
      signal.addEventListener('abort', kill, { once: true })
      let [output, errors] = ['', '']
      let isStarted = false
      child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        errors += text
        if (isStarted || !errors.includes('started') || child.pid === undefined) return
        isStarted = true
        onStarted([child.pid])
      })
      const code = await new Promise<number | null>((resolve, reject) => {
        child.once('error', reject)
        child.once('close', resolve)
      }).finally(() => signal.removeEventListener('abort', kill))
      const json = output.split('\n').find((line) => line.startsWith('{'))
      if (json === undefined) throw new Error(`k6 ended with code ${code}: ${output}${errors}`)
      return describeK6(JSON.parse(json) as K6Printed, plan.steps)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** What k6 saw. Its latency is that of a request from its sending to the end of its answer, in milliseconds. */
export function describeK6(printed: K6Printed, steps: readonly Pick<Step, 'name'>[]): LoadResult {
  const us = (name: string): number => Math.round(1_000 * (printed.ms[name] ?? 0))
  return {
    elapsedMs: printed.elapsedMs,
    ok: printed.ok.reduce((sum, count) => sum + count, 0),
    refused: printed.refused,
    errors: printed.lost,
    failedConnects: 0,
    answers: Object.fromEntries(steps.map(({ name }, place) => [name, printed.ok[place] ?? 0])),
    schedule: null,
    latencyUs: {
      mean: us('avg'),
      p50: us('p(50)'),
      p90: us('p(90)'),
      p95: us('p(95)'),
      p99: us('p(99)'),
      p999: us('p(99.9)'),
      max: us('max'),
    },
    ranOut: printed.ofTurns !== null && printed.turns >= printed.ofTurns,
  }
}
