/**
 * Types, lint, format, then the tests; `--quick` leaves the end-to-end tests out. Wrong usage ends with 2.
 * The last line is the sum, `N passed, N failed[, N skipped]`: each static check counts as one. Ends with 1 when
 * anything failed, including tests that could not be counted.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { parseArgs } from 'node:util'

/** @typedef {import('./count-reporter.mjs').Counts} Counts */

const usage = `usage: npm run check -- [folder or file]... [-t <pattern>]
       npm test -- [folder or file]... [-t <pattern>]

Types, lint, format, then the tests; npm run check leaves the end-to-end tests out.
  [folder or file]  only the tests whose path has this in it
  -t <pattern>      only the tests whose name matches

Exit codes: 0 everything passed, 1 something failed, 2 wrong options.
`

const root = path.resolve(import.meta.dirname, '..')
/** @param {string} file */
const tool = (file) => path.join(root, 'node_modules', file)

/** @type {import('node:child_process').ChildProcess | undefined} */
let running
let stopping = false
for (const signal of /** @type {NodeJS.Signals[]} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => {
    stopping = true
    running?.kill(signal)
  })
}

/**
 * @param {readonly string[]} args  of Node
 * @param {{ live: boolean, env?: NodeJS.ProcessEnv }} options  `live` shows the output as it comes
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(args, { live, env = process.env }) {
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(process.execPath, args, {
      cwd: root,
      env,
      stdio: ['ignore', live ? 'inherit' : 'pipe', 'pipe'],
    })
    running = child
    child.stdout?.on('data', (chunk) => (output += chunk))
    child.stderr?.on('data', (chunk) => (live ? process.stderr.write(chunk) : (output += chunk)))
    child.on('error', (error) => resolve({ code: 1, output: String(error) }))
    child.on('close', (code, signal) => {
      resolve({ code: code ?? 1, output: signal === null ? output : `${output}\nended by ${signal}\n` })
    })
  })
}

/** @param {number} startMs */
const elapsed = (startMs) => `${((performance.now() - startMs) / 1000).toFixed(1)} s`

/**
 * @param {string} name
 * @param {string} shown  the command, for the reader
 * @param {readonly string[]} args
 * @param {(result: { code: number, output: string }) => { code: number, output: string }} [refine]
 * @returns {Promise<boolean>} whether it passed
 */
async function staticCheck(name, shown, args, refine = (result) => result) {
  if (stopping) return false
  process.stdout.write(`${name.padEnd(7)} ${shown} ... `)
  const startMs = performance.now()
  const { code, output } = refine(await run(args, { live: false }))
  process.stdout.write(`${code === 0 ? 'passed' : 'FAILED'} in ${elapsed(startMs)}\n`)
  if (output.trim() !== '') process.stdout.write(`${output.trimEnd()}\n`)
  return code === 0
}

/**
 * Errors one a line; warnings only counted by rule, as there may be hundreds.
 * @param {{ code: number, output: string }} result
 */
function readableLint({ code, output }) {
  /** @type {{ severity: string, code?: string, message: string, help?: string, filename: string,
   *   labels: { span: { line: number, column: number } }[] }[]} */
  let diagnostics
  try {
    diagnostics = JSON.parse(output).diagnostics
  } catch {
    return { code: 1, output }
  }
  const lines = []
  /** @type {Map<string, number>} */
  const warnings = new Map()
  for (const { severity, code: rule = 'parse', message, help, filename, labels } of diagnostics) {
    if (severity === 'warning') {
      warnings.set(rule, (warnings.get(rule) ?? 0) + 1)
      continue
    }
    const at = labels[0]?.span
    const where = at === undefined ? filename : `${filename}:${at.line}:${at.column}`
    lines.push(`  ${where} ${rule}: ${message}${help === undefined ? '' : ` (${help})`}`)
  }
  const counted = [...warnings].toSorted((a, b) => b[1] - a[1]).map(([rule, n]) => `${n} ${rule}`)
  if (counted.length > 0) lines.push(`  warnings (not failures): ${counted.join(', ')}; npx oxlint shows them`)
  return { code, output: lines.join('\n') }
}

/**
 * @param {boolean} quick
 * @param {readonly string[]} filters
 * @returns {Promise<Counts>}
 */
async function tests(quick, filters) {
  const none = { passed: 0, failed: 1, skipped: 0, skippedNames: [] }
  if (stopping) return none
  const folder = mkdtempSync(path.join(os.tmpdir(), 'penstock-check-'))
  const countsFile = path.join(folder, 'counts.json')
  const args = ['run', '--reporter=default', '--reporter=./scripts/count-reporter.mjs']
  if (quick) args.push('--project=unit')
  process.stdout.write(`tests   vitest ${['run', ...args.slice(3), ...filters].join(' ')}\n`)
  const startMs = performance.now()
  const env = { ...process.env, CHECK_COUNTS_FILE: countsFile }
  const { code } = await run([tool('vitest/vitest.mjs'), ...args, ...filters], { live: true, env })
  /** @type {Counts} */
  let counts
  try {
    counts = JSON.parse(readFileSync(countsFile, 'utf8'))
  } catch {
    process.stdout.write(`tests   FAILED: vitest ended with code ${code} and reported no counts\n`)
    counts = none
  }
  rmSync(folder, { recursive: true, force: true })
  if (counts.failed === 0 && code !== 0) {
    process.stdout.write(`tests   FAILED: vitest ended with code ${code} though no test failed\n`)
    counts.failed = 1
  }
  if (counts.failed === 0 && counts.passed === 0) {
    process.stdout.write('tests   FAILED: no test ran\n')
    counts.failed = 1
  }
  process.stdout.write(`tests   ${counts.failed === 0 ? 'passed' : 'FAILED'} in ${elapsed(startMs)}\n`)
  return counts
}

/** @param {readonly string[]} argv */
function readOptions(argv) {
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean', default: false },
        testNamePattern: { type: 'string', short: 't' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
    const { quick, testNamePattern: pattern, help } = values
    return { quick, help, filters: pattern === undefined ? positionals : [...positionals, '-t', pattern] }
  } catch (error) {
    // "Unknown option '--x'. To specify a positional argument starting with ...": the first sentence says it.
    return { wrong: error instanceof Error ? error.message.split('. ', 1)[0] : String(error) }
  }
}

/** @param {readonly string[]} argv */
async function main(argv) {
  const options = readOptions(argv)
  if ('wrong' in options) {
    process.stderr.write(`${options.wrong}\n\n${usage}`)
    process.exitCode = 2
    return
  }
  const { quick, help, filters } = options
  if (help) {
    process.stdout.write(usage)
    return
  }
  const startMs = performance.now()
  const statics = [
    await staticCheck('types', 'tsc --noEmit', [tool('typescript/bin/tsc'), '--noEmit', '-p', 'tsconfig.json']),
    await staticCheck('lint', 'oxlint --type-aware', [tool('oxlint/bin/oxlint'), '-f', 'json'], readableLint),
    await staticCheck('format', 'oxfmt --list-different', [path.join(root, 'scripts/format.mjs'), '--list-different']),
  ]
  const counts = await tests(quick, filters)
  const passed = counts.passed + statics.filter(Boolean).length
  const failed = counts.failed + statics.filter((ok) => !ok).length
  if (counts.skipped > 0) {
    process.stdout.write(`\nNOT RUN: ${counts.skipped} skipped tests prove nothing:\n`)
    for (const name of counts.skippedNames) process.stdout.write(`  ${name}\n`)
  }
  process.stdout.write(`\nchecked in ${elapsed(startMs)}\n`)
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
  process.stdout.write(`${passed} passed, ${failed} failed${skipped}\n`)
  // exitCode, not exit(): what a pipe has not taken yet must still be written.
  process.exitCode = failed === 0 ? 0 : 1
}

await main(process.argv.slice(2))
