import type { Sku } from '@penstock/domain/drop.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'

/**
 * The write side of the database, owned by the one writer. One call is one transaction.
 *
 * `decideAll` gets a fresh working set and returns the outcomes; what it changed is saved and committed before
 * `transact` returns, so everything returned is durable (promise P1). When nothing changed, nothing is written and
 * `seq` is that of the last commit.
 *
 * - `decideAll` throws, or the database refuses a row: nothing is saved, and the same error is thrown. The caller may
 *   try the commands one by one.
 * - `FatalStoreError`: the commit or its flush failed, or another writer took over. Nothing may be acknowledged and
 *   the process must end (promise P8).
 *
 * A store that needs the network returns a promise; an embedded one returns the value.
 */
export interface Store {
  /** Counts the writers that ever opened this database. */
  readonly epoch: number
  /** The last durable commit: 0 in an empty database, then one more for each transaction that changed something. */
  readonly seq: number
  /** The time of the last commit: the writer's clock never runs behind it. */
  readonly lastNowMs: number
  transact<T>(nowMs: number, decideAll: (set: WorkingSet) => T): Committed<T> | Promise<Committed<T>>
  /**
   * Housekeeping between commits: checkpoints, forgetting old requests. A bounded piece of work each time. `idle`:
   * there was no commit for a while. Throws FatalStoreError as `transact` does.
   */
  maintain(idle: boolean): void
  close(): void
}

/** The changes of a batch that changed nothing. */
export const noChanges: Changes = { skus: [], dropIds: [], apiKeysChanged: false }

export interface Committed<T> {
  readonly value: T
  readonly seq: number
  readonly changes: Changes
}

/** What readers outside need to keep their copies fresh. */
export interface Changes {
  /** SKUs whose counters moved, as they are now. */
  readonly skus: readonly Sku[]
  /** Drops that are new or whose own fields changed (not merely their counters). */
  readonly dropIds: readonly string[]
  /** Whether an API key is new or changed, be it only in when it was last used. */
  readonly apiKeysChanged: boolean
}

/**
 * The database failed at a point after which its state is unknown, or it belongs to another writer now.
 * `fenced`: a newer writer has started. `commit_failed`: COMMIT or its flush failed, or what the writer has in memory could
 * not follow it. Never retried.
 */
export class FatalStoreError extends Error {
  readonly code: 'fenced' | 'commit_failed'
  constructor(code: 'fenced' | 'commit_failed', message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'FatalStoreError'
    this.code = code
  }
}
