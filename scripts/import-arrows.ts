/**
 * The import rules of DESIGN.md section 8 and of the house style, as one function over a source tree: which package
 * may use which, who alone may touch a native library, the environment or the clock, and that declared dependencies
 * are the used ones. `import-arrows.test.ts` runs it on this repository.
 */
import { readFileSync, readdirSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import path from 'node:path'
import { scanSource, type Import, type Reading } from './import-scan.ts'

export interface Violation {
  /** Relative to the root, with `/`. */
  readonly file: string
  /** From 1. */
  readonly line: number
  readonly rule: RuleName
  readonly message: string
}

export type RuleName =
  | 'arrow' //       a package uses one that it may not
  | 'alone' //       a library outside the files that own it
  | 'boundary' //    a relative import leaves its package, or a package imports itself by name
  | 'environment' // process.env outside main.ts
  | 'clock' //       the time outside main.ts
  | 'cycle' //       files of one package import each other in a circle
  | 'declared' //    package.json and the imports disagree
  | 'computed' //    import() of something this checker cannot read
  | 'parse'

interface PackageRule {
  /** Workspace packages its sources may import. */
  readonly uses: readonly string[]
  /** Workspace packages that only its mains may import (`isMain`). */
  readonly mainUses?: readonly string[]
  /** Height in the picture: tests may import every package that is not higher, except other processes. */
  readonly level: number
  /** May read the clock outside main.ts. */
  readonly clock?: boolean
  /** May read the environment outside main.ts. */
  readonly environment?: boolean
  /** May import every library, and import() what it computes. */
  readonly tool?: boolean
}

const TOOL = { level: 9, clock: true, environment: true, tool: true } as const
const PROCESS_LEVEL = 3
const LOWER = [
  'domain',
  'engine',
  'protocol',
  'store',
  'wire',
  'store-sqlite',
  'providers',
  'writer',
  'http',
  'courier',
  'cli',
  'sdk',
]

/** A package that is not listed here may not exist. */
const PACKAGES: ReadonlyMap<string, PackageRule> = new Map<string, PackageRule>([
  ['domain', { uses: [], level: 0 }],
  // Runs at its user's, in browsers too: it can take nothing from here, and its deadlines are its own.
  ['sdk', { uses: [], level: 0, clock: true }],
  ['engine', { uses: ['domain'], level: 1 }],
  ['protocol', { uses: ['domain'], level: 1 }],
  ['store', { uses: ['domain'], level: 1 }],
  ['providers', { uses: ['domain'], level: 1 }],
  ['store-sqlite', { uses: ['domain', 'store'], level: 2 }],
  ['wire', { uses: ['domain', 'store'], level: 2 }],
  ['writer', { uses: ['domain', 'engine', 'protocol', 'store'], mainUses: ['store-sqlite'], level: PROCESS_LEVEL }],
  [
    'http',
    { uses: ['domain', 'protocol', 'providers', 'store', 'wire'], mainUses: ['store-sqlite'], level: PROCESS_LEVEL },
  ],
  [
    'courier',
    { uses: ['domain', 'protocol', 'providers', 'store', 'wire'], mainUses: ['store-sqlite'], level: PROCESS_LEVEL },
  ],
  // Starts the processes by path, so that a fault in one cannot take it along.
  ['cli', { uses: ['domain', 'store'], mainUses: ['store-sqlite'], level: PROCESS_LEVEL, clock: true }],
  ['testing', { uses: LOWER, ...TOOL }],
  ['bench', { uses: [...LOWER, 'testing'], ...TOOL }],
])

/** Libraries with one owner: the only files that may import them, as paths or folders with a trailing slash. */
const ALONE: ReadonlyMap<string, readonly string[]> = new Map([
  ['better-sqlite3', ['packages/store-sqlite/', 'packages/testing/', 'bench/']],
  ['uWebSockets.js', ['packages/http/load-uws.ts', 'packages/http/uws.ts']],
  ['msgpackr', ['packages/protocol/']],
])

/** The only sources outside testing and bench that may import() a path they compute. */
const COMPUTED = ['packages/http/load-uws.ts']

/** Test libraries of the root package.json: every test may use them undeclared. */
const ROOT_TEST_LIBRARIES = ['vitest', 'fast-check']

interface Source {
  /** Relative to the root, with `/`. */
  readonly file: string
  readonly imports: readonly Import[]
  readonly readings: readonly Reading[]
  /** Tests, and suites that tests of other packages call (`contract`). */
  readonly isTest: boolean
}

interface Workspace {
  /** `store-sqlite`, without the scope. */
  readonly name: string
  /** Relative to the root: `packages/store-sqlite`. */
  readonly folder: string
  readonly rule: PackageRule
  readonly sources: readonly Source[]
}

/** Every violation under `packages/` and `bench/` of `root`, in order of file and line. */
export function findViolations(root: string): Violation[] {
  const violations: Violation[] = []
  const folders = [...foldersIn(root, 'packages'), ...(isPackage(root, 'bench') ? ['bench'] : [])]
  for (const folder of folders) {
    const name = path.posix.basename(folder)
    const rule = PACKAGES.get(name)
    if (rule === undefined) {
      const message = `package "${name}" has no row in the table of scripts/import-arrows.ts`
      violations.push({ file: `${folder}/package.json`, line: 1, rule: 'arrow', message })
      continue
    }
    const sources = sourceFiles(root, folder).map((file) => readSource(root, file, violations))
    const workspace: Workspace = { name, folder, rule, sources }
    for (const source of sources) violations.push(...checkSource(workspace, source))
    violations.push(...findCycles(sources), ...checkDeclared(root, workspace))
  }
  return violations.toSorted((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1))
}

/** Number of source files below `root` that `findViolations` reads. */
export function countSources(root: string): number {
  return [...foldersIn(root, 'packages'), 'bench'].reduce((sum, folder) => sum + sourceFiles(root, folder).length, 0)
}

/** One line for a person: where, which rule, what. */
export function formatViolation({ file, line, rule, message }: Violation): string {
  return `${file}:${line} ${rule}: ${message}`
}

function isPackage(root: string, folder: string): boolean {
  return readText(path.join(root, folder, 'package.json')) !== null
}

function foldersIn(root: string, parent: string): string[] {
  return readdirSync(path.join(root, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${parent}/${entry.name}`)
}

function sourceFiles(root: string, folder: string): string[] {
  const found: string[] = []
  for (const entry of readdirSync(path.join(root, folder), { withFileTypes: true })) {
    const file = `${folder}/${entry.name}`
    if (entry.isDirectory() && entry.name !== 'node_modules' && entry.name !== 'results') {
      found.push(...sourceFiles(root, file))
    } else if (entry.isFile() && /\.[cm]?[jt]s$/.test(entry.name)) found.push(file)
  }
  return found
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}

function readSource(root: string, file: string, violations: Violation[]): Source {
  const { imports, readings, error } = scanSource(file, readFileSync(path.join(root, file), 'utf8'))
  if (error !== null) violations.push({ file, line: error.line, rule: 'parse', message: error.message })
  const base = path.posix.basename(file)
  return { file, imports, readings, isTest: /\.test\.[cm]?[jt]s$/.test(base) || /\bcontract\b/.test(base) }
}

function* checkSource(workspace: Workspace, source: Source): Generator<Violation> {
  for (const imported of source.imports) {
    const found = checkImport(workspace, source, imported)
    if (found !== null) yield { file: source.file, line: imported.line, ...found }
  }
  if (source.isTest || isMain(source.file)) return
  for (const { line, kind, text } of source.readings) {
    const allowed = kind === 'clock' ? workspace.rule.clock : workspace.rule.environment
    if (allowed !== true) {
      yield { file: source.file, line, rule: kind, message: `only main.ts may use ${text}; take the value as argument` }
    }
  }
}

function checkImport(workspace: Workspace, source: Source, imported: Import): Omit<Violation, 'file' | 'line'> | null {
  const { specifier } = imported
  if (specifier === null) {
    if (workspace.rule.tool === true || source.isTest || COMPUTED.includes(source.file)) return null
    return { rule: 'computed', message: 'import() or require() of a computed path hides an arrow' }
  }
  if (specifier.startsWith('.')) {
    if (isMain(specifier) && !source.isTest && !imported.typeOnly) {
      return {
        rule: 'boundary',
        message: `"${specifier}" is a main: it starts something, and hides the arrows it may use`,
      }
    }
    if (`${relativeTarget(source.file, specifier)}/`.startsWith(`${workspace.folder}/`)) return null
    return { rule: 'boundary', message: `"${specifier}" leaves ${workspace.folder}; import it as @penstock/...` }
  }
  if (isBuiltin(specifier)) return null
  const library = packageOf(specifier)
  const target = workspaceName(library)
  if (target !== null) return checkArrow(workspace, source, target)
  const owners = ALONE.get(library)
  if (owners === undefined || owners.some((owner) => isOwner(owner, source.file))) return null
  return { rule: 'alone', message: `only ${owners.join(' and ')} may import ${library}` }
}

/** The test beside an owner is one as well. */
function isOwner(owner: string, file: string): boolean {
  return owner.endsWith('/') ? file.startsWith(owner) : file.replace('.test.ts', '.ts') === owner
}

function checkArrow(workspace: Workspace, source: Source, target: string): Omit<Violation, 'file' | 'line'> | null {
  const { name, rule, folder } = workspace
  if (target === name) return { rule: 'boundary', message: `${name} imports itself by name; use a relative path` }
  if (rule.uses.includes(target)) return null
  if (source.isTest && isLower(target, rule.level)) return null
  if (rule.mainUses?.includes(target) === true) {
    if (isMain(source.file) && path.posix.dirname(source.file) === folder) return null
    return { rule: 'arrow', message: `only ${folder}/main.ts or a -main.ts beside it may import ${target}` }
  }
  const allowed = rule.uses.length === 0 ? 'no package' : rule.uses.join(', ')
  return { rule: 'arrow', message: `${name} may import ${allowed}; not ${target}` }
}

/** Where a process starts, or a thread of it (`read-worker-main.ts`): the wiring. */
function isMain(file: string): boolean {
  return /(?:^|-)main\.ts$/.test(path.posix.basename(file))
}

function isLower(target: string, level: number): boolean {
  const targetLevel = PACKAGES.get(target)?.level
  return targetLevel !== undefined && targetLevel <= level && targetLevel < PROCESS_LEVEL
}

/** `better-sqlite3` of `better-sqlite3/lib/x.js`, `@a/b` of `@a/b/c.ts`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function workspaceName(library: string): string | null {
  return library.startsWith('@penstock/') ? library.slice('@penstock/'.length) : null
}

function relativeTarget(file: string, specifier: string): string {
  return path.posix.join(path.posix.dirname(file), specifier)
}

/** Circles of imports that remain after type stripping; each is reported once, where its last arrow starts. */
function findCycles(sources: readonly Source[]): Violation[] {
  const violations: Violation[] = []
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (source: Source): void => {
    trail.push(source.file)
    for (const { specifier, line, typeOnly } of source.imports) {
      if (typeOnly || specifier?.startsWith('.') !== true) continue
      const target = relativeTarget(source.file, specifier)
      const from = trail.indexOf(target)
      if (from >= 0) {
        const message = [...trail.slice(from), target].map((file) => path.posix.basename(file)).join(' -> ')
        violations.push({ file: source.file, line, rule: 'cycle', message })
        continue
      }
      const next = byFile.get(target)
      if (next !== undefined && !done.has(target)) visit(next)
    }
    trail.pop()
    done.add(source.file)
  }
  for (const source of sources) if (!done.has(source.file)) visit(source)
  return violations
}

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

function* checkDeclared(root: string, workspace: Workspace): Generator<Violation> {
  const file = `${workspace.folder}/package.json`
  const text = readText(path.join(root, file)) ?? '{}'
  const manifest: Manifest = JSON.parse(text)
  const shipped = new Set(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }))
  const forTests = new Set(Object.keys(manifest.devDependencies ?? {}))
  const used = new Set<string>()
  const usedByTests = new Set<string>()

  for (const source of workspace.sources) {
    for (const { specifier, line } of source.imports) {
      if (specifier === null || specifier.startsWith('.') || isBuiltin(specifier)) continue
      const library = packageOf(specifier)
      if (workspaceName(library) === workspace.name) continue
      const inTest = source.isTest || workspace.rule.tool === true
      ;(source.isTest ? usedByTests : used).add(library)
      if (shipped.has(library) || (source.isTest && forTests.has(library))) continue
      if (inTest && ROOT_TEST_LIBRARIES.includes(library)) continue
      const where = source.isTest ? 'dependencies or devDependencies' : 'dependencies'
      yield { file: source.file, line, rule: 'declared', message: `${library} is not in the ${where} of ${file}` }
    }
  }
  for (const library of shipped) {
    if (used.has(library)) continue
    const advice = usedByTests.has(library) ? 'only tests import it: move it to devDependencies' : 'nothing imports it'
    yield { file, line: lineOf(text, library), rule: 'declared', message: `${library}: ${advice}` }
  }
  for (const library of forTests) {
    const typed = library.startsWith('@types/') ? library.slice('@types/'.length) : library
    if (used.has(typed) || usedByTests.has(typed) || typed === 'node') continue
    yield { file, line: lineOf(text, library), rule: 'declared', message: `${library}: no test imports it` }
  }
}

function lineOf(text: string, library: string): number {
  return text.slice(0, Math.max(0, text.indexOf(`"${library}"`))).split('\n').length
}
