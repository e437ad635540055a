import Database from 'better-sqlite3'
import { idleCallsBeforeEmptying } from '@penstock/domain/limits.ts'
import { FatalStoreError, noChanges } from '@penstock/store/store.ts'
import { ChangeSet } from '@penstock/store/working-set.ts'
import { Checkpointer } from './checkpoint.ts'
import { RowLoader } from './load.ts'
import { openWriter } from './open.ts'
import { RequestRetention } from './request-retention.ts'
import { encodeScopes } from './rows.ts'
import { ChangeSaver } from './save.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'
import type { Changes, Committed, Store } from '@penstock/store/store.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'
import type { RetentionOptions } from './request-retention.ts'

/** A key a box starts with. It may do everything its kind can, and does not expire. */
export type BootstrapKey = Pick<ApiKey, 'id' | 'kind' | 'secretHash' | 'hint'>

export interface StoreOptions {
  /** Progress of a migration, and of reading a large database, one line each. */
  readonly log?: (line: string) => void
  readonly retention?: RetentionOptions
  /** Keys of an index kept in memory; absent: its own bound. */
  readonly indexTailMax?: number
  /** Milliseconds with fractions, to time each COMMIT; absent: `lastFlushMs` stays 0. */
  readonly stopwatch?: () => number
}

/**
 * The embedded store: one SQLite file in WAL mode, one read-write connection, one transaction per batch.
 *
 * Opening it starts a new epoch. Every transaction that changes something bumps `seq` on the condition that the
 * epoch is still this one: a writer that was paused and replaced finds another epoch and commits nothing.
 */
export class SqliteStore implements Store {
  readonly epoch: number
  #seq: number
  #lastNowMs: number
  #lastFlushMs = 0
  /** Committed, and not in memory yet: only the next call needs that, so replies need not wait for it. */
  #unfollowed: ChangeSet | null = null
  /** Calls of `maintain` that found the writer idle, one after the other. */
  #idleCalls = 0
  readonly #stopwatch: () => number
  readonly #db: Connection
  readonly #loader: RowLoader
  readonly #saver: ChangeSaver
  readonly #checkpointer: Checkpointer
  readonly #retention: RequestRetention
  readonly #begin: Statement<[]>
  readonly #advance: Statement<[seq: number, nowMs: number, settledMs: number, epoch: number]>
  readonly #readEpoch: Statement<[], number>
  readonly #commit: Statement<[]>
  readonly #rollback: Statement<[]>

  constructor(path: string, options: StoreOptions = {}) {
    const db = openWriter(path, options)
    this.#db = db
    this.#stopwatch = options.stopwatch ?? (() => 0)
    this.#loader = new RowLoader(db, options)
    this.#saver = new ChangeSaver(db, this.#loader)
    this.#checkpointer = new Checkpointer(db, () => this.#lastNowMs)
    this.#retention = new RequestRetention(db, this.#loader.requestIndex, options.retention)
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#advance = db.prepare('UPDATE writer_state SET seq = ?, now_ms = ?, settled_ms = ? WHERE id = 1 AND epoch = ?')
    this.#readEpoch = db.prepare<[], number>('SELECT epoch FROM writer_state WHERE id = 1').pluck()
    this.#commit = db.prepare('COMMIT')
    this.#rollback = db.prepare('ROLLBACK')
    const state = db
      .prepare<[], { epoch: number; seq: number; now_ms: number }>(
        'UPDATE writer_state SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch, seq, now_ms',
      )
      .get()
    if (state === undefined) throw new Error(`${path} has no writer_state row: it is not a Penstock database`)
    this.epoch = state.epoch
    this.#seq = state.seq
    this.#lastNowMs = state.now_ms
  }

  get seq(): number {
    return this.#seq
  }

  get lastNowMs(): number {
    return this.#lastNowMs
  }

  /** How long the last COMMIT took, its flush included. */
  get lastFlushMs(): number {
    return this.#lastFlushMs
  }

