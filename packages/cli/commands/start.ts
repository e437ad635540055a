import { resolve } from 'node:path'
import { Api, ApiRefusal, readBootstrapKeys } from '../api-client.ts'
import { checkPortIsFree } from '../check-port.ts'
import { exitCodes } from '../exit-code.ts'
import { allSettingOptions, baseUrl, environmentOf, settingsOf } from '../settings.ts'
import { Supervisor } from '../supervisor.ts'
import { seedDemoDrop } from './seed.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { KeyFile } from '../api-client.ts'
import type { Command } from '../command.ts'
import type { Output } from '../output.ts'
import type { BoxState } from '../supervisor.ts'

export const startCommand: Command = {
  name: 'start',
  summary: 'run a box in the foreground: one writer, several HTTP processes, a courier; Ctrl-C stops it',
  options: [
    ...allSettingOptions,
    { flags: '--no-seed', summary: 'in test mode, do not make a demo drop when there is no drop yet' },
  ],
  notes: `Settings are environment variables; an option wins over its variable. All of them: docs/settings.md
With --json, stdout has one object, {"object":"box","url",...}, once the box is open; the log goes to stderr.`,
  run: async (call, context) => {
    const settings = settingsOf(call, context)
    const environment = environmentOf(call, context)
    await start({
      settings,
      environment,
      cores: context.cores,
      seed: !call.isOff('seed'),
      json: call.json,
      output: context.output,
    })
    return exitCodes.done
  },
}

interface StartOptions {
  readonly settings: Settings
  readonly environment: NodeJS.ProcessEnv
  readonly cores: number
  /** Whether an empty box gets a demo drop. */
  readonly seed: boolean
  readonly json: boolean
  readonly output: Output
}

/** Runs a box until it is asked to stop. Resolves when everything has stopped. */
async function start({ settings, environment, cores, seed, json, output }: StartOptions): Promise<void> {
  await checkPortIsFree(settings.host, settings.port)
  const log = (line: string): void => (json ? output.note(line) : output.line(line))
  let state: BoxState = { port: settings.port, writer: null, http: [], courier: null }
  const failures: Error[] = []
  const supervisor = new Supervisor({
    settings,
    environment,
    cores,
    log,
    onState: (next) => {
      state = next
      // For the program that started this one, if it listens.
      if (process.connected) process.send?.({ box: next })
    },
    onHopeless: (reason) => {
      failures.push(reason)
      stop()
    },
  })
  const stopped = Promise.withResolvers<void>()
  let stopping = false
  const stop = (): void => {
    if (stopping) return
    stopping = true
    log('stopping: answering what was taken, then closing the database')
    supervisor.stop().then(stopped.resolve, stopped.reject)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('disconnect', stop)

  await supervisor.start()
  try {
    const keys = readBootstrapKeys(settings.dataFolder)
    const url = baseUrl(settings.host, state.port)
    // Never in live mode: buyers would find it, and pay.
    const seeds = seed && !stopping && settings.mode === 'test'
    const demoDrop = seeds ? await seedOrExplain(new Api(url, keys.secret_key), log) : null
    if (json) output.json({ object: 'box', url, ...keys, data: resolve(settings.dataFolder), demo_drop: demoDrop })
    else output.line(summary(settings, url, keys, demoDrop))
  } catch (error) {
    await supervisor.stop()
    throw error
  }
  if (process.connected) process.send?.('ready')
  await stopped.promise
  log('stopped')
  for (const failure of failures) throw failure
}

/** A seller may have rolled or revoked the key a box starts with: that must not stop it. */
async function seedOrExplain(api: Api, log: (line: string) => void): Promise<string | null> {
  try {
    return await seedDemoDrop(api)
  } catch (error) {
    if (!(error instanceof ApiRefusal) || (error.status !== 401 && error.status !== 403)) throw error
    log(`no demo drop: the key in bootstrap-keys.json is not accepted for it (${error.message})`)
    return null
  }
}

function summary(settings: Settings, url: string, keys: KeyFile, demoDrop: string | null): string {
  // One for real money was chosen by the seller, and does not belong into a log.
  const secretKey = settings.mode === 'live' ? `sk_live_...${keys.secret_key.slice(-4)}` : keys.secret_key
  const seeded = demoDrop === null ? [] : [`  demo drop        ${demoDrop}`]
  return [
    '',
    `Penstock is open at ${url}`,
    `  secret key       ${secretKey}   (for servers: everything)`,
    `  publishable key  ${keys.publishable_key}   (for browsers: read drops, own holds)`,
    `  data             ${resolve(settings.dataFolder)}`,
    `  every route      ${url}/docs`,
    ...seeded,
    '',
    'Try it:',
    `  curl -H 'Authorization: Bearer ${keys.publishable_key}' ${url}/v1/drops`,
    'Ctrl-C stops.',
    '',
  ].join('\n')
}
