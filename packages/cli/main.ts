import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { runCommandLine } from './command-line.ts'
import { Output } from './output.ts'

/** The `penstock` command: the wiring, and nothing else. Exit codes: exit-code.ts. */
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }

process.exitCode = await runCommandLine(process.argv.slice(2), version, {
  environment: process.env,
  cores: availableParallelism(),
  clock: Date.now,
  output: new Output(process.stdout, process.stderr),
  openMaintenance: async () => (await import('@penstock/store-sqlite/maintenance.ts')).sqliteMaintenance,
})
// A channel to a parent keeps the process alive; there is nothing left to say on it.
if (process.connected) process.disconnect()