  transact<T>(nowMs: number, decideAll: (set: WorkingSet) => T): Committed<T> {
    this.#follow()
    this.#beginTransaction()
    const set = new ChangeSet(this.#loader)
    let value: T
    try {
      value = decideAll(set)
      if (!set.isChanged) {
        this.#checkEpoch()
        this.#rollback.run()
        this.#saver.rolledBack()
        return { value, seq: this.#seq, changes: noChanges }
      }
      this.#advanceSeq(nowMs)
      this.#saver.save(set)
    } catch (error) {
      throw this.#rolledBack(error)
    }
    this.#commitTransaction()
    this.#idleCalls = 0
    this.#seq += 1
    this.#lastNowMs = nowMs
    this.#unfollowed = set
    return { value, seq: this.#seq, changes: changesOf(set) }
  }

  maintain(idle: boolean): void {
    this.#follow()
    if (this.#retention.isDue(idle, this.#lastNowMs)) {
      this.#keepHouse('old requests could not be forgotten', () => this.#retention.step(idle, this.#lastNowMs))
    }
    if (idle) this.#emptyTails()
    this.#checkpointer.afterCommit(idle)
  }

  /** Once nobody has bought for a while, the tails of indexes are emptied: a step of one of them a call. */
  #emptyTails(): void {
    this.#idleCalls += 1
    if (this.#idleCalls < idleCallsBeforeEmptying) return
    const index = this.#loader.indexes.find((each) => each.wantsIdleMerge())
    if (index === undefined) return
    this.#keepHouse('keys of an index could not be merged', () => index.mergeIdle())
    index.committed([])
  }

  /**
   * A transaction of its own. Whatever fails in it is fatal: nothing a client said can be the reason. It is no commit
   * of the sale: `seq` stays.
   */
  #keepHouse(failure: string, act: () => void): void {
    this.#beginTransaction()
    try {
      this.#checkEpoch()
      act()
    } catch (error) {
      if (this.#db.inTransaction) this.#rollback.run()
      if (error instanceof FatalStoreError) throw error
      throw new FatalStoreError('commit_failed', failure, error)
    }
    this.#commitTransaction()
  }

  /**
   * Makes `keys` the bootstrap keys: those of an earlier start that are not among them stop working. No start gives a
   * key back what it lost: one that was revoked or rolled keeps its row, and so its end, and one that was made through
   * the API keeps its rights.
   */
  replaceBootstrapKeys(keys: readonly BootstrapKey[], nowMs: number): void {
    const list = this.#db.prepare<[], string>('SELECT secret_hash FROM api_key WHERE is_bootstrap = 1').pluck()
    const remove = this.#db.prepare(
      'DELETE FROM api_key WHERE secret_hash = ? AND expires_ms IS NULL AND revoked_ms IS NULL',
    )
    const revoke = this.#db.prepare('UPDATE api_key SET revoked_ms = ? WHERE secret_hash = ? AND revoked_ms IS NULL')
    const insert = this.#db.prepare(
      `INSERT INTO api_key (id, kind, scopes, secret_hash, hint, created_ms, is_bootstrap) VALUES (?, ?, ?, ?, ?, ?, 1)
       ON CONFLICT DO NOTHING`,
    )
    const replace = this.#db.transaction(() => {
      const given = new Set(keys.map(({ secretHash }) => secretHash))
      for (const hash of list.all().filter((stored) => !given.has(stored))) {
        remove.run(hash)
        revoke.run(nowMs, hash)
      }
      for (const { id, kind, secretHash, hint } of keys) {
        insert.run(id, kind, encodeScopes(kind === 'secret' ? ['*'] : []), secretHash, hint, nowMs)
      }
    })
    replace.immediate()
  }

  /** Leaves a small WAL behind and closes the file. */
  close(): void {
    this.#loader.close()
    this.#checkpointer.close()
    this.#db.close()
  }

  #beginTransaction(): void {
    try {
      this.#begin.run()
    } catch (error) {
      // Nobody else writes to this file. A lock that lasts longer than the busy timeout is a foreign process.
      throw new FatalStoreError('commit_failed', 'the database is locked by another process', error)
    }
  }

  /** Fencing: no row is touched once another writer has opened the database. */
  #advanceSeq(nowMs: number): void {
    const settledMs = this.#loader.holdRows.due.settledMs(nowMs)
    const { changes } = this.#advance.run(this.#seq + 1, nowMs, settledMs, this.epoch)
    if (changes !== 1) throw this.#fenced()
  }

  /** Fencing of a batch that changes nothing: a refusal from rows of the past would be wrong, too. */
  #checkEpoch(): void {
    if (this.#readEpoch.get() !== this.epoch) throw this.#fenced()
  }

  #fenced(): FatalStoreError {
    return new FatalStoreError('fenced', `a newer writer has taken over: epoch ${this.epoch} is past`)
  }

  #commitTransaction(): void {
    const startedMs = this.#stopwatch()
    try {
      this.#commit.run()
      this.#lastFlushMs = this.#stopwatch() - startedMs
    } catch (error) {
      throw new FatalStoreError('commit_failed', 'COMMIT failed: what it wrote may or may not be on disk', error)
    }
  }

  /**
   * The error to throw after a failure before COMMIT. A bug in a decision or a row that breaks a constraint leaves a
   * clean rollback; anything else SQLite reports (I/O, disk full, corruption) leaves nothing to rely on.
   */
  #rolledBack(error: unknown): unknown {
    const wasOpen = this.#db.inTransaction
    if (wasOpen) this.#rollback.run()
    this.#saver.rolledBack()
    if (error instanceof FatalStoreError) return error
    const isSqlite = error instanceof Database.SqliteError
    if (isSqlite && !(wasOpen && error.code.startsWith('SQLITE_CONSTRAINT'))) {
      return new FatalStoreError('commit_failed', `SQLite failed inside a transaction: ${error.code}`, error)
    }
    return error
  }

  /** What is in memory becomes what was committed. */
  #follow(): void {
    const set = this.#unfollowed
    if (set === null) return
    this.#unfollowed = null
    try {
      this.#loader.keep(set)
      this.#saver.committed(set)
    } catch (error) {
      throw new FatalStoreError('commit_failed', 'the memory of the writer could not follow the last commit', error)
    }
  }
}

function changesOf(set: ChangeSet): Changes {
  const skus = [...set.skus.inserted.values(), ...set.skus.updated.values()]
  const dropIds = [...set.drops.inserted.keys(), ...set.drops.updated.keys()]
  return { skus, dropIds, apiKeysChanged: set.apiKeys.isChanged }
}
