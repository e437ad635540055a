import {
  checkpointPauseMs,
  checkpointWaitMs,
  commitsPerWalCheck,
  walPagesBusy,
  walPagesIdle,
  walPagesMax,
  writerBusyMs,
} from '@penstock/domain/limits.ts'
import { CheckpointThread } from './checkpoint-thread.ts'
import type { Database as Connection, Statement } from 'better-sqlite3'

/** SQLite's answer: whether a reader stood in the way, pages in the WAL, pages of them moved to the database. */
interface WalState {
  readonly busy: number
  readonly log: number
  readonly checkpointed: number
}

/**
 * Moves the WAL into the database between commits, never inside one (SQLite's own checkpoints run inside some
 * unlucky COMMIT and made it 5 times slower: pitfalls 2.3). Nobody else checkpoints.
 *
 * PASSIVE when idle and the WAL has `walPagesIdle` pages. From `walPagesBusy` on PASSIVE although busy, in a thread;
 * what was committed meanwhile is then moved here, between two commits, since SQLite starts the file anew only when
 * all of it is moved. RESTART, which waits for readers, from `walPagesMax` on, so that the WAL is bounded even if readers
 * overlap without end: that bound counts all pages of the file, moved or not.
 */
export class Checkpointer {
  readonly #db: Connection
  readonly #now: () => number
  readonly #statements: Record<'NOOP' | 'PASSIVE' | 'RESTART', Statement<[], WalState>>
  readonly #thread: CheckpointThread
  #threadError: Error | null = null
  #commitsSinceCheck = 0
  #restartFromMs = 0

  /** `now` is any clock in milliseconds that does not go backwards. */
  constructor(db: Connection, now: () => number) {
    this.#db = db
    this.#now = now
    const checkpoint = (mode: string) => db.prepare<[], WalState>(`PRAGMA wal_checkpoint(${mode})`)
    this.#statements = { NOOP: checkpoint('NOOP'), PASSIVE: checkpoint('PASSIVE'), RESTART: checkpoint('RESTART') }
    this.#thread = new CheckpointThread(db.name, (error) => this.#onThreadDone(error))
  }

  /**
   * Call after every commit, and with `idle` when there was none for a while. Cheap unless there is work. Throws when a
   * checkpoint failed, here or in the thread.
   */
  afterCommit(idle: boolean): void {
    if (this.#threadError !== null) throw this.#threadError
    this.#commitsSinceCheck += 1
    if (this.#commitsSinceCheck < commitsPerWalCheck && !idle) return
    if (this.#thread.isRunning) return
    this.#commitsSinceCheck = 0
    const wal = this.#run('NOOP')
    const pending = wal.log - wal.checkpointed
    if (wal.log >= walPagesMax && this.#now() >= this.#restartFromMs) this.#restart()
    else if (idle && pending >= walPagesIdle) this.#run('PASSIVE')
    else if (pending >= walPagesBusy) this.#thread.start()
  }

  close(): void {
    this.#thread.close()
  }

  #onThreadDone(error: Error | null): void {
    this.#threadError = error
    if (error !== null) return
    const { log, checkpointed } = this.#run('NOOP')
    // The thread has less to move each time, until the rest is small enough to be moved between two commits.
    if (log - checkpointed < walPagesIdle) this.#run('PASSIVE')
    else if (log < walPagesMax) this.#thread.start()
  }

  #restart(): void {
    this.#db.pragma(`busy_timeout = ${checkpointWaitMs}`)
    const { busy } = this.#run('RESTART')
    this.#db.pragma(`busy_timeout = ${writerBusyMs}`)
    // A reader that holds a snapshot for long would otherwise cost every look its full wait.
    this.#restartFromMs = this.#now() + (busy === 1 ? checkpointPauseMs : 0)
  }

  #run(mode: 'NOOP' | 'PASSIVE' | 'RESTART'): WalState {
    return this.#statements[mode].get() ?? { busy: 1, log: 0, checkpointed: 0 }
  }
}
