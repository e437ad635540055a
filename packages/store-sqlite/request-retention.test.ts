import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  batchCommandsMax,
  forgetPerRequest,
  requestRetentionMs,
  requestsPerForgetting,
} from '@penstock/domain/limits.ts'
import { decide } from '@penstock/engine/decide.ts'
import {
  attachCommand,
  cancelCommand,
  captureCommand,
  deleteEndpointCommand,
  disputeCommand,
  dropCommand,
  endpointCommand,
  fulfilCommand,
  holdCommand,
  keyCommand,
  outcomesCommand,
  phaseCommand,
  refundCommand,
  releaseCommand,
  replayCommand,
  requestKey,
  restockCommand,
  retryCommand,
  revokeCommand,
  rollCommand,
  rotateCommand,
  shoe,
  startMs,
  updateCommand,
  checkoutCommand,
  closeCheckoutCommand,
  refundFact,
  updateEndpointCommand,
} from '@penstock/engine/test-sale.ts'
import { openReader } from './open.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Command, CommandKind } from '@penstock/domain/command.ts'
import type { Result } from '@penstock/domain/result.ts'
import type { StoreOptions } from './sqlite-store.ts'

let folder = ''
let path = ''
const stores: SqliteStore[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-retention-'))
  path = join(folder, 'penstock.db')
})
afterEach(() => {
  for (const store of stores.splice(0)) store.close()
  rmSync(folder, { recursive: true })
})

function openStore(options: StoreOptions = {}): SqliteStore {
  const store = new SqliteStore(path, options)
  stores.push(store)
  return store
}

function run(store: SqliteStore, nowMs: number, ...commands: readonly Command[]): Result[] {
  return store.transact(nowMs, (set) => commands.map((command) => decide(set, command, nowMs))).value
}

/** Idle for long enough to forget everything that may be. */
function idle(store: SqliteStore): void {
  for (let tick = 0; tick < 200; tick++) store.maintain(true)
}

function count(sql: string): number {
  const db = openReader(path)
  try {
    return Number(db.prepare(sql).pluck().get())
  } finally {
    db.close()
  }
}

const addRequests = (store: SqliteStore, from: number, size: number, createdMs: number): void => {
  store.transact(createdMs, (set) => {
    for (let at = from; at < from + size; at++) {
      const answer = { kind: 'result', json: '{}' } as const
      set.requests.insert(`r${at}`, { id: `r${at}`, fingerprint: 'f', createdMs, lasting: false, answer })
    }
  })
}

/** The clock of a store is that of its last commit. */
const commitAt = (store: SqliteStore, nowMs: number): void => {
  store.transact(nowMs, (set) => set.buyers.insert(`at ${nowMs}`, { id: `at ${nowMs}`, units: 1 }))
}

const findRequest = (store: SqliteStore, at: number): unknown =>
  store.transact(store.lastNowMs, (set) => set.requests.find(`r${at}`)).value

interface Row {
  readonly command: Command
  /** The same request as a client sends it again. */
  readonly again: Command
  /** What happened before, besides hold_1. */
  readonly before?: readonly Command[]
  /** What the repeat is answered once the key is forgotten. */
  readonly later: object
}

const key = requestKey('k1')

const paid = [captureCommand('hold_1')]

