import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { holdStatusAt } from '@penstock/domain/hold.ts'
import { expiriesPerCommandMax } from '@penstock/domain/limits.ts'
import { isRejected } from '@penstock/domain/result.ts'
import { openReader } from '@penstock/store-sqlite/open.ts'
import { SqliteStore } from '@penstock/store-sqlite/sqlite-store.ts'
import { auditDatabase } from '@penstock/store-sqlite/audit.ts'
import { checkInvariants } from './invariants.ts'
import { MemoryData, MemoryStore } from './memory-store.ts'
import { holdTtlMs, newDrop, newSku, openingCommands, randomCuts, randomSale, startMs } from './random-sale.ts'
import { openMemory, run, runInPieces, runWhole } from './run-sale.ts'
import type { CapturePayment, Command } from '@penstock/domain/command.ts'
import type { HoldStatus } from '@penstock/domain/hold.ts'
import type { Result } from '@penstock/domain/result.ts'

it('decide cannot tell where a batch ends: same results and same state however the commands are cut', () => {
  fc.assert(
    fc.property(randomSale(), randomCuts, (moments, cuts) => {
      const whole = openMemory()
      const pieces = openMemory()
      const singles = openMemory()
      const results = runWhole(whole.store, moments)
      expect(runInPieces(pieces.store, moments, cuts)).toEqual(results)
      const oneByOne = moments.flatMap(({ nowMs, commands }) =>
        commands.flatMap((command) => run(singles.store, [command], nowMs)),
      )
      expect(oneByOne).toEqual(results)
      expect(pieces.data.snapshot()).toEqual(whole.data.snapshot())
      expect(singles.data.snapshot()).toEqual(whole.data.snapshot())
    }),
    { numRuns: 1_000 },
  )
})

it('decide cannot tell where a batch ends: more holds are due than one expire_holds may end', () => {
  const count = expiriesPerCommandMax + 5
  const opening: readonly Command[] = [
    newDrop('drop_1', {}, [newSku('sku_a', count)]),
    { kind: 'change_drop_phase', key: null, dropId: 'drop_1', action: 'publish' },
    ...Array.from({ length: count }, (_, index) => claim(`hold_${String(index).padStart(4, '0')}`)),
  ]
  const expire: Command = { kind: 'expire_holds', key: null }
  const commands: readonly Command[] = [
    { kind: 'release_hold', key: null, holdId: 'hold_0002', proof: null },
    expire,
    expire,
    claim('hold_9999'),
  ]
  const nowMs = startMs + holdTtlMs
  const [whole, pieces] = [new MemoryData(), new MemoryData()]
  for (const data of [whole, pieces]) run(new MemoryStore(data), opening, startMs)
  const store = new MemoryStore(pieces)
  const results = commands.flatMap((command) => run(store, [command], nowMs))
  expect(run(new MemoryStore(whole), commands, nowMs)).toEqual(results)
  expect(whole.snapshot()).toEqual(pieces.snapshot())
  expect(results.slice(1, 3)).toMatchObject([{ count: expiriesPerCommandMax }, { count: 4 }])
})

/** All that a sale left in a database, but for how often was committed and where keys are indexed. */
function dump(path: string): Record<string, unknown[]> {
  const db = openReader(path)
  try {
    const names = db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
      .pluck()
      .all()
    const kept = names.filter((name) => !/^writer_state$|_index$|^index_progress$/.test(name))
    return Object.fromEntries(kept.map((name) => [name, db.prepare(`SELECT * FROM ${name} ORDER BY 1, 2`).all()]))
  } finally {
    db.close()
  }
}

