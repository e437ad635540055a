import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ApiError } from './api-client.ts'
import { checkPortIsFree } from './check-port.ts'
import { seedDemoDrop } from './seed.ts'
import { Supervisor } from './supervisor.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { BoxState } from './supervisor.ts'

export interface StartOptions {
  readonly settings: Settings
  readonly environment: NodeJS.ProcessEnv
  /** Whether an empty box gets a demo drop. */
  readonly seed: boolean
}

/** `penstock start`: runs a box until it is asked to stop. Resolves when everything has stopped. */
export async function start({ settings, environment, seed }: StartOptions): Promise<void> {
  await checkPortIsFree(settings.host, settings.port)
  const log = (line: string): void => console.log(line)
  let state: BoxState = { port: settings.port, writer: null, http: [] }
  const failures: Error[] = []
  const supervisor = new Supervisor({
    settings,
    environment,
    log,
    onState: (next) => {
      state = next
      // For the program that started this one, if it listens.
      if (process.connected) process.send?.({ box: next })
    },
    onHopeless: (reason) => {
      failures.push(new Error(reason))
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
  const keys = readBootstrapKeys(settings)
  const baseUrl = `http://${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${state.port}`
  const demoDrop = seed && !stopping ? await seedOrExplain(baseUrl, keys.secret_key, log) : null
  log(summary(settings, baseUrl, keys, demoDrop))
  if (process.connected) process.send?.('ready')
  await stopped.promise
  log('stopped')
  for (const failure of failures) throw failure
}

/** A seller may have rolled, revoked or never had all rights with the key a box starts with: that must not stop it. */
async function seedOrExplain(baseUrl: string, secretKey: string, log: (line: string) => void): Promise<string | null> {
  try {
    return await seedDemoDrop(baseUrl, secretKey)
  } catch (error) {
    if (!(error instanceof ApiError) || (error.status !== 401 && error.status !== 403)) throw error
    log(`no demo drop: the key in bootstrap-keys.json is not accepted for it (${error.message})`)
    return null
  }
}

interface KeyFile {
  readonly secret_key: string
  readonly publishable_key: string
}

function readBootstrapKeys(settings: Settings): KeyFile {
  return JSON.parse(readFileSync(join(settings.dataFolder, 'bootstrap-keys.json'), 'utf8')) as KeyFile
}

function summary(settings: Settings, baseUrl: string, keys: KeyFile, demoDrop: string | null): string {
  const seeded = demoDrop === null ? [] : [`  demo drop        ${demoDrop}`]
  return [
    '',
    `Penstock is open at ${baseUrl}`,
    `  secret key       ${keys.secret_key}   (for servers: everything)`,
    `  publishable key  ${keys.publishable_key}   (for browsers: read drops, own holds)`,
    `  data             ${resolve(settings.dataFolder)}`,
    ...seeded,
    '',
    'Try it:',
    `  curl -H 'Authorization: Bearer ${keys.publishable_key}' ${baseUrl}/v1/drops`,
    'Ctrl-C stops.',
    '',
  ].join('\n')
}