/** Every kind of command that may have a key. hold_1 is there before. */
const rows: Record<Exclude<CommandKind, 'expire_holds' | 'touch_keys' | 'record_webhook_outcomes'>, Row> = {
  create_drop: {
    command: { ...dropCommand({ dropId: 'drop_2', skus: [] }), key },
    again: { ...dropCommand({ dropId: 'drop_3', skus: [] }), key },
    later: { drop: { id: 'drop_3' }, replayed: false },
  },
  update_drop: {
    command: updateCommand({ key, changes: { name: 'Once' } }),
    again: updateCommand({ key, changes: { name: 'Once' } }),
    later: { drop: { name: 'Once' }, replayed: false },
  },
  change_drop_phase: {
    command: { ...phaseCommand('pause'), key },
    again: { ...phaseCommand('pause'), key },
    later: { drop: { phase: 'paused' }, replayed: false },
  },
  // Would add the units again: never forgotten.
  restock_sku: {
    command: restockCommand(5, { key }),
    again: restockCommand(5, { key }),
    later: { replayed: true },
  },
  create_hold: {
    command: holdCommand('hold_2', { key }),
    again: holdCommand('hold_3', { key, clientSecret: 'another' }),
    later: { hold: { id: 'hold_3' }, replayed: false },
  },
  release_hold: {
    command: releaseCommand('hold_1', { key }),
    again: releaseCommand('hold_1', { key }),
    later: { hold: { id: 'hold_1', status: 'released' }, replayed: false },
  },
  // Found by its own id, for ever: the same order, as a duplicate.
  capture_payment: {
    command: captureCommand('hold_1', { key }),
    again: captureCommand('hold_1', { key, paymentId: 'pay_2' }),
    later: { payment: { orderId: 'ord_paid for hold_1' }, duplicate: true, replayed: false },
  },
  attach_payment: {
    before: [captureCommand('hold_none')],
    command: attachCommand('hold_1', { key }),
    again: attachCommand('hold_1', { key }),
    later: { payment: { orderId: 'ord_paid for hold_none' }, replayed: false },
  },
  // Would pay again: never forgotten.
  create_refund: {
    before: paid,
    command: refundCommand('rfnd_1', { key, amountMinor: 10 }),
    again: refundCommand('rfnd_2', { key, amountMinor: 10 }),
    later: { refund: { id: 'rfnd_1' }, replayed: true },
  },
  settle_refund: {
    before: [captureCommand('hold_1', { provider: 'card' }), refundCommand('rfnd_1')],
    command: { kind: 'settle_refund', key, refundId: 'rfnd_1', status: 'succeeded' },
    again: { kind: 'settle_refund', key, refundId: 'rfnd_1', status: 'succeeded' },
    later: { refund: { status: 'succeeded' }, replayed: false },
  },
  // Rows follow what the provider says, and stay as they are when it is said again.
  take_fact: {
    before: [captureCommand('hold_1', { provider: 'stripe' })],
    command: { ...refundFact('re_1'), key },
    again: { ...refundFact('re_1'), key },
    later: { effect: 'applied', replayed: false },
  },
  open_checkout: {
    command: checkoutCommand('hold_1', { key }),
    again: checkoutCommand('hold_1', { key }),
    later: { checkout: { holdId: 'hold_1', state: 'open' }, replayed: false },
  },
  close_checkout: {
    before: [checkoutCommand('hold_1')],
    command: closeCheckoutCommand('hold_1', { key }),
    again: closeCheckoutCommand('hold_1', { key }),
    later: { isClosed: true, replayed: false },
  },
  open_dispute: {
    before: paid,
    command: disputeCommand('dsp_1', { key }),
    again: disputeCommand('dsp_2', { key, providerDisputeId: 'bank dsp_1' }),
    later: { dispute: { id: 'dsp_1' }, duplicate: true, replayed: false },
  },
  close_dispute: {
    before: [...paid, disputeCommand('dsp_1')],
    command: { kind: 'close_dispute', key, disputeId: 'dsp_1', status: 'won' },
    again: { kind: 'close_dispute', key, disputeId: 'dsp_1', status: 'won' },
    later: { dispute: { status: 'won' }, replayed: false },
  },
  cancel_order: {
    before: paid,
    command: cancelCommand({ key }),
    again: cancelCommand({ key, refundId: 'rfnd_2' }),
    later: { order: { id: 'ord_paid for hold_1' }, refundedMinor: 100, replayed: false },
  },
  fulfil_order: {
    before: paid,
    command: fulfilCommand({ key }),
    again: fulfilCommand({ key }),
    later: { order: { fulfilledMs: startMs }, replayed: false },
  },
  erase_customer: {
    command: { kind: 'erase_customer', key, holdId: 'hold_1' },
    again: { kind: 'erase_customer', key, holdId: 'hold_1' },
    later: { hold: { id: 'hold_1' }, replayed: false },
  },
  // A scanner that sends it again must not be told that somebody else was there: never forgotten.
  use_code: {
    before: paid,
    command: { kind: 'use_code', key, orderId: 'ord_paid for hold_1', holdId: 'hold_1', unit: 0 },
    again: { kind: 'use_code', key, orderId: 'ord_paid for hold_1', holdId: 'hold_1', unit: 0 },
    later: { outcome: 'code_activated', replayed: true },
  },
  // Another key: whoever may make one may make two, and sees both in the list.
  create_key: {
    command: keyCommand('key_1', { key }),
    again: keyCommand('key_2', { key }),
    later: { apiKey: { id: 'key_2' }, replayed: false },
  },
  roll_key: {
    before: [keyCommand('key_1')],
    command: rollCommand('key_1', 'key_2', { key, overlapMs: 7 * requestRetentionMs }),
    again: rollCommand('key_1', 'key_3', { key, overlapMs: 7 * requestRetentionMs }),
    later: { apiKey: { id: 'key_3' }, replayed: false },
  },
  revoke_key: {
    before: [keyCommand('key_1'), keyCommand('key_2')],
    command: revokeCommand('key_1', key),
    again: revokeCommand('key_1', key),
    later: { apiKey: { id: 'key_1', revokedMs: startMs }, replayed: false },
  },
  // As an API key.
  create_webhook_endpoint: {
    command: endpointCommand('whe_1', { key }),
    again: endpointCommand('whe_2', { key }),
    later: { endpoint: { id: 'whe_2' }, replayed: false },
  },
  update_webhook_endpoint: {
    before: [endpointCommand('whe_1')],
    command: updateEndpointCommand({ description: 'Once' }, 'whe_1', key),
    again: updateEndpointCommand({ description: 'Once' }, 'whe_1', key),
    later: { endpoint: { description: 'Once', revision: 1 }, replayed: false },
  },
  delete_webhook_endpoint: {
    before: [endpointCommand('whe_1')],
    command: deleteEndpointCommand('whe_1', key),
    again: deleteEndpointCommand('whe_1', key),
    later: { endpoint: { status: 'deleted', revision: 1 }, replayed: false },
  },
  rotate_webhook_secret: {
    before: [endpointCommand('whe_1')],
    command: rotateCommand('s2', { key }),
    again: rotateCommand('s3', { key }),
    later: { endpoint: { secretId: 's3' }, replayed: false },
  },
  retry_webhook_delivery: {
    before: [endpointCommand('whe_1'), outcomesCommand()],
    command: retryCommand({ key }),
    again: retryCommand({ key }),
    later: { delivery: { status: 'pending' }, replayed: false },
  },
  // While the first is under way, the same range is the same replay.
  replay_webhook_events: {
    before: [endpointCommand('whe_1')],
    command: replayCommand(1, 1, { key }),
    again: replayCommand(1, 1, { key }),
    later: { endpoint: { replay: { nextSeq: 1, toSeq: 1 } }, replayed: false },
  },
}

