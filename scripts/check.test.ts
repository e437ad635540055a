/** Runs scripts/check.mjs in a small tree that borrows this repository's tools: it must notice what is wrong there. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const repository = path.resolve(import.meta.dirname, '..')
let root: string

beforeEach(() => {
  root = mkdtempSync(path.join(os.tmpdir(), 'penstock-check-'))
  mkdirSync(path.join(root, 'packages'))
  mkdirSync(path.join(root, 'scripts'))
  for (const name of [
    'tsconfig.json',
    'tsconfig.base.json',
    '.oxlintrc.json',
    '.oxfmtrc.json',
    'vitest.config.ts',
    'ecosystem.config.js',
  ]) {
    cpSync(path.join(repository, name), path.join(root, name))
  }
  for (const name of ['check.mjs', 'format.mjs', 'count-reporter.mjs']) {
    cpSync(path.join(repository, 'scripts', name), path.join(root, 'scripts', name))
  }
  symlinkSync(path.join(repository, 'node_modules'), path.join(root, 'node_modules'))
  write('package.json', '{ "type": "module" }')
})

afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

function write(file: string, text: string): void {
  writeFileSync(path.join(root, file), text)
}

function check(...args: string[]): { code: number | null; output: string; errors: string; last: string } {
  const outer = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST') && name !== 'TEST')
  const { status, stdout, stderr } = spawnSync(process.execPath, [path.join(root, 'scripts/check.mjs'), ...args], {
    encoding: 'utf8',
    env: Object.fromEntries(outer),
  })
  return { code: status, output: stdout, errors: stderr, last: stdout.trimEnd().split('\n').at(-1) ?? '' }
}

const PASSING = "import { expect, it } from 'vitest'\n\nit('adds', () => {\n  expect(1 + 1).toBe(2)\n})\n"

describe('check', () => {
  it.each(['--help', '-h'])('explains itself with %s, and checks nothing', (option) => {
    const { code, output } = check('--quick', option)
    expect([code, output]).toEqual([0, expect.stringMatching(/^usage: npm run check -- .*\n/)])
    expect(output).not.toContain('passed in')
  })

  it('names an option that it does not know, and checks nothing', () => {
    expect(check('--quick', '--fast')).toMatchObject({
      code: 2,
      output: '',
      errors: expect.stringMatching(/^Unknown option '--fast'\n/) as unknown,
    })
  })

  it('runs only the tests whose name matches', () => {
    write('packages/a.test.ts', `${PASSING}\nit('is left out', () => {\n  expect(1).toBe(2)\n})\n`)
    expect(check('packages', '-t', 'adds')).toMatchObject({ code: 0, last: '4 passed, 0 failed, 1 skipped' })
  })

  it('passes a clean tree and names what was skipped', () => {
    write('packages/a.test.ts', PASSING)
    expect(check()).toMatchObject({ code: 0, last: '4 passed, 0 failed' })
    write('packages/b.test.ts', PASSING.replace('it(', 'it.skipIf(true)('))
    const skipped = check()
    expect(skipped).toMatchObject({ code: 0, last: '4 passed, 0 failed, 1 skipped' })
    expect(skipped.output).toContain('packages/b.test.ts > adds')
  })

  it('counts each kind of failure once', () => {
    write('packages/a.test.ts', PASSING.replace('toBe(2)', 'toBe(3)'))
    write('packages/b.test.ts', "throw new Error('does not load')\n")
    write('packages/types.ts', "export const a: number = 'a'\n")
    write('packages/lint.ts', 'export function f(): void {\n  Promise.resolve()\n}\n')
    write('packages/format.ts', 'export const  a = 1;\n')
    const { code, output, last } = check()
    expect({ code, last }).toEqual({ code: 1, last: '0 passed, 5 failed' })
    expect(output).toContain('packages/types.ts')
    expect(output).toContain('packages/lint.ts:2:3 typescript(no-floating-promises)')
    expect(output).toContain('packages/format.ts')
  })

  it('fails when no test ran, and on an error outside the tests', () => {
    expect(check()).toMatchObject({ code: 1, last: '3 passed, 1 failed' })
    write(
      'packages/a.test.ts',
      "import { it } from 'vitest'\n\nit('leaks', async () => {\n  void Promise.reject(new Error('late'))\n" +
        '  await new Promise((resolve) => setTimeout(resolve, 50))\n})\n',
    )
    expect(check()).toMatchObject({ code: 1, last: '4 passed, 1 failed' })
  })
})
