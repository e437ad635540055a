import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { bundledNode, nodeRuns } from './find-node.mjs'
import { runChild } from './run-child.mjs'
import { UserError } from './user-error.mjs'

/**
 * What a completed install left behind, kept in node_modules. Removed before an install and written after it, so an
 * interrupted one leaves no stamp.
 * @typedef {object} Stamp
 * @property {string} wanted  hash of the lockfile, the workspace settings and the platform
 * @property {string} installed  hash of pnpm's own record; differs once somebody ran pnpm by hand
 * @property {boolean} bundledNodeRuns
 */

const INPUTS = ['pnpm-lock.yaml', 'pnpm-workspace.yaml']
const LOCK_POLL_MS = 250

/** @param {string} root */
const stampFile = (root) => path.join(root, 'node_modules', '.penstock-install.json')

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(file)
  } catch {
    return null
  }
}

/** @param {readonly (Buffer | string | null)[]} parts */
function digest(parts) {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(`${part?.length ?? -1}:`).update(part ?? '')
  return hash.digest('hex')
}

/** @param {string} root */
function wantedHash(root) {
  const inputs = INPUTS.map((name) => read(path.join(root, name)))
  return digest([...inputs, `${process.platform}-${process.arch}`])
}

/** @param {string} root */
function installedHash(root) {
  return digest([read(path.join(root, 'node_modules', '.pnpm', 'lock.yaml'))])
}

/**
 * @param {string} root
 * @returns {Stamp | null}
 */
function readStamp(root) {
  try {
    return JSON.parse(readFileSync(stampFile(root), 'utf8'))
  } catch {
    return null
  }
}

/**
 * Why an install is needed, or null. Two hashes of 100 KB and no process: about a millisecond.
 * @param {string} root
 * @returns {string | null}
 */
export function staleReason(root) {
  if (read(path.join(root, 'node_modules', '.pnpm', 'lock.yaml')) === null) return 'the dependencies are not installed'
  const stamp = readStamp(root)
  if (stamp === null) return 'no complete install is recorded in node_modules'
  if (stamp.wanted !== wantedHash(root)) return `${INPUTS.join(' or ')} changed since the last install`
  if (stamp.installed !== installedHash(root)) return 'node_modules changed since the last install'
  return null
}

/**
 * Installs when node_modules is missing, stale or half done; says so on standard error, so that standard output stays
 * the task's. Several at once take turns.
 * @param {string} root
 * @param {string} pnpm  such as "pnpm@12.21.0"
 * @returns {Promise<{ bundledNodeRuns: boolean }>}
 */
export async function ensureInstalled(root, pnpm) {
  if (staleReason(root) !== null) {
    const release = await takeInstallLock(root)
    try {
      const reason = staleReason(root)
      if (reason !== null) await install(root, pnpm, reason)
    } finally {
      release()
    }
  }
  return { bundledNodeRuns: readStamp(root)?.bundledNodeRuns === true }
}

/**
 * @param {string} root
 * @param {string} pnpm
 * @param {string} reason
 */
async function install(root, pnpm, reason) {
  // CI=true: pnpm must never stop to ask whether it may replace node_modules. The repeat-install shortcut trusts
  // modification times; an interrupted install is exactly when those lie.
  const args = ['--yes', pnpm, 'install', '--frozen-lockfile', '--config.optimistic-repeat-install=false']
  const shown = `npx --yes ${pnpm} install --frozen-lockfile`
  process.stderr.write(`penstock: ${reason}; running ${shown}\npenstock: the first time takes about a minute\n`)
  const startMs = performance.now()
  rmSync(stampFile(root), { force: true })
  const code = await runChild('npx', args, {
    cwd: root,
    env: { ...process.env, CI: 'true' },
    guarded: false,
    stdio: ['ignore', 2, 2],
  }).catch((/** @type {unknown} */ error) => {
    throw new UserError(`npx does not start (${String(error)}). Install npm, which brings npx, and run this again.`)
  })
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1)
  if (code !== 0) throw new UserError(installFailed(shown, code, seconds))
  const bundled = bundledNode(root)
  /** @type {Stamp} */
  const stamp = {
    wanted: wantedHash(root),
    installed: installedHash(root),
    bundledNodeRuns: bundled !== null && nodeRuns(bundled),
  }
  writeFileSync(stampFile(root), `${JSON.stringify(stamp)}\n`)
  process.stderr.write(`penstock: installed in ${seconds} s\n`)
}

/**
 * @param {string} shown
 * @param {number} code
 * @param {string} seconds
 */
function installFailed(shown, code, seconds) {
  return [
    `the install failed with exit code ${code} after ${seconds} s; pnpm's own message is above. Usual causes:`,
    '  - no connection to the npm registry, or a proxy that npm does not know (npm config get registry)',
    '  - ERR_PNPM_OUTDATED_LOCKFILE: a package.json changed without the lockfile; run the command below without',
    '    --frozen-lockfile and commit pnpm-lock.yaml',
    '  - no space left on the disk: the install needs about 500 MB',
    `To try again: ${shown}`,
    'If it keeps failing, delete node_modules and start over.',
  ].join('\n')
}

/**
 * Takes turns between processes by a file that holds a process id; a file whose process is gone is ignored.
 * @param {string} root
 * @returns {Promise<() => void>} gives the turn back
 */
async function takeInstallLock(root) {
  const folder = path.join(os.tmpdir(), `penstock-install-${process.getuid?.() ?? 'user'}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = path.join(folder, `${digest([root]).slice(0, 16)}.pid`)
  for (let waited = false; ; waited = true) {
    try {
      const descriptor = openSync(file, 'wx')
      writeSync(descriptor, String(process.pid))
      closeSync(descriptor)
      return () => rmSync(file, { force: true })
    } catch (error) {
      if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error
    }
    const owner = Number(read(file)?.toString() ?? 0)
    if (owner > 0 && !isAlive(owner)) rmSync(file, { force: true })
    else if (!waited) process.stderr.write(`penstock: process ${owner} is installing, waiting for it (${file})\n`)
    await sleep(LOCK_POLL_MS)
  }
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM'
  }
}