/** Runs `use` on an empty database and returns what it returns, the tables and what the audit finds. */
function withDatabase(use: (path: string) => Result[]) {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-model-'))
  try {
    const path = join(folder, 'penstock.db')
    return { results: use(path), tables: dump(path), violations: auditDatabase(path) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** Hundreds of databases on a real disk: a busy machine needs its time. */
const manyDatabasesMs = 120_000

it(
  'SqliteStore gives the results of the model however the commands are cut, also over restarts',
  { timeout: manyDatabasesMs },
  () => {
    fc.assert(
      fc.property(randomSale(), randomCuts, (moments, cuts) => {
        const model = openMemory()
        const expected = runWhole(model.store, moments)
        const whole = withDatabase((path) => {
          const store = new SqliteStore(path)
          run(store, openingCommands, startMs)
          const results = runWhole(store, moments)
          store.close()
          return results
        })
        const restarted = withDatabase((path) => {
          let store = new SqliteStore(path)
          run(store, openingCommands, startMs)
          const results = moments.flatMap((moment) => {
            const own = runInPieces(store, [moment], cuts)
            store.close()
            store = new SqliteStore(path)
            return own
          })
          store.close()
          return results
        })
        expect(whole.results).toEqual(expected)
        expect(restarted.results).toEqual(expected)
        expect(restarted.tables).toEqual(whole.tables)
        expect([whole.violations, restarted.violations]).toEqual([[], []])
      }),
      { numRuns: 60 },
    )
  },
)

it('decide keeps every invariant of stock, money and limits after every command', () => {
  fc.assert(
    fc.property(randomSale(), (moments) => {
      const { store, data } = openMemory()
      checkInvariants(data)
      for (const { nowMs, commands } of moments) {
        for (const command of commands) {
          run(store, [command], nowMs)
          checkInvariants(data)
        }
      }
    }),
    { numRuns: 1_000 },
  )
})

it('decide changes nothing when all that was accepted is sent again, in the same order', () => {
  // Sellers' changes have a key each: without one, the last of them wins again.
  fc.assert(
    fc.property(randomSale({ keys: [], sellers: true }), (moments) => {
      const { store, data } = openMemory()
      const accepted: Command[] = []
      for (const [number, { nowMs, commands }] of moments.entries()) {
        for (const [index, command] of commands.entries()) {
          const keyed = withOwnKey(command, `${number} ${index}`)
          const [result] = run(store, [keyed], nowMs)
          // The courier waits for each answer: an old report never comes again behind a newer one.
          const comesAgain = number === moments.length - 1 && keyed.kind !== 'record_webhook_outcomes'
          if (result !== undefined && !isRejected(result) && comesAgain) accepted.push(keyed)
        }
      }
      const before = data.snapshot()
      const { seq } = data
      run(store, accepted, moments.at(-1)?.nowMs ?? startMs)
      expect(data.snapshot()).toEqual(before)
      expect(data.seq).toBe(seq)
    }),
    { numRuns: 500 },
  )
})

function withOwnKey(command: Command, id: string): Command {
  switch (command.kind) {
    case 'update_drop':
    case 'change_drop_phase':
    case 'create_drop':
    // Reported before it is opened, and then again, it closes what was opened meanwhile.
    case 'close_checkout':
    case 'update_webhook_endpoint':
    case 'rotate_webhook_secret':
    case 'retry_webhook_delivery':
    case 'replay_webhook_events':
      return { ...command, key: { id: `own ${id}`, fingerprint: 'f' } }
    case 'restock_sku':
    case 'create_hold':
    case 'release_hold':
    case 'expire_holds':
    case 'capture_payment':
    case 'attach_payment':
    case 'create_refund':
    case 'settle_refund':
    case 'open_dispute':
    case 'close_dispute':
    case 'take_fact':
    case 'open_checkout':
    case 'cancel_order':
    case 'fulfil_order':
    case 'use_code':
    case 'erase_customer':
    case 'create_key':
    case 'roll_key':
    case 'revoke_key':
    case 'touch_keys':
    case 'create_webhook_endpoint':
    case 'delete_webhook_endpoint':
    case 'record_webhook_outcomes':
      return command
  }
}

it('decide gives the same answer to the same command sent twice, and changes nothing more', () => {
  fc.assert(
    fc.property(randomSale(), (moments) => {
      const { store, data } = openMemory()
      for (const { nowMs, commands } of moments) {
        for (const command of commands) {
          const [first] = run(store, [command], nowMs)
          const before = data.snapshot()
          const [second] = run(store, [command], nowMs)
          expect(data.snapshot()).toEqual(before)
          if (command.kind === 'expire_holds') continue
          const isReplay = command.key !== null && first !== undefined && !isRejected(first)
          expect(second).toEqual(isReplay ? { ...first, replayed: true } : first)
        }
      }
    }),
    { numRuns: 500 },
  )
})

/** The same request as a client sends it again: what an HTTP process mints for it is new. */
function sentAgain(command: Command, number: number): Command {
  const again = (id: string): string => `${id} again ${number}`
  switch (command.kind) {
    case 'create_drop':
      return {
        ...command,
        dropId: again(command.dropId),
        skus: command.skus.map((sku) => ({ ...sku, id: again(sku.id) })),
      }
    case 'update_drop':
      return { ...command, newSkus: command.newSkus.map((sku) => ({ ...sku, id: again(sku.id) })) }
    case 'create_hold':
      return { ...command, holdId: again(command.holdId), clientSecret: again(command.clientSecret) }
    case 'capture_payment':
      return { ...command, paymentId: again(command.paymentId) }
    case 'create_refund':
    case 'cancel_order':
      return { ...command, refundId: again(command.refundId) }
    case 'open_dispute':
      return { ...command, disputeId: again(command.disputeId) }
    case 'create_key':
      return { ...command, apiKeyId: again(command.apiKeyId), secretHash: again(command.secretHash) }
    case 'roll_key':
      return { ...command, newApiKeyId: again(command.newApiKeyId), secretHash: again(command.secretHash) }
    case 'create_webhook_endpoint':
      return { ...command, endpointId: again(command.endpointId), secretId: again(command.secretId) }
    case 'rotate_webhook_secret':
      return { ...command, secretId: again(command.secretId) }
    case 'change_drop_phase':
    case 'restock_sku':
    case 'release_hold':
    case 'expire_holds':
    case 'attach_payment':
    case 'settle_refund':
    case 'close_dispute':
    case 'take_fact':
    case 'open_checkout':
    case 'close_checkout':
    case 'fulfil_order':
    case 'erase_customer':
    case 'use_code':
    case 'revoke_key':
    case 'touch_keys':
    case 'update_webhook_endpoint':
    case 'delete_webhook_endpoint':
    case 'retry_webhook_delivery':
    case 'replay_webhook_events':
    case 'record_webhook_outcomes':
      return command
  }
}

/** An erasure takes the buyer out of repeated answers, too. */
function anonymous(result: Result | undefined): object {
  if (result === undefined || !('hold' in result)) return { ...result }
  return { ...result, hold: { ...result.hold, customer: null } }
}

/** Where behind the original, as a share of the batch, its copies stand. */
const copyPlaces = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 })

it('decide merges copies of a request in one batch, wherever they stand: one effect, equal answers', () => {
  let copies = 0
  fc.assert(
    fc.property(randomSale(), copyPlaces, (moments, places) => {
      const [plain, crowded] = [openMemory(), openMemory()]
      for (const { nowMs, commands } of moments) {
        const expected = run(plain.store, commands, nowMs)
        // Copies of what was refused are decided afresh (ADR 1), so only what was accepted is sent again.
        const batch = commands.map((command, original) => ({ command, original, isCopy: false }))
        for (const [original, command] of commands.entries()) {
          const result = expected[original]
          if (command.key === null || result === undefined || isRejected(result)) continue
          for (let copy = 0; copy < 2; copy++) {
            const from = batch.findIndex((each) => each.original === original) + 1
            const share = places[copies % places.length] ?? 0
            const at = from + Math.floor(share * (batch.length - from))
            batch.splice(at, 0, { command: sentAgain(command, copies), original, isCopy: true })
            copies += 1
          }
        }
        const results = run(
          crowded.store,
          batch.map(({ command }) => command),
          nowMs,
        )
        for (const [at, { original, isCopy }] of batch.entries()) {
          const first = expected[original]
          if (isCopy) expect(anonymous(results[at])).toEqual({ ...anonymous(first), replayed: true })
          else expect(results[at]).toEqual(first)
        }
      }
      expect(crowded.data.snapshot()).toEqual(plain.data.snapshot())
    }),
    { numRuns: 500 },
  )
  expect(copies).toBeGreaterThan(1_000)
})

function claim(holdId: string, quantity = 1): Command {
  return {
    kind: 'create_hold',
    key: null,
    holdId,
    clientSecret: 'cs',
    dropId: 'drop_1',
    lines: [{ skuId: 'sku_a', quantity }],
    customer: { email: `${holdId}@example.com`, phone: null, externalId: null, name: null, shippingAddress: null },
    replace: null,
  }
}

const fate = fc.constantFrom('active', 'overdue', 'expired', 'released')
const paidHold = fc.record({ fate, quantity: fc.integer({ min: 1, max: 3 }), difference: fc.constantFrom(0, 0, 0, 1) })
/** One payment for each of some holds, some of them reported twice, in two orders. */
const paidHolds = fc.array(paidHold, { minLength: 1, maxLength: 8 }).chain((holds) => {
  const reports = holds.flatMap((_, index) => (index % 3 === 0 ? [index, index] : [index]))
  const order = fc.shuffledSubarray(reports, { minLength: reports.length, maxLength: reports.length })
  return fc.record({ holds: fc.constant(holds), first: order, second: order, late: fc.boolean() })
})

it('decide converges: payments for different holds end the same in any order when there is stock', () => {
  fc.assert(
    fc.property(paidHolds, ({ holds, first, second, late }) => {
      const statusesAfter = (order: readonly number[]) => {
        const data = new MemoryData()
        const store = new MemoryStore(data)
        const lateMs = startMs + holdTtlMs
        const made = (wanted: readonly string[]): Command[] =>
          holds.flatMap((hold, index) => (wanted.includes(hold.fate) ? [claim(`hold_${index}`, hold.quantity)] : []))
        const opening: Command[] = [
          newDrop('drop_1', { latePayment: late ? 'reacquire' : 'refund' }, [newSku('sku_a', 100)]),
          { kind: 'change_drop_phase', key: null, dropId: 'drop_1', action: 'publish' },
        ]
        const releases = holds.flatMap((hold, index): Command[] =>
          hold.fate === 'released' ? [{ kind: 'release_hold', key: null, holdId: `hold_${index}`, proof: null }] : [],
        )
        run(store, [...opening, ...made(['expired', 'released']), ...releases], startMs)
        run(store, [{ kind: 'expire_holds', key: null }], lateMs)
        run(store, made(['overdue']), lateMs)
        run(store, made(['active']), lateMs + holdTtlMs)
        const payments = order.map((index, position) => payFor(index, position, holds[index]))
        for (const payment of payments) run(store, [payment], lateMs + holdTtlMs)
        checkInvariants(data)
        const fates = [...data.payments.values()].map(
          ({ holdId, status, reason }) => `${holdId} ${status} ${reason ?? ''}`,
        )
        return {
          fates: fates.toSorted(),
          sku: data.skus.get('sku_a'),
          balances: Object.fromEntries(data.balances),
        }
      }
      expect(statusesAfter(second)).toEqual(statusesAfter(first))
    }),
    { numRuns: 300 },
  )
})

function payFor(index: number, position: number, hold?: { quantity: number; difference: number }): CapturePayment {
  return {
    kind: 'capture_payment',
    key: null,
    paymentId: `pay_${position}`,
    holdId: `hold_${index}`,
    provider: 'manual',
    providerPaymentId: `paid for ${index}`,
    amountMinor: (hold?.quantity ?? 0) * 100 + (hold?.difference ?? 0),
    currency: 'usd',
  }
}

it('random sales are about something: they sell, refuse, replay, expire, refund, dispute and sell late', () => {
  const seen = new Map<string, number>()
  const count = (what: string): void => void seen.set(what, (seen.get(what) ?? 0) + 1)
  const countResult = (result: Result, holdBefore: HoldStatus | undefined): void => {
    count(result.outcome)
    if (!isRejected(result) && result.replayed) count('replayed')
    if (result.outcome === 'holds_expired' && result.count > 0) count('expired')
    if (result.outcome === 'refund_saved') count(`refund ${result.refund.status}`)
    if (result.outcome === 'refund_saved' && result.refund.restock) count(`restock ${result.refund.status}`)
    if (result.outcome === 'dispute_saved') count(`dispute ${result.duplicate ? 'duplicate' : result.dispute.status}`)
    if (result.outcome === 'order_saved') count(result.order.cancelledMs === null ? 'fulfilled' : 'cancelled')
    if (result.outcome === 'webhook_endpoint_saved') {
      const { status, replay } = result.endpoint
      count(`endpoint ${status}${replay === null ? '' : ', replaying'}`)
    }
    if (result.outcome === 'webhook_outcomes_saved' && result.count > 0) count('outcomes of webhooks')
    if (result.outcome !== 'payment_recorded') return
    count(result.duplicate ? 'duplicate' : `money: ${result.payment.reason ?? `goods of a hold ${holdBefore}`}`)
  }
  for (const moments of fc.sample(randomSale(), { numRuns: 1_000, seed: 7 })) {
    const { store, data } = openMemory()
    for (const { nowMs, commands } of moments) {
      for (const command of commands) {
        const hold = command.kind === 'capture_payment' ? data.holds.get(command.holdId) : undefined
        const status = hold && holdStatusAt(hold, nowMs)
        for (const result of run(store, [command], nowMs)) countResult(result, status)
      }
    }
  }
  const outcomes = [
    'hold_created',
    'hold_released',
    'drop_saved',
    'expired',
    'replayed',
    'duplicate',
    'key_reused',
    'not_found',
    'not_live',
    'sold_out',
    'limit_reached',
    'invalid_client_secret',
    'hold_not_active',
    'invalid_request',
    'invalid_transition',
    'payment_conflict',
    'payment_attached',
    'refund_too_large',
    'dispute_conflict',
    'dispute_too_large',
    'refund pending',
    'refund succeeded',
    'refund failed',
    'restock pending',
    'restock succeeded',
    'restock failed',
    'dispute open',
    'dispute duplicate',
    'dispute won',
    'dispute lost',
    'cancelled',
    'fulfilled',
    'endpoint enabled',
    'endpoint enabled, replaying',
    'endpoint disabled',
    'endpoint deleted',
    'webhook_delivery_saved',
    'outcomes of webhooks',
  ]
  const fates = [
    'unknown_hold',
    'currency_mismatch',
    'amount_mismatch',
    'hold_already_captured',
    'hold_expired',
    'hold_released',
    'sold_out',
    'limit_reached',
    'goods of a hold active',
    'goods of a hold expired',
    'goods of a hold released',
  ]
  const wanted = [...outcomes, ...fates.map((fateOfMoney) => `money: ${fateOfMoney}`)]
  expect(wanted.filter((what) => (seen.get(what) ?? 0) < 5)).toEqual([])
})
