import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { countSources, findViolations, formatViolation, type RuleName } from './import-arrows.ts'

const root = path.resolve(import.meta.dirname, '..')
const folders: string[] = []

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

type Tree = Readonly<Record<string, string>>

/** A workspace that breaks no rule; each case adds what it is about. */
const CLEAN: Tree = {
  'bench/package.json': '{}',
  'packages/domain/package.json': '{}',
  'packages/domain/money.ts': 'export type Money = number\nexport const zero = 0\n',
  'packages/http/package.json': '{ "dependencies": { "@penstock/domain": "workspace:*" } }',
  'packages/http/status.ts': "import { zero } from '@penstock/domain/money.ts'\nexport const ok = 200 + zero\n",
}

/** Writes CLEAN with `changes` over it and returns what the checker finds, as `file:line rule`. */
function check(changes: Tree): string[] {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'penstock-arrows-'))
  folders.push(folder)
  for (const [file, text] of Object.entries({ ...CLEAN, ...changes })) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), text)
  }
  return findViolations(folder).map(({ file, line, rule }) => `${file}:${line} ${rule}`)
}

/** A package.json with these dependencies. */
function manifest(...names: string[]): string {
  return JSON.stringify({ dependencies: Object.fromEntries(names.map((name) => [name, '*'])) })
}

interface Case {
  readonly what: string
  readonly tree: Tree
  /** file:line of the one violation; null when the tree must pass. */
  readonly at: string | null
}

