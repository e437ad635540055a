import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

/** Each with what it shows on its way, after which it is interrupted. */
test.each([
  ['micro/main.ts', ['--runs', '1'], 'warm-up: store'],
  ['writer/main.ts', ['--sizes', '1', '--payments', '100000'], 'run 1 of 3: batches of 1'],
  ['growth/main.ts', ['rows', '--rows', '1000000'], 'filling in 1,000,000 payments'],
  ['ladder/main.ts', ['--rungs', '100'], 'a writer that stands still'],
  ['peers/main.ts', ['payments', '--only', 'FULL'], 'run 1 of 5: Penstock: '],
  ['soak/main.ts', [], '1 of 600 s'],
  ['main.ts', ['flow'], 'warm-up: flow by'],
])('%s writes its report when it is interrupted', { timeout: 60_000 }, async (file, args, sign) => {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const child = spawn(process.execPath, [path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let [output, shown] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    if (shown.includes(sign)) child.kill('SIGINT')
  })
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  expect({ code, shown: shown.includes(sign) }, `${shown}${output}`).toEqual({ code: 130, shown: true })
  expect(output).toContain('**interrupted: the report shows what was measured by then**')
  expect(output).toMatch(/kept as .*\.\{md,json,html\}/)
})
