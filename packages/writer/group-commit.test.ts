import { afterEach, beforeEach, expect, it } from 'vitest'
import { batchCommandsMax, commitQueueMax } from '@penstock/domain/limits.ts'
import { openWriter } from '@penstock/store-sqlite/open.ts'
import { SqliteQueries } from '@penstock/store-sqlite/sqlite-queries.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { FatalStoreError } from '@penstock/store/store.ts'
import { GroupCommit } from './group-commit.ts'
import {
  captureCommand,
  dropCommand,
  expireCommand,
  holdCommand,
  publishCommand,
  startMs,
  TestFolder,
} from './test-box.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { CommittedBatch, GroupCommitDeps } from './group-commit.ts'

let folder: TestFolder
const stores: SqliteStore[] = []

beforeEach(() => {
  folder = new TestFolder()
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  folder.remove()
})

function openStore(): SqliteStore {
  const store = new SqliteStore(folder.database)
  stores.push(store)
  return store
}

type Batch = CommittedBatch<string>

/** Group commit on a real store, and what came out of it. Commands have names as their origin. */
class Box {
  readonly store: SqliteStore
  readonly commits: GroupCommit<string>
  readonly batches: Batch[] = []
  readonly poisoned: Command['kind'][] = []
  readonly fatal: unknown[] = []
  readonly #failed = Promise.withResolvers<void>()

  constructor(deps: Partial<GroupCommitDeps<string>> = {}) {
    this.store = openStore()
    this.commits = new GroupCommit<string>({
      store: this.store,
      clock: () => startMs,
      onCommitted: (batch) => this.batches.push(batch),
      onPoisoned: (command) => this.poisoned.push(command.kind),
      onFatal: (error) => {
        this.fatal.push(error)
        this.#failed.resolve()
      },
      ...deps,
    })
  }

  /** Submits in one turn and waits for the end; returns `origin outcome` of every reply since. */
  async run(...commands: readonly (readonly [origin: string, command: Command])[]): Promise<string[]> {
    const from = this.batches.length
    for (const [origin, command] of commands) expect(this.commits.submit(command, origin)).toBe(true)
    await this.finished()
    return this.batches.slice(from).flatMap(outcomes)
  }

