import { mkdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { expiriesPerCommandMax, expiryIntervalMs, writerDrainMs } from '@penstock/domain/limits.ts'
import { readSettings, SettingsError } from '@penstock/domain/settings.ts'
import { onStopSignal } from '@penstock/protocol/stop-signal.ts'
import { acquireWriterLock, WriterLockedError } from '@penstock/store-sqlite/lock.ts'
import { SchemaError } from '@penstock/store-sqlite/migrate.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { hashBootstrapKeys, settleBootstrapKeys } from './bootstrap-keys.ts'
import { CommitMeter } from './commit-meter.ts'
import { GroupCommit } from './group-commit.ts'
import { WriterServer } from './server.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { Settings } from '@penstock/domain/settings.ts'
import type { Origin } from './server.ts'

/**
 * The writer process: the wiring, and nothing else. It owns the only read-write connection.
 * Exit codes: 0 asked to stop, 1 the store failed or a bug, 2 bad settings, 3 another writer runs, 4 the database has
 * another schema, or a migration failed.
 */
function run(settings: Settings): Promise<void> {
  const log = (message: string, error?: unknown): void => {
    console.error(error === undefined ? message : `${message}: ${describe(error)}`)
  }
  const die = (error: unknown): void => {
    log('the writer stops at once', error)
    process.exit(1)
  }

  // Everything a box writes is for its own user only.
  process.umask(0o077)
  mkdirSync(settings.dataFolder, { recursive: true })
  const lock = acquireWriterLock(join(settings.dataFolder, 'writer.lock'))
  // A large database may take minutes; the supervisor then waits as long as it takes.
  process.send?.('opening')
  const store = new SqliteStore(join(settings.dataFolder, 'penstock.db'), { stopwatch: () => performance.now(), log })
  store.replaceBootstrapKeys(hashBootstrapKeys(settleBootstrapKeys(settings)), Date.now())

  const server = new WriterServer({
    epoch: store.epoch,
    seq: () => store.seq,
    submit: (command, origin) => commits.submit(command, origin),
    log,
    onAmnesia: (peerSeq) => die(new Error(`commit ${peerSeq} was acknowledged, this database ends at ${store.seq}`)),
  })
  const meter = new CommitMeter()
  let meteredSeq = store.seq
  // Whoever measures asks before and after (bench/commit-meter.ts).
  process.on('SIGUSR2', () => log(`commits ${JSON.stringify(meter.counts)}`))

  const commits = new GroupCommit<Origin | null>({
    store,
    clock: Date.now,
    onCommitted: (batch) => {
      server.broadcast(batch)
      // A batch of refusals commits nothing.
      if (batch.seq !== meteredSeq) meter.record(batch.replies.length, store.lastFlushMs)
      meteredSeq = batch.seq
      // More holds are due than one command may end: go on at once, not at the next tick.
      if (batch.replies.some(({ result }) => isFullExpiry(result))) expireHolds()
    },
    onPoisoned: (command, error) => log(`a ${command.kind} command failed and was set aside`, error),
    onFatal: die,
  })

  const expireHolds = (): void => void commits.submit({ kind: 'expire_holds', key: null }, null)
  let seqAtTick = store.seq
  const ticks = setInterval(() => {
    expireHolds()
    if (store.seq === seqAtTick) {
      try {
        store.maintain(true)
      } catch (error) {
        die(error)
      }
    }
    seqAtTick = store.seq
  }, expiryIntervalMs)

  const stop = async (): Promise<void> => {
    clearInterval(ticks)
    setTimeout(() => die(new Error(`not drained within ${writerDrainMs} ms`)), writerDrainMs).unref()
    await commits.drained()
    server.close()
    store.close()
    lock.release()
    process.exitCode = 0
    if (process.connected) process.disconnect()
  }
  onStopSignal(stop, die)

  return server.listen(join(settings.dataFolder, 'writer.sock')).then(() => {
    log(`writer ready: epoch ${store.epoch}, commit ${store.seq}, synchronous FULL, ${settings.dataFolder}`)
    process.send?.('ready')
  })
}

function isFullExpiry(result: Result): boolean {
  return result.outcome === 'holds_expired' && result.count === expiriesPerCommandMax
}

function exitCode(error: unknown): number {
  if (error instanceof SettingsError) return 2
  if (error instanceof WriterLockedError) return 3
  return error instanceof SchemaError ? 4 : 1
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `, because ${describe(error.cause)}`
  return `${error.message}${cause}`
}

try {
  await run(readSettings(process.env, availableParallelism()))
} catch (error) {
  console.error(describe(error))
  process.exit(exitCode(error))
}
