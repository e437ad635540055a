/**
 * The entry of every npm script: `node scripts/run.mjs <task> [arguments]`.
 *
 * Runs on whatever Node.js the machine has (18 or newer) with no dependency installed: installs what the lockfile
 * lists when node_modules is missing or stale, finds Node.js 24, hands over to it and ends with its exit code.
 *
 * The scripts of package.json say `exec node`: npm passes signals only to the shell it started, which would end (TERM)
 * or ignore them (INT) and leave this process running.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { inspect } from 'node:util'
import { findNode } from './find-node.mjs'
import { ensureInstalled } from './install.mjs'
import { runChild } from './run-child.mjs'
import { UserError } from './user-error.mjs'

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

/**
 * @typedef {object} Task
 * @property {string} summary  one line for the list
 * @property {readonly (readonly string[])[]} steps  arguments of Node 24, one list per process, run in turn while each
 *   ends with 0. The user's arguments go to every step.
 * @property {readonly string[]} [help]  what runs instead when the arguments ask for help
 * @property {boolean} [bare]  it takes no arguments
 * @property {boolean} [unguarded]  the process may outlive this one, or needs file descriptor 3 for itself
 */

const CLI = 'packages/cli/main.ts'
const PM2 = 'node_modules/pm2/bin/pm2'
const ECOSYSTEM = 'ecosystem.config.js'
/** Writer first at the start, last at the end: HTTP processes ride out a missing writer, but not for long. */
const PM2_START_ORDER = ['penstock-writer', 'penstock-http', 'penstock-courier']
const PM2_STOP_ORDER = ['penstock-http', 'penstock-courier', 'penstock-writer']

/** @type {Readonly<Record<string, Task>>} */
const TASKS = {
  start: { summary: 'start the writer and the HTTP processes; Ctrl-C drains and stops', steps: [[CLI, 'start']] },
  dev: {
    summary: 'start, and restart when a file under packages/ changes',
    steps: [['--watch-path=packages', '--watch-preserve-output', CLI, 'start']],
    help: [CLI, 'start'],
    unguarded: true,
  },
  penstock: { summary: 'the penstock command: npm run penstock -- --help', steps: [[CLI]] },
  demo: { summary: 'play a drop from beginning to end', steps: [['packages/testing/demo/main.ts']] },
  bench: { summary: 'measure: npm run bench -- <name>', steps: [['bench/main.ts']] },
  'bench:ladder': { summary: 'measure at constant rates', steps: [['bench/ladder/main.ts']] },
  'bench:peers': { summary: 'measure beside other servers of the same sale', steps: [['bench/peers/main.ts']] },
  'bench:writer': { summary: 'measure the writer alone, by batch size', steps: [['bench/writer/main.ts']] },
  'bench:micro': { summary: 'measure engine, codec, store and each statement', steps: [['bench/micro/main.ts']] },
  'bench:growth': {
    summary: 'measure on large databases, many SKUs, many connections',
    steps: [['bench/growth/main.ts']],
  },
  'bench:soak': { summary: 'measure memory under full load', steps: [['bench/soak/main.ts']] },
  test: { summary: 'everything: types, lint, format, every test', steps: [['scripts/check.mjs']] },
  check: { summary: 'the same without the end-to-end tests', steps: [['scripts/check.mjs', '--quick']] },
  fuzz: {
    summary: 'send generated requests to a box: npm run fuzz -- --help',
    steps: [['packages/testing/fuzz/main.ts']],
  },
  'load:legacy': {
    summary: "play the old system's load on a box: npm run load:legacy -- --help",
    steps: [['packages/testing/legacy/main.ts']],
  },
  openapi: {
    summary: 'write docs/openapi.json from the routes',
    steps: [['packages/testing/openapi/main.ts']],
    bare: true,
  },
  format: { summary: 'format the sources in place', steps: [['scripts/format.mjs']] },
  'sdk:pack': {
    summary: 'build the SDK and pack it: npm run sdk:pack -- [folder]',
    steps: [['packages/sdk/pack/main.ts']],
  },
  'pm2:start': {
    summary: 'start under PM2',
    steps: PM2_START_ORDER.map((name) => [PM2, 'start', ECOSYSTEM, '--only', name]),
    bare: true,
    unguarded: true,
  },
  'pm2:reload': {
    summary: 'replace the HTTP processes one by one, then the courier and the writer',
    steps: PM2_STOP_ORDER.map((name) => [PM2, 'reload', ECOSYSTEM, '--only', name, '--update-env']),
    bare: true,
    unguarded: true,
  },
  'pm2:stop': {
    summary: 'drain and stop what PM2 runs: the HTTP processes, the courier, then the writer',
    steps: PM2_STOP_ORDER.map((name) => [PM2, 'stop', name]),
    bare: true,
    unguarded: true,
  },
}

function usage() {
  const lines = Object.entries(TASKS).map(([name, task]) => `  ${name.padEnd(13)} ${task.summary}`)
  return ['usage: npm run <task> -- [arguments]', '', ...lines, ''].join('\n')
}

/** @param {readonly string[]} args */
function asksForHelp(args) {
  return args.includes('--help') || args.includes('-h')
}

/**
 * @param {string} name
 * @param {Task} task
 * @param {readonly string[]} args  at least one, where none is taken
 */
function explain(name, { summary }, args) {
  const help = asksForHelp(args)
  const text = `usage: npm run ${name}   (${summary}; no arguments)\n`
  if (help) process.stdout.write(text)
  else process.stderr.write(`penstock: npm run ${name} takes no "${args[0]}"\n\n${text}`)
  return help ? 0 : 2
}

/** @param {readonly string[]} argv */
async function main(argv) {
  const [name = '', ...args] = argv
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined
  if (task === undefined) {
    const help = name === '' || name === 'help' || name === '--help'
    if (!help) process.stderr.write(`penstock: there is no task "${name}"\n\n`)
    ;(help ? process.stdout : process.stderr).write(usage())
    return help ? 0 : 2
  }
  if (task.bare === true && args.length > 0) return explain(name, task, args)
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const { bundledNodeRuns } = await ensureInstalled(root, packageManager)
  const node = findNode(root, bundledNodeRuns)
  const env = { ...process.env, PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH ?? ''}` }
  const steps = task.help !== undefined && asksForHelp(args) ? [task.help] : task.steps
  for (const step of steps) {
    const code = await runChild(node, [...step, ...args], { cwd: root, env, guarded: task.unguarded !== true })
    if (code !== 0) return code
  }
  return 0
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (/** @type {unknown} */ error) => {
    process.stderr.write(`penstock: ${error instanceof UserError ? error.message : inspect(error)}\n`)
    process.exit(1)
  },
)