  /** Everything is committed and handed out, or the store failed. */
  async finished(): Promise<void> {
    await Promise.race([this.commits.drained(), this.#failed.promise])
  }
}

function outcomes(batch: Batch): string[] {
  return batch.replies.map(({ origin, result }) => `${origin} ${result.outcome}`)
}

const opening = [
  ['create', dropCommand('drop_1')],
  ['publish', publishCommand('drop_1')],
] as const

it('GroupCommit shares one commit among everything submitted in one turn and answers in order', async () => {
  const box = new Box()
  await box.run(...opening)
  const holds = Array.from({ length: 300 }, (_, index) => [`h${index}`, holdCommand(`hold_${index}`)] as const)
  const replies = await box.run(...holds)
  expect(replies).toEqual(holds.map(([origin]) => `${origin} hold_created`))
  expect(box.batches.map(({ seq }) => seq)).toEqual([1, 2])
  expect(box.batches[1]?.changes).toMatchObject({ skus: [{ id: 'sku_of_drop_1', held: 300 }], dropIds: [] })
})

it('GroupCommit commits a lone command without waiting for company', async () => {
  const box = new Box()
  await box.run(opening[0])
  await box.run(opening[1])
  expect(box.batches.map(({ seq, replies }) => [seq, replies.length])).toEqual([
    [1, 1],
    [2, 1],
  ])
})

it('GroupCommit cuts a flood into batches of batchCommandsMax and keeps the order', async () => {
  const box = new Box()
  await box.run(...opening)
  const names = Array.from({ length: 2 * batchCommandsMax + 1 }, (_, index) => `h${index}`)
  const replies = await box.run(...names.map((name) => [name, holdCommand(`hold_${name}`)] as const))
  expect(replies).toEqual(names.map((name) => `${name} hold_created`))
  expect(box.batches.slice(1).map((batch) => batch.replies.length)).toEqual([batchCommandsMax, batchCommandsMax, 1])
  expect(box.store.seq).toBe(4)
})

it('GroupCommit submit refuses above commitQueueMax and takes commands again when there is room', async () => {
  const box = new Box()
  for (let count = 0; count < commitQueueMax; count++) expect(box.commits.submit(expireCommand, 'e')).toBe(true)
  expect(box.commits.depth).toBe(commitQueueMax)
  expect(box.commits.submit(expireCommand, 'refused')).toBe(false)
  await box.commits.drained()
  const replies = box.batches.flatMap(outcomes)
  expect(replies).toHaveLength(commitQueueMax)
  expect(new Set(replies)).toEqual(new Set(['e holds_expired']))
  expect(await box.run(['again', expireCommand])).toEqual(['again holds_expired'])
})

it('GroupCommit keeps seq when a batch changed nothing', async () => {
  const box = new Box()
  await box.run(...opening)
  expect(await box.run(['none', holdCommand('hold_1', { dropId: 'drop_none' })])).toEqual(['none not_found'])
  expect(box.batches[1]).toMatchObject({ seq: 1, changes: { skus: [], dropIds: [] } })
})

it('GroupCommit hands out nothing before a second connection can read it', async () => {
  let checked = 0
  const box = new Box({
    onCommitted: ({ seq, replies }) => {
      const queries = new SqliteQueries(folder.database)
      expect(queries.readSeq()).toBe(seq)
      for (const { result } of replies) {
        if (result.outcome === 'hold_created') expect(queries.findHold(result.hold.id)).not.toBeNull()
        if (result.outcome === 'payment_recorded')
          expect(queries.findOrder(result.payment.orderId ?? '')).not.toBeNull()
        checked += 1
      }
      queries.close()
    },
  })
  for (const [origin, command] of opening) box.commits.submit(command, origin)
  await box.finished()
  box.commits.submit(holdCommand('hold_1'), 'h')
  box.commits.submit(captureCommand('hold_1'), 'p')
  await box.finished()
  expect(box.fatal).toEqual([])
  expect(checked).toBe(4)
})

/** Two drops on sale; the SKU of drop_bad is gone, as if somebody had deleted it by hand. */
async function openPoisonedBox(): Promise<Box> {
  const first = new Box()
  await first.run(...opening, ['bad', dropCommand('drop_bad')], ['publish', publishCommand('drop_bad')])
  first.store.close()
  const db = openWriter(folder.database)
  db.exec("DELETE FROM sku WHERE id = 'sku_of_drop_bad'")
  db.exec(`INSERT INTO hold_start (id, seq, drop_id, amount, currency, lines, customer, client_secret, created_ms, expires_ms)
    VALUES ('hold_bad', 1, 'drop_bad', 100, 'usd', '[["sku_of_drop_bad",1,100]]', '{"email":"a"}', 'cs', 1, 9e15)`)
  db.close()
  return new Box()
}

it('GroupCommit lets a poisoned command fail alone while its neighbours commit, in order', async () => {
  const box = await openPoisonedBox()
  const replies = await box.run(
    ['a', holdCommand('hold_a')],
    ['bad', captureCommand('hold_bad')],
    ['b', holdCommand('hold_b')],
    ['c', captureCommand('hold_a')],
  )
  expect(replies).toEqual(['a hold_created', 'bad internal_error', 'b hold_created', 'c payment_recorded'])
  expect(box.poisoned).toEqual(['capture_payment'])
  expect(box.fatal).toEqual([])
  const queries = new SqliteQueries(folder.database)
  expect(queries.findHold('hold_a')?.status).toBe('captured')
  expect(queries.findHold('hold_b')?.status).toBe('active')
  expect(queries.findHold('hold_bad')?.status).toBe('active')
  expect(queries.findOrder('ord_hold_bad')).toBeNull()
  expect(queries.readSeq()).toBe(box.store.seq)
  queries.close()
})

it('GroupCommit answers a lone poisoned command, and takes the next', async () => {
  const box = await openPoisonedBox()
  expect(await box.run(['bad', captureCommand('hold_bad')])).toEqual(['bad internal_error'])
  expect(box.batches[0]).toMatchObject({ seq: 1, changes: { skus: [], dropIds: [] } })
  expect(await box.run(['a', holdCommand('hold_a')])).toEqual(['a hold_created'])
  expect(box.poisoned).toEqual(['capture_payment'])
})

it('GroupCommit sets aside every poisoned command of a batch', async () => {
  const box = await openPoisonedBox()
  const replies = await box.run(
    ['bad 1', { kind: 'release_hold', key: null, holdId: 'hold_bad', proof: null }],
    ['bad 2', captureCommand('hold_bad')],
    ['good', holdCommand('hold_2')],
  )
  expect(replies).toEqual(['bad 1 internal_error', 'bad 2 internal_error', 'good hold_created'])
})

it('GroupCommit stops for good when another writer took over: onFatal once, nothing handed out', async () => {
  const box = new Box()
  await box.run(...opening)
  openStore()
  for (const name of ['a', 'b', 'c']) box.commits.submit(holdCommand(`hold_${name}`), name)
  await box.finished()
  expect(box.fatal).toEqual([expect.objectContaining({ code: 'fenced' })])
  expect(box.batches).toHaveLength(1)
  expect(box.commits.submit(holdCommand('hold_d'), 'd')).toBe(false)
  expect(box.commits.depth).toBe(0)
  await box.commits.drained()
  expect(box.fatal).toHaveLength(1)
  expect(box.poisoned).toEqual([])
})

it('GroupCommit stops for good when the database fails', async () => {
  const box = new Box()
  await box.run(...opening)
  box.store.close()
  box.commits.submit(holdCommand('hold_a'), 'a')
  await box.finished()
  expect(box.fatal).toHaveLength(1)
  expect(box.fatal[0]).toBeInstanceOf(FatalStoreError)
  expect(box.batches).toHaveLength(1)
})

it('GroupCommit stops for good when a durable batch cannot be handed out: to say it failed would be a lie', async () => {
  const bug = new Error('cannot be encoded')
  let handedOut = 0
  const box = new Box({
    onCommitted: () => {
      handedOut += 1
      throw bug
    },
  })
  box.commits.submit(dropCommand('drop_1'), 'create')
  await box.finished()
  expect(box.store.seq).toBe(1)
  expect(handedOut).toBe(1)
  expect(box.poisoned).toEqual([])
  expect(box.fatal).toEqual([bug])
})

it('GroupCommit drained resolves at once when nothing was submitted', async () => {
  const box = new Box()
  await box.commits.drained()
  await box.run(...opening)
  await box.commits.drained()
  expect(box.batches).toHaveLength(1)
})

it('GroupCommit drained waits for a batch that has left the queue but is not committed', async () => {
  let handedOut = 0
  const seen: Promise<number>[] = []
  const box: Box = new Box({
    // Called after the batch was taken and before its transaction.
    clock: () => {
      seen.push(box.commits.drained().then(() => handedOut))
      return startMs
    },
    onCommitted: () => {
      handedOut += 1
    },
  })
  box.commits.submit(dropCommand('drop_1'), 'create')
  await box.commits.drained()
  expect(await Promise.all(seen)).toEqual([1])
})

it('GroupCommit time never goes backwards, also after a restart', async () => {
  const clock = { nowMs: startMs }
  const first = new Box({ clock: () => clock.nowMs })
  await first.run(...opening)
  clock.nowMs -= 60_000
  await first.run(['h', holdCommand('hold_1')])
  first.store.close()
  const second = new Box({ clock: () => clock.nowMs })
  await second.run(['h', holdCommand('hold_2')])
  const times = [first, second].map(({ batches }) => {
    const result = batches.at(-1)?.replies[0]?.result
    return result?.outcome === 'hold_created' ? result.hold.createdMs : null
  })
  expect(times).toEqual([startMs, startMs])
})
