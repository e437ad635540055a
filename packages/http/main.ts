import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { httpDrainMs, keyUseDrainMs, keyUseIntervalMs, liveTickMs } from '@penstock/domain/limits.ts'
import { openProviders } from '@penstock/providers/open-providers.ts'
import { readSettings, SettingsError } from '@penstock/domain/settings.ts'
import { SqliteQueries } from '@penstock/store-sqlite/sqlite-queries.ts'
import { Catalogue } from './catalogue.ts'
import { Credentials } from './credentials.ts'
import { reportKeyUses } from './key-uses.ts'
import { LegacyDrops } from './legacy/legacy-drops.ts'
import { LiveDrops } from './live/live-drops.ts'
import { defaultUwsCacheFolder } from './load-uws.ts'
import { Mint } from './mint.ts'
import { openTransport } from './open-transport.ts'
import { ProviderCalls } from './provider-calls.ts'
import { ReadPool } from './read-pool.ts'
import { serveRoutes } from './routes/index.ts'
import { openSlowReads } from './slow-reads.ts'
import { openTestPay, serveTestPay } from './serve-test-pay.ts'
import { onStopSignal } from '@penstock/protocol/stop-signal.ts'
import { WriterClient } from '@penstock/protocol/writer-client.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { Deps } from './api.ts'

/** How often waiting reads are looked through for passed deadlines. */
const waiterSweepMs = 50

const clock = Date.now

/**
 * One HTTP process: the wiring, and nothing else. It waits for the writer, opens its own reader, then listens.
 * Exit codes: 0 asked to stop, 1 a bug or the port is taken, 2 bad settings.
 */
async function run(settings: Settings): Promise<void> {
  const mint = new Mint(clock, settings.mode)
  const connected = Promise.withResolvers<void>()
  let catalogue: Catalogue | null = null
  let credentials: Credentials | null = null
  let live: LiveDrops | null = null
  const keysChanged = (): void => {
    credentials?.forget()
    live?.keysChanged()
  }
  const writer = new WriterClient({
    path: join(settings.dataFolder, 'writer.sock'),
    pid: process.pid,
    follows: true,
    clock,
    random: Math.random,
    log,
    onConnected: ({ slot }) => {
      mint.useSlot(slot)
      catalogue?.reload()
      keysChanged()
      connected.resolve()
    },
    onCommit: (commit) => {
      if (commit.apiKeysChanged) keysChanged()
      catalogue?.apply(commit)
    },
  })
  // From here on: a process that still waits for its writer must end with its parent too.
  const closers: (() => Promise<void> | void)[] = [() => writer.close()]
  onStopSignal(async () => {
    for (const close of closers.toReversed()) await close()
    if (process.connected) process.disconnect()
    if (closers.length === 1) process.exit(0)
  }, die)
  writer.connect()
  await connected.promise

  // The writer has made and migrated the database by now.
  const databasePath = join(settings.dataFolder, 'penstock.db')
  const queries = new SqliteQueries(databasePath)
  catalogue = new Catalogue(queries, clock)
  catalogue.reload()
  credentials = new Credentials(queries, clock)
  const pool = new ReadPool(databasePath, (error) => log('a thread for slow reads failed', error))
  const transport = openTransport(settings.transport, defaultUwsCacheFolder(process.env), log)
  // Only a request that came over it asks, so there is a port by then.
  let baseUrl = ''
  const url = (): string => baseUrl
  const deps = openDeps(settings, { queries, catalogue, writer, credentials, mint, pool, baseUrl: url })
  live = deps.live
  const testPay = openTestPay(deps.providers, { url, clock, log, random: Math.random })
  serveRoutes(transport, deps, (router) => testPay && serveTestPay(router, deps, testPay))
  const port = await transport.listen(settings.host, settings.port)
  baseUrl = ownUrl(settings.host, port)
  const stopTimers = startTimers(deps, writer)

  // Called last to first: the reader outlives the writer's line, whose commits may still ask it.
  closers.unshift(() => queries.close())
  closers.push(
    stopTimers,
    () => Promise.race([reportKeyUses(deps.credentials, writer), delay(keyUseDrainMs, undefined, { ref: false })]),
    () => pool.close(),
    () => testPay?.webhooks.close(),
    () => transport.close(httpDrainMs),
    () => deps.live.close(),
  )
  log(`http ready: ${transport.name} on ${settings.host}:${port}`)
  process.send?.({ listening: port })
  process.send?.('ready')
}

interface Opened extends Pick<Deps, 'catalogue' | 'credentials' | 'mint'> {
  readonly writer: WriterClient
  readonly queries: SqliteQueries
  readonly pool: ReadPool
  /** Where this process can be reached. */
  readonly baseUrl: () => string
}

/** What routes work with, of what is open already. */
function openDeps(settings: Settings, { pool, baseUrl, ...opened }: Opened): Deps {
  const { queries, catalogue } = opened
  return {
    ...opened,
    providers: openProviders(settings, {
      clock,
      random: Math.random,
      baseUrl,
      findHoldId: (orderCode) => queries.findHoldByNumber(orderCode)?.id ?? null,
    }),
    providerCalls: new ProviderCalls(log),
    slowReads: openSlowReads(pool.readPart, {
      isBusy: () => opened.writer.isAwaited,
      stopwatch: () => performance.now(),
      rest: delay,
    }),
    live: new LiveDrops(catalogue, clock),
    legacy: {
      isServed: settings.legacyApi,
      drops: new LegacyDrops(catalogue),
      allowsUnsignedWebhooks: settings.allowsUnsignedWebhooks,
    },
    webhookUrlRules: { allowPrivate: settings.webhookAllowPrivate, httpsOnly: settings.mode === 'live' },
    clock,
    log,
  }
}

/** What happens without a request. Gives back what ends it. */
function startTimers({ catalogue, live, credentials }: Deps, writer: WriterClient): () => void {
  const timers = [
    setInterval(() => catalogue.expireWaiters(clock()), waiterSweepMs),
    setInterval(() => live.tick(), liveTickMs),
    setInterval(() => void reportKeyUses(credentials, writer), keyUseIntervalMs),
  ]
  return () => {
    for (const timer of timers) clearInterval(timer)
  }
}

function log(message: string, error?: unknown): void {
  if (error === undefined) console.error(message)
  else console.error(`${message}:`, error)
}

/** How this machine reaches what listens on `host`. */
function ownUrl(host: string, port: number): string {
  const own = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host
  return `http://${own.includes(':') ? `[${own}]` : own}:${port}`
}

/** It could not stop in order. */
function die(error: unknown): void {
  console.error(error)
  process.exit(1)
}

try {
  await run(readSettings(process.env, availableParallelism()))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exit(error instanceof SettingsError ? 2 : 1)
}
