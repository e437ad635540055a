/** Runs scripts/run.mjs in a copy with a stand-in for npx, so that nothing is downloaded. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** Installs by leaving what pnpm leaves; counts its calls; fails once there is a file named `fail`. */
const NPX = `#!/bin/sh
echo "$@" >> npx-calls.txt
if [ -e fail ]; then echo ERR_PNPM_STAND_IN; exit 9; fi
mkdir -p node_modules/.pnpm && cp pnpm-lock.yaml node_modules/.pnpm/lock.yaml
`

/** Prints its arguments, then drains for a moment after the first signal and counts what arrives meanwhile. */
const ENTRY = `
if (process.argv.includes('--wait')) {
  const timer = setInterval(() => undefined, 1000)
  let signals: string[] = []
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (signals.push(signal) > 1) return
      setTimeout(() => { console.log('drained after', ...signals); clearInterval(timer); process.exitCode = 7 }, 300)
    })
  }
} else process.exitCode = 7
console.log('ready', process.pid, ...process.argv.slice(2))
`

interface Ended {
  readonly code: number | null
  readonly output: string
}

let root: string
let children: ChildProcess[] = []

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'penstock-run-'))
  for (const folder of ['scripts', 'bin', 'packages/cli']) mkdirSync(path.join(root, folder), { recursive: true })
  for (const name of readdirSync(import.meta.dirname).filter((file) => file.endsWith('.mjs'))) {
    cpSync(path.join(import.meta.dirname, name), path.join(root, 'scripts', name))
  }
  write('package.json', '{ "type": "module", "packageManager": "pnpm@1.2.3" }')
  write('pnpm-lock.yaml', 'version: 1\n')
  write('packages/cli/main.ts', ENTRY)
  writeFileSync(path.join(root, 'bin/npx'), NPX, { mode: 0o755 })
})

afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children = []
  rmSync(root, { recursive: true, force: true })
})

function write(file: string, text: string): void {
  writeFileSync(path.join(root, file), text)
}

function npxCalls(): string[] {
  return readFileSync(path.join(root, 'npx-calls.txt'), 'utf8').trim().split('\n')
}

