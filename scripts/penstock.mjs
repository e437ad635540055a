#!/usr/bin/env node
/**
 * The `penstock` command as a program on the PATH (`bin` of package.json): `npm run penstock` without npm, in the
 * folder of the caller. Runs on whatever Node.js there is and hands over to Node.js 24.
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
const cli = path.join(root, 'packages/cli/main.ts')

/** @param {readonly string[]} args */
async function main(args) {
  const { packageManager } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  const { bundledNodeRuns } = await ensureInstalled(root, packageManager)
  const node = findNode(root, bundledNodeRuns)
  return runChild(node, [cli, ...args], { cwd: process.cwd(), env: process.env, guarded: true })
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (/** @type {unknown} */ error) => {
    process.stderr.write(`penstock: ${error instanceof UserError ? error.message : inspect(error)}\n`)
    process.exit(1)
  },
)