it.each(Object.entries(rows))(
  'SqliteStore replays %s within the retention, and afterwards knows it if it must',
  (_, row) => {
    const store = openStore()
    run(
      store,
      startMs,
      dropCommand({ holdTtlMs: 7 * requestRetentionMs }),
      phaseCommand('publish'),
      holdCommand('hold_1'),
      ...(row.before ?? []),
    )
    const first = run(store, startMs, row.command)[0]
    // The newest request always stays.
    run(store, startMs + 1, updateCommand({ key: requestKey('other'), changes: { description: 'Newest' } }))
    idle(store)
    commitAt(store, startMs + requestRetentionMs - 1)
    idle(store)
    expect(run(store, startMs + requestRetentionMs - 1, row.again)).toEqual([{ ...first, replayed: true }])
    commitAt(store, startMs + requestRetentionMs)
    idle(store)
    expect(run(store, startMs + requestRetentionMs, row.again)).toMatchObject([row.later])
    expect(run(store, startMs + requestRetentionMs, row.again)).toMatchObject([{ replayed: true }])
    expect(run(openStore(), startMs + requestRetentionMs, row.again)).toMatchObject([{ replayed: true }])
  },
)

it('SqliteStore counts restocked units once, and orders a payment once, however late they are repeated', () => {
  const store = openStore()
  run(store, startMs, dropCommand(), phaseCommand('publish'), holdCommand('hold_1'))
  const commands = [restockCommand(5, { key }), captureCommand('hold_1', { key: requestKey('k2') })]
  run(store, startMs, ...commands, holdCommand('hold_2', { key: requestKey('k3') }))
  run(store, startMs + 400 * requestRetentionMs, holdCommand('hold_3', { key: requestKey('k4') }))
  idle(store)
  const { value } = store.transact(startMs + 400 * requestRetentionMs, (set) => {
    for (const command of commands) decide(set, command, startMs + 400 * requestRetentionMs)
    return set.skus.find(shoe)
  })
  expect(value).toMatchObject({ stock: 15, sold: 1 })
  expect(count('SELECT count(*) FROM payment')).toBe(1)
})

it('SqliteStore lets a forgotten key be used for another request', () => {
  const store = openStore()
  run(store, startMs, dropCommand(), phaseCommand('publish'))
  run(store, startMs, holdCommand('hold_1', { key }), holdCommand('hold_2', { key: requestKey('k2') }))
  const other = holdCommand('hold_3', { key: requestKey('k1', 'another request') })
  expect(run(store, startMs + requestRetentionMs - 1, other)).toMatchObject([{ outcome: 'key_reused' }])
  run(store, startMs + requestRetentionMs, holdCommand('hold_4', { key: requestKey('k4') }))
  idle(store)
  expect(run(store, startMs + requestRetentionMs, other)).toMatchObject([{ outcome: 'hold_created', replayed: false }])
})