function start(...args: string[]): {
  child: ChildProcess
  ended: Promise<Ended>
  until: (text: string) => Promise<string>
} {
  const child = spawn(process.execPath, [path.join(root, 'scripts/run.mjs'), ...args], {
    env: { ...process.env, PATH: `${path.join(root, 'bin')}:${process.env.PATH ?? ''}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let output = ''
  let onOutput = (): void => undefined
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      onOutput()
    })
  }
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, output })
    })
  })
  const until = (text: string): Promise<string> =>
    new Promise((resolve) => {
      onOutput = () => {
        if (output.includes(text)) resolve(output)
      }
      onOutput()
    })
  return { child, ended, until }
}

describe('run', () => {
  it('installs what the lockfile lists once, and passes arguments and exit code on', async () => {
    const first = await start('start', '--port', '1').ended
    expect(first.code).toBe(7)
    expect(first.output).toContain('the dependencies are not installed; running npx --yes pnpm@1.2.3 install')
    expect(first.output).toMatch(/ready \d+ start --port 1/)

    const second = await start('penstock', '--help').ended
    expect(second.output).toMatch(/^ready \d+ --help\n$/)
    expect(npxCalls()).toHaveLength(1)
    expect(npxCalls()[0]).toContain('--yes pnpm@1.2.3 install --frozen-lockfile')
  })

  it.each(['openapi', 'pm2:start', 'pm2:reload', 'pm2:stop'])('%s takes no arguments and says so', async (task) => {
    const asked = await start(task, '--help').ended
    expect([asked.code, asked.output]).toEqual([0, expect.stringMatching(`^usage: npm run ${task} `)])
    const wrong = await start(task, '--only', 'x').ended
    expect([wrong.code, wrong.output]).toEqual([2, expect.stringContaining(`npm run ${task} takes no "--only"`)])
  })

  it('penstock.mjs, linked into a folder of the PATH, runs the command in the folder of the caller', async () => {
    await start('penstock').ended
    write('packages/cli/main.ts', 'console.log(process.cwd(), ...process.argv.slice(2)); process.exitCode = 3')
    symlinkSync(path.join(root, 'scripts/penstock.mjs'), path.join(root, 'bin/penstock'))
    const cwd = realpathSync(path.join(root, 'bin'))
    // The tests run on Node.js 24; the one of the shell may be older, and this root has none of its own.
    const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH ?? ''}` }
    const args = ['audit', '--json']
    const { status, stdout } = spawnSync(path.join(cwd, 'penstock'), args, { cwd, env, encoding: 'utf8' })
    expect([status, stdout]).toEqual([3, `${cwd} audit --json\n`])
  })

  it('installs again after the lockfile changed, by hand or by git', async () => {
    await start('start').ended
    write('pnpm-lock.yaml', 'version: 2\n')
    expect((await start('start').ended).output).toContain('changed since the last install')
    write('node_modules/.pnpm/lock.yaml', 'version: 3\n')
    expect((await start('start').ended).output).toContain('node_modules changed since the last install')
    expect(npxCalls()).toHaveLength(3)
  })

  it('explains a failed install and tries again next time', async () => {
    await start('start').ended
    write('pnpm-lock.yaml', 'version: 2\n')
    write('fail', '')
    const failed = await start('start').ended
    expect(failed.code).toBe(1)
    expect(failed.output).toContain('ERR_PNPM_STAND_IN')
    expect(failed.output).toContain('To try again: npx --yes pnpm@1.2.3 install --frozen-lockfile')
    expect(failed.output).not.toContain('ready')

    write('pnpm-lock.yaml', 'version: 1\n')
    rmSync(path.join(root, 'fail'))
    expect((await start('start').ended).output).toContain('no complete install is recorded')
    expect(npxCalls()).toHaveLength(3)
  })

  it('passes a repeated Ctrl-C on once and waits for the drain', async () => {
    const run = start('start', '--wait')
    await run.until('ready')
    run.child.kill('SIGINT')
    setTimeout(() => run.child.kill('SIGINT'), 50)
    const { code, output } = await run.ended
    expect(output).toContain('drained after SIGINT\n')
    expect(code).toBe(7)
  })

  it('passes SIGTERM on, and SIGHUP as SIGTERM', async () => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      const run = start('start', '--wait')
      await run.until('ready')
      run.child.kill(signal)
      expect((await run.ended).output).toContain('drained after SIGTERM\n')
    }
  })

  it('stops the child when it is killed itself', async () => {
    const run = start('start', '--wait')
    await run.until('ready')
    run.child.kill('SIGKILL')
    // The child keeps the pipe open until it has ended.
    expect((await run.ended).output).toContain('drained after SIGTERM\n')
  })

  it('lists the tasks when there is no such task', async () => {
    const { code, output } = await start('strat').ended
    expect(code).toBe(2)
    expect(output).toContain('there is no task "strat"')
    for (const task of ['start', 'test', 'check', 'dev', 'demo', 'bench', 'penstock', 'pm2:reload']) {
      expect(output).toMatch(new RegExp(`^  ${task} +\\S`, 'm'))
    }
  })

  it('starts, reloads and stops every process that PM2 has', () => {
    const read = (file: string): string => readFileSync(path.join(import.meta.dirname, '..', file), 'utf8')
    const apps = [...read('ecosystem.config.js').matchAll(/name: '([^']+)'/g)].map(([, name]) => name)
    expect(apps).toContain('penstock-writer')
    for (const order of ['PM2_START_ORDER', 'PM2_STOP_ORDER']) {
      const [, list = ''] = new RegExp(`${order} = \\[(.*)\\]`).exec(read('scripts/run.mjs')) ?? []
      expect(new Set([...list.matchAll(/'([^']+)'/g)].map(([, name]) => name))).toEqual(new Set(apps))
    }
  })
})
