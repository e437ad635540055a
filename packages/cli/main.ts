import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { Command } from 'commander'
import { readSettings, SettingsError } from '@penstock/domain/settings.ts'
import { start } from './start.ts'

/**
 * The `penstock` command. Exit codes: 0 done, 1 it failed while running, 2 wrong usage or settings.
 */
const { version } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as { version: string }

const program = new Command('penstock')
  .description('A server for limited drops: fixed stock, a fixed moment, a flood of buyers, real money.')
  .version(version)
  .configureOutput({ outputError: (message, write) => write(message) })
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))

program
  .command('start')
  .description('run a box in the foreground: one writer and several HTTP processes; Ctrl-C stops it')
  .option('--data <folder>', 'database, socket and keys (PENSTOCK_DATA, ./data)')
  .option('--host <address>', 'address to listen on (PENSTOCK_HOST, 127.0.0.1)')
  .option('--port <number>', 'port to listen on, 0 picks a free one (PENSTOCK_PORT, 8080)')
  .option('--http-processes <number>', 'HTTP processes (PENSTOCK_HTTP_PROCESSES, cores - 1, at least 2)')
  .option('--no-seed', 'do not make a demo drop when there is no drop yet')
  .addHelpText(
    'after',
    '\nSettings are environment variables; an option wins over its variable. All of them: docs/settings.md',
  )
  .action(async (options: StartArguments) => {
    const environment = withOptions(process.env, options)
    await start({ settings: readSettings(environment, availableParallelism()), environment, seed: options.seed })
  })

interface StartArguments {
  readonly data?: string
  readonly host?: string
  readonly port?: string
  readonly httpProcesses?: string
  readonly seed: boolean
}

function withOptions(environment: NodeJS.ProcessEnv, options: StartArguments): NodeJS.ProcessEnv {
  const given = {
    PENSTOCK_DATA: options.data,
    PENSTOCK_HOST: options.host,
    PENSTOCK_PORT: options.port,
    PENSTOCK_HTTP_PROCESSES: options.httpProcesses,
  }
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...environment, ...Object.fromEntries(set) }
}

try {
  await program.parseAsync()
  // A channel to a parent keeps the process alive; there is nothing left to say on it.
  if (process.connected) process.disconnect()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(error instanceof SettingsError ? 2 : 1)
}