it('SqliteStore maintain forgets a bounded number of rows at a time, and none while the writer is busy with few', () => {
  const store = openStore({ retention: { keepMs: 1_000, requestsPerStep: 50, rowsIdle: 10 } })
  addRequests(store, 0, 100, startMs)
  const left = (): number => count('SELECT count(*) FROM request')
  addRequests(store, 100, 1, startMs + 1_000)
  store.maintain(true)
  expect(left()).toBe(91)
  for (let commit = 1; commit < 50; commit++) {
    addRequests(store, 100 + commit, 1, startMs + 1_000)
    store.maintain(false)
  }
  expect(left()).toBe(140)
  // The fiftieth new request since the last step: twice as many may go.
  addRequests(store, 150, 1, startMs + 1_000)
  store.maintain(false)
  expect(left()).toBe(51)
})

it('SqliteStore maintain forgets faster than requests come, whatever the size of a batch', () => {
  expect(forgetPerRequest).toBeGreaterThan(1)
  const store = openStore({ retention: { keepMs: 10 }, indexTailMax: 1_000 })
  let made = 0
  for (let batch = 0; batch < 60; batch++) {
    const size = [1, 128, batchCommandsMax][batch % 3] ?? 1
    addRequests(store, made, size, startMs + batch)
    made += size
    store.maintain(false)
  }
  const young = 11 * batchCommandsMax
  expect(made).toBeGreaterThan(2 * young)
  expect(count('SELECT count(*) FROM request')).toBeLessThan(young)
  // Not more than a third above what is kept, and one step.
  expect(count('SELECT count(*) FROM request_index')).toBeLessThan(young * 1.5)
  expect(findRequest(store, 0)).toBeUndefined()
  expect(findRequest(store, made - 1)).toBeDefined()
})

it('SqliteStore maintain removes from the index what points to nothing, and nothing else', () => {
  const store = openStore({ retention: { keepMs: 1_000, requestsPerStep: 10, rowsIdle: 16 }, indexTailMax: 8 })
  for (let batch = 0; batch < 30; batch++) addRequests(store, batch * 10, 10, startMs + batch)
  const indexed = (): number => count('SELECT count(*) FROM request_index')
  expect(indexed()).toBeGreaterThan(250)
  addRequests(store, 300, 1, startMs + 1_015)
  idle(store)
  // Batches 0 to 15 are gone; what they left in the index is below a quarter of it, and below one step.
  expect(count('SELECT count(*) FROM request')).toBe(141)
  expect(count('SELECT count(*) FROM request_index WHERE seq <= 160')).toBeLessThanOrEqual(35)
  for (const reopen of [() => store, openStore]) {
    const each = reopen()
    const found = Array.from({ length: 301 }, (_, at) => findRequest(each, at) !== undefined)
    expect(found).toEqual(Array.from({ length: 301 }, (_, at) => at >= 160))
  }
})

it('SqliteStore numbers requests on after all of them but the last were forgotten and the writer started again', () => {
  const store = openStore({ retention: { keepMs: 1 } })
  addRequests(store, 0, 20, startMs)
  commitAt(store, startMs + 5)
  idle(store)
  expect(count('SELECT group_concat(seq) FROM request')).toBe(20)
  const again = openStore()
  addRequests(again, 20, 1, startMs + 6)
  expect(count('SELECT max(seq) FROM request')).toBe(21)
})

it('SqliteStore maintain of a writer that was replaced is fenced and forgets nothing', () => {
  const older = openStore({ retention: { keepMs: 1 } })
  addRequests(older, 0, 20, startMs)
  addRequests(older, 20, 1, startMs + 5)
  openStore()
  expect(() => older.maintain(true)).toThrow(expect.objectContaining({ code: 'fenced' }))
  expect(count('SELECT count(*) FROM request')).toBe(21)
})

it('SqliteStore maintain without anything to forget starts no transaction', () => {
  const store = openStore()
  addRequests(store, 0, requestsPerForgetting, startMs)
  store.maintain(true)
  const foreign = openStore()
  // A transaction would see the other epoch.
  expect(() => store.maintain(true)).not.toThrow()
  expect(foreign.epoch).toBe(2)
})
