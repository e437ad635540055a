import { batchCommandsMax, commitQueueMax } from '@penstock/domain/limits.ts'
import { rejected } from '@penstock/domain/result.ts'
import { decide } from '@penstock/engine/decide.ts'
import { FatalStoreError, noChanges } from '@penstock/store/store.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { Changes, Committed, Store } from '@penstock/store/store.ts'

/** A command waiting for its commit. `Origin` says where its result goes; nobody reads it here. */
export interface QueuedCommand<Origin> {
  readonly command: Command
  readonly origin: Origin
}

/** What one commit produced, handed out only after it is durable. */
export interface CommittedBatch<Origin> {
  readonly seq: number
  readonly changes: Changes
  readonly replies: readonly (QueuedCommand<Origin> & { readonly result: Result })[]
}

export interface GroupCommitDeps<Origin> {
  readonly store: Store
  /** Unix milliseconds. */
  readonly clock: () => number
  /** Called once per commit, after it. */
  readonly onCommitted: (batch: CommittedBatch<Origin>) => void
  /** A command threw: its batch went on without it. */
  readonly onPoisoned: (command: Command, error: unknown) => void
  /** The store failed for good (promise P8). Nothing was acknowledged, nothing more will be; the process must end. */
  readonly onFatal: (error: unknown) => void
}

/**
 * Turns single commands into group commits. There is no timer and no target size: a batch is whatever arrived while
 * the last commit ran, so a lone command is committed at once and a flood shares one flush.
 *
 * The queue holds at most `commitQueueMax` commands; `submit` refuses when it is full. A batch takes at most
 * `batchCommandsMax`. Nothing here is durable until `onCommitted` says so.
 */
export class GroupCommit<Origin> {
  #queue: QueuedCommand<Origin>[] = []
  #state: 'idle' | 'scheduled' | 'stopped' = 'idle'
  #whenDrained: (() => void)[] = []
  /** The clock of the last batch, whether it committed anything or not: it never goes backwards. */
  #lastNowMs = 0
  readonly #deps: GroupCommitDeps<Origin>

  constructor(deps: GroupCommitDeps<Origin>) {
    this.#deps = deps
  }

  /** False when the queue is full or the store failed: the command was not taken. */
  submit(command: Command, origin: Origin): boolean {
    if (this.#state === 'stopped' || this.#queue.length >= commitQueueMax) return false
    this.#queue.push({ command, origin })
    this.#schedule()
    return true
  }

  get depth(): number {
    return this.#queue.length
  }

  /** Resolves once everything submitted so far is committed and handed out. */
  drained(): Promise<void> {
    // An empty queue is not enough: the last batch has left it and may not be committed.
    if (this.#state !== 'scheduled') return Promise.resolve()
    return new Promise((resolve) => this.#whenDrained.push(resolve))
  }

  /** setImmediate runs after all sockets of this turn were read: their commands share the batch. */
  #schedule(): void {
    if (this.#state !== 'idle') return
    this.#state = 'scheduled'
    setImmediate(() => {
      this.#runBatch().catch((error: unknown) => this.#fail(error))
    })
  }

  async #runBatch(): Promise<void> {
    const batch = this.#queue.length <= batchCommandsMax ? this.#queue : this.#queue.slice(0, batchCommandsMax)
    this.#queue = this.#queue.length <= batchCommandsMax ? [] : this.#queue.slice(batchCommandsMax)
    await this.#commit(batch)
    this.#state = 'idle'
    this.#deps.store.maintain(false)
    if (this.#queue.length > 0) return this.#schedule()
    for (const resolve of this.#whenDrained.splice(0)) resolve()
  }

  async #commit(batch: readonly QueuedCommand<Origin>[]): Promise<void> {
    let committed: Committed<Result[]>
    try {
      committed = await this.#transact(batch)
    } catch (error) {
      if (error instanceof FatalStoreError) throw error
      return this.#commitOneByOne(batch, error)
    }
    // Durable from here on: an error while handing out is a bug that must not be answered as "nothing was changed".
    this.#handOut(batch, committed)
  }

  /** One command threw and took its batch with it: each gets a transaction of its own, and only the culprit fails. */
  async #commitOneByOne(batch: readonly QueuedCommand<Origin>[], batchError: unknown): Promise<void> {
    const [only] = batch
    if (batch.length === 1 && only !== undefined) {
      this.#deps.onPoisoned(only.command, batchError)
      const result = rejected('internal_error', null, 'The command could not be carried out; nothing was changed.')
      const { seq } = this.#deps.store
      this.#deps.onCommitted({ seq, changes: noChanges, replies: [{ ...only, result }] })
      return
    }
    for (const queued of batch) await this.#commit([queued])
  }

  #transact(batch: readonly QueuedCommand<Origin>[]): Committed<Result[]> | Promise<Committed<Result[]>> {
    const { store, clock } = this.#deps
    const nowMs = Math.max(this.#lastNowMs, store.lastNowMs, clock())
    this.#lastNowMs = nowMs
    return store.transact(nowMs, (set) => batch.map(({ command }) => decide(set, command, nowMs)))
  }

  #handOut(batch: readonly QueuedCommand<Origin>[], { value, seq, changes }: Committed<Result[]>): void {
    const replies = batch.map(({ command, origin }, index) => {
      const result = value[index]
      if (result === undefined) throw new FatalStoreError('commit_failed', 'a command has no result')
      return { command, origin, result }
    })
    this.#deps.onCommitted({ seq, changes, replies })
  }

  #fail(error: unknown): void {
    this.#state = 'stopped'
    this.#queue = []
    this.#deps.onFatal(error)
  }
}
