import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { randomBytes } from 'node:crypto'
import { mintId } from '@penstock/domain/id.ts'
import { courierDrainMs, courierLockWaitMs, courierTickMs } from '@penstock/domain/limits.ts'
import { openProviders } from '@penstock/providers/open-providers.ts'
import { readSettings, SettingsError } from '@penstock/domain/settings.ts'
import { onStopSignal } from '@penstock/protocol/stop-signal.ts'
import { WriterClient } from '@penstock/protocol/writer-client.ts'
import { acquireWriterLock, WriterLockedError } from '@penstock/store-sqlite/lock.ts'
import { SqliteProviderQueries } from '@penstock/store-sqlite/sqlite-provider-queries.ts'
import { SqliteQueries } from '@penstock/store-sqlite/sqlite-queries.ts'
import { SqliteWebhookQueries } from '@penstock/store-sqlite/sqlite-webhook-queries.ts'
import { Courier } from './courier.ts'
import { openProviderJobs } from './provider-jobs.ts'
import { Sender } from './sender.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { FactMint } from '@penstock/providers/fact-command.ts'
import type { WriterLock } from '@penstock/store-sqlite/lock.ts'

const lockPollMs = 100

/**
 * The courier process: the wiring, and nothing else. It takes what happened to others, off the path of a sale: a job
 * reads with `queries`, writes through `writer`, and is stopped by its closer.
 * Exit codes: 0 asked to stop, 1 a bug or another courier runs, 2 bad settings.
 */
async function run(settings: Settings): Promise<void> {
  const log = (message: string): void => console.error(message)
  const connected = Promise.withResolvers<void>()
  const writer = new WriterClient({
    path: join(settings.dataFolder, 'writer.sock'),
    pid: process.pid,
    follows: false,
    clock: Date.now,
    random: Math.random,
    log,
    onConnected: () => connected.resolve(),
    onCommit: () => {},
  })
  // From here on: a process that still waits for its writer must end with its parent too.
  const closers: (() => Promise<void> | void)[] = [() => writer.close()]
  onStopSignal(async () => {
    for (const close of closers.toReversed()) await close()
    if (process.connected) process.disconnect()
    process.exit(0)
  }, die)
  writer.connect()
  await connected.promise
  // Everything a box writes is for its own user only.
  process.umask(0o077)
  const lock = await waitForLock(join(settings.dataFolder, 'courier.lock'))
  closers.unshift(() => lock.release())

  // The writer has made and migrated the database by now.
  const databasePath = join(settings.dataFolder, 'penstock.db')
  const queries = new SqliteQueries(databasePath)
  const webhooks = new SqliteWebhookQueries(databasePath)
  const {
    webhookAllowPrivate: allowPrivate,
    webhookTimeoutMs: timeoutMs,
    webhookRetryDelaysMs: retryDelaysMs,
  } = settings
  const rules = { allowPrivate, httpsOnly: settings.mode === 'live' }
  const sender = new Sender({ rules, timeoutMs, clock: Date.now })
  const courier = new Courier({
    queries,
    webhooks,
    writer,
    sender,
    retryDelaysMs,
    clock: Date.now,
    random: Math.random,
    log,
  })
  courier.start()
  const jobs = startProviderJobs(settings, databasePath, { queries, writer, log })
  // Called last to first.
  closers.unshift(
    () => queries.close(),
    () => jobs.close(),
    () => webhooks.close(),
    () => sender.close(),
  )
  closers.push(
    () => courier.drain(courierDrainMs),
    () => Promise.race([jobs.stop(), delay(courierDrainMs, undefined, { ref: false })]),
  )
  log('courier ready')
  process.send?.('ready')
}

/** What is asked of payment providers, from now on. `stop` ends it, then `close`. */
function startProviderJobs(
  settings: Settings,
  databasePath: string,
  deps: { readonly queries: SqliteQueries; readonly writer: WriterClient; readonly log: (message: string) => void },
): { stop: () => Promise<void>; close: () => void } {
  const [clock, random] = [Date.now, Math.random]
  const providers = openProviders(settings, {
    clock,
    random,
    baseUrl: () => {
      throw new Error('the courier opens no payments')
    },
    findHoldId: (orderCode) => deps.queries.findHoldByNumber(orderCode)?.id ?? null,
  })
  const providerQueries = new SqliteProviderQueries(databasePath)
  const mint: FactMint = { id: (kind) => mintId(kind, clock(), randomBytes(10)) }
  const jobs = openProviderJobs(providers, settings, { ...deps, providerQueries, mint, clock, random })
  const timer = setInterval(() => jobs.tick(), courierTickMs)
  return {
    stop: () => {
      clearInterval(timer)
      return jobs.stop()
    },
    close: () => providerQueries.close(),
  }
}

/** One courier a data folder, so that the events of an order stay in order. The one before may still be draining. */
async function waitForLock(path: string): Promise<WriterLock> {
  const endMs = Date.now() + courierLockWaitMs
  for (;;) {
    try {
      return acquireWriterLock(path)
    } catch (error) {
      if (!(error instanceof WriterLockedError)) throw error
      if (Date.now() >= endMs)
        throw new Error(`another courier runs on this data folder (it holds ${path})`, { cause: error })
      await delay(lockPollMs)
    }
  }
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
