/** Formats the sources in place; `--list-different` only reports. The file list is here so that both agree. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

/** Sources only: Markdown is wrapped by hand, and package.json belongs to the package manager. */
const FILES = [
  'packages',
  'bench',
  'scripts',
  'vitest.config.ts',
  'ecosystem.config.js',
  '!**/*.md',
  '!**/*.json',
  '!**/*.sql',
  '!**/*.html',
]

const root = path.resolve(import.meta.dirname, '..')
const oxfmt = path.join(root, 'node_modules/oxfmt/bin/oxfmt')
const { status } = spawnSync(process.execPath, [oxfmt, ...process.argv.slice(2), ...FILES], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(status ?? 1)