const CASES: Readonly<Partial<Record<RuleName, readonly Case[]>>> = {
  arrow: [
    {
      what: 'domain importing anything',
      tree: {
        'packages/domain/package.json': manifest('@penstock/store'),
        'packages/domain/drop.ts': "\nimport type { Store } from '@penstock/store/store.ts'\nexport type X = Store\n",
      },
      at: 'packages/domain/drop.ts:2',
    },
    {
      what: 'http importing writer, in a test as well',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', '@penstock/writer'),
        'packages/http/client.ts': "export {} from '@penstock/writer/server.ts'\n",
        'packages/http/client.test.ts': "await import('@penstock/writer/server.ts')\n",
      },
      at: 'packages/http/client.test.ts:1 arrow, packages/http/client.ts:1',
    },
    {
      what: 'a concrete store outside main.ts',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', '@penstock/store-sqlite'),
        'packages/http/deps.ts': "import { openReader } from '@penstock/store-sqlite/open.ts'\nopenReader()\n",
      },
      at: 'packages/http/deps.ts:1',
    },
    {
      what: 'a concrete store in main.ts',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', '@penstock/store-sqlite'),
        'packages/http/main.ts': "import { openReader } from '@penstock/store-sqlite/open.ts'\nopenReader()\n",
      },
      at: null,
    },
    {
      what: 'a concrete store in the main of a thread, and in the main of a folder below',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', '@penstock/store-sqlite'),
        'packages/http/read-worker-main.ts':
          "import { openReader } from '@penstock/store-sqlite/open.ts'\nopenReader()\n",
        'packages/http/routes/main.ts': "import { openReader } from '@penstock/store-sqlite/open.ts'\nopenReader()\n",
      },
      at: 'packages/http/routes/main.ts:1',
    },
    {
      what: 'a type of a higher package through import()',
      tree: {
        'packages/domain/package.json': manifest('@penstock/engine'),
        'packages/domain/drop.ts': "export type X = import('@penstock/engine/decide.ts').X\n",
      },
      at: 'packages/domain/drop.ts:1',
    },
    {
      what: 'a test importing testing',
      tree: {
        'packages/http/package.json':
          '{ "dependencies": { "@penstock/domain": "*" }, "devDependencies": { "@penstock/testing": "*" } }',
        'packages/http/a.test.ts': "import '@penstock/testing/sim.ts'\n",
      },
      at: 'packages/http/a.test.ts:1',
    },
    {
      what: 'a test importing a lower package that the sources may not',
      tree: {
        'packages/http/package.json':
          '{ "dependencies": { "@penstock/domain": "*" }, "devDependencies": { "@penstock/engine": "*" } }',
        'packages/http/a.test.ts': "import '@penstock/engine/decide.ts'\n",
      },
      at: null,
    },
    {
      what: 'testing importing bench',
      tree: {
        'packages/testing/package.json': manifest('@penstock/bench'),
        'packages/testing/sim.ts': "import '@penstock/bench/load.ts'\n",
      },
      at: 'packages/testing/sim.ts:1',
    },
    {
      what: 'bench importing testing and a process',
      tree: {
        'bench/package.json': manifest('@penstock/testing', '@penstock/writer'),
        'bench/main.ts': "import '@penstock/testing/sim.ts'\nimport '@penstock/writer/server.ts'\n",
      },
      at: null,
    },
    { what: 'an unknown package', tree: { 'packages/utils/package.json': '{}' }, at: 'packages/utils/package.json:1' },
  ],
  alone: [
    {
      what: 'better-sqlite3 outside store-sqlite',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', 'better-sqlite3'),
        'packages/http/rows.ts': "import Database from 'better-sqlite3'\nexport const db = new Database('x')\n",
      },
      at: 'packages/http/rows.ts:1',
    },
    {
      what: 'uWebSockets.js required by another file',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', 'uWebSockets.js'),
        'packages/http/routes/a.ts':
          "import { createRequire } from 'node:module'\nconst load = createRequire(import.meta.url)\nload('uWebSockets.js')\n",
        'packages/http/load-uws.ts':
          "import { createRequire } from 'node:module'\ncreateRequire(import.meta.url)('uWebSockets.js')\n",
        'packages/http/load-uws.test.ts': "import 'uWebSockets.js'\n",
      },
      at: 'packages/http/routes/a.ts:3',
    },
    {
      what: 'a path inside msgpackr',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', 'msgpackr'),
        'packages/http/a.ts': "export * from 'msgpackr/pack'\n",
      },
      at: 'packages/http/a.ts:1',
    },
  ],
  boundary: [
    {
      what: 'a relative path into another package',
      tree: { 'packages/http/a.ts': "import type { Money } from '../domain/money.ts'\nexport type M = Money\n" },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'a package importing itself by name',
      tree: { 'packages/http/a.ts': "import { ok } from '@penstock/http/status.ts'\nexport const a = ok\n" },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'the main of a thread imported by another source',
      tree: {
        'packages/http/read-worker-main.ts': 'export const x = 1\n',
        'packages/http/a.ts': "import { x } from './read-worker-main.ts'\nexport const a = x\n",
        'packages/http/a.test.ts': "import './read-worker-main.ts'\n",
        'packages/http/b.ts': "import type { x } from './read-worker-main.ts'\nexport type B = typeof x\n",
      },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'a relative path between folders of one package',
      tree: { 'packages/http/routes/a.ts': "import { ok } from '../status.ts'\nexport const a = ok\n" },
      at: null,
    },
  ],
  environment: [
    {
      what: 'process.env',
      tree: { 'packages/http/a.ts': '\n\nexport const port = process.env.PORT\n' },
      at: 'packages/http/a.ts:3',
    },
    {
      what: 'env imported from node:process',
      tree: { 'packages/http/a.ts': "import { env } from 'node:process'\nexport const port = env.PORT\n" },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'env taken out of process',
      tree: { 'packages/http/a.ts': 'const { env } = process\nexport const port = env.PORT\n' },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'process.env in main.ts and in a test',
      tree: {
        'packages/http/main.ts': 'export const port = process.env.PORT\n',
        'packages/http/a.test.ts': 'export const port = process.env.PORT\n',
      },
      at: null,
    },
  ],
  clock: [
    {
      what: 'Date.now as a default',
      tree: { 'packages/http/a.ts': 'export function f(now = Date.now): number {\n  return now()\n}\n' },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'performance.now behind globalThis',
      tree: { 'packages/http/a.ts': 'export const t = globalThis.performance.now()\n' },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'new Date() without an argument',
      tree: { 'packages/http/a.ts': 'export const a = new Date(0)\nexport const b = new Date()\n' },
      at: 'packages/http/a.ts:2',
    },
    {
      what: 'a type position, and main.ts',
      tree: {
        'packages/http/a.ts':
          'export type Now = typeof Date.now\nexport const parse = (ms: number): Date => new Date(ms)\n',
        'packages/http/main.ts': 'export const startMs = Date.now()\n',
      },
      at: null,
    },
  ],
  cycle: [
    {
      what: 'two files that import each other',
      tree: {
        'packages/http/a.ts': "import { b } from './b.ts'\nexport const a = () => b\n",
        'packages/http/b.ts': "export * from './a.ts'\nexport const b = 1\n",
      },
      at: 'packages/http/b.ts:1',
    },
    {
      what: 'a circle closed by a type only',
      tree: {
        'packages/http/a.ts': "import { b } from './b.ts'\nexport const a = () => b\n",
        'packages/http/b.ts': "import type { a } from './a.ts'\nexport type A = typeof a\nexport const b = 1\n",
      },
      at: null,
    },
  ],
  declared: [
    {
      what: 'an undeclared library',
      tree: { 'packages/http/a.ts': "import { Type } from 'typebox'\nexport const t = Type.Null()\n" },
      at: 'packages/http/a.ts:1',
    },
    {
      what: 'an unused library',
      tree: {
        'packages/http/package.json': '{\n"dependencies": {\n"@penstock/domain": "*",\n"typebox": "*"\n}\n}',
      },
      at: 'packages/http/package.json:4',
    },
    {
      what: 'a library that only a test uses',
      tree: {
        'packages/http/package.json': manifest('@penstock/domain', 'typebox'),
        'packages/http/a.test.ts': "import 'typebox'\n",
      },
      at: 'packages/http/package.json:1',
    },
    {
      what: 'vitest in a test and in a contract suite',
      tree: {
        'packages/http/a.test.ts': "import { it } from 'vitest'\nit('a', () => {})\n",
        'packages/http/transport-contract.ts': "import { it } from 'vitest'\nit('a', () => {})\n",
      },
      at: null,
    },
    {
      what: 'vitest in a source',
      tree: { 'packages/http/a.ts': "import { it } from 'vitest'\nit('a', () => {})\n" },
      at: 'packages/http/a.ts:1',
    },
  ],
  computed: [
    {
      what: 'import() of a variable',
      tree: { 'packages/http/a.ts': 'export const load = (name: string) => import(name)\n' },
      at: 'packages/http/a.ts:1',
    },
  ],
  parse: [
    { what: 'a file with a syntax error', tree: { 'packages/http/a.ts': 'const = 1\n' }, at: 'packages/http/a.ts:1' },
  ],
}

describe('findViolations', () => {
  it('passes a clean tree', () => {
    expect(check({})).toEqual([])
  })

  for (const [rule, cases] of Object.entries(CASES)) {
    for (const { what, tree, at } of cases) {
      it(`${at === null ? 'allows' : 'rejects'} by ${rule}: ${what}`, () => {
        expect(check(tree).join(', ')).toBe(at === null ? '' : `${at} ${rule}`)
      })
    }
  }

  it('names file, line and rule in a sentence', () => {
    const violation = { file: 'packages/a/b.ts', line: 3, rule: 'arrow', message: 'a may import no package' } as const
    expect(formatViolation(violation)).toBe('packages/a/b.ts:3 arrow: a may import no package')
  })

  it('finds nothing in this repository', () => {
    expect(countSources(root)).toBeGreaterThan(10)
    expect(findViolations(root).map(formatViolation)).toEqual([])
  })
})
