import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { expect, it, onTestFinished } from 'vitest'
import { idleCallsBeforeEmptying } from '@penstock/domain/limits.ts'
import { paymentKey } from '@penstock/domain/payment.ts'
import { decide } from '@penstock/engine/decide.ts'
import { storeContract } from '@penstock/store/contract.ts'
import { openReader, openWriter } from './open.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { OutboxEvent } from '@penstock/domain/outbox-event.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { LedgerEntry } from '@penstock/domain/ledger-entry.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { WorkingSet } from '@penstock/domain/working-set.ts'
import type { WrittenRows, StoreUnderTest } from '@penstock/store/contract.ts'
import type { BootstrapKey } from './sqlite-store.ts'

function openStore(): StoreUnderTest {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-store-'))
  const path = join(folder, 'penstock.db')
  const stores = [new SqliteStore(path)]
  const [store] = stores
  if (store === undefined) throw new Error('unreachable')
  return {
    store,
    reopen: () => {
      const next = new SqliteStore(path)
      stores.push(next)
      return next
    },
    readWritten: () => readWritten(path),
    dispose: () => {
      for (const each of stores) each.close()
      rmSync(folder, { recursive: true })
    },
  }
}

function readWritten(path: string): WrittenRows {
  const db = openReader(path)
  try {
    const entries = db
      .prepare<[], LedgerEntry>(
        `SELECT payment_id AS paymentId, debit, credit, amount AS amountMinor, currency, created_ms AS createdMs,
           cause_id AS causeId
         FROM ledger_entry ORDER BY seq`,
      )
      .all()
    const balances = db
      .prepare<[], [string, number]>(`SELECT account || ' ' || currency, balance FROM ledger_balance`)
      .raw()
      .all()
    const events = db
      .prepare<[], OutboxEvent>('SELECT type, object_id AS objectId, created_ms AS createdMs FROM event ORDER BY seq')
      .all()
    return { entries, events, balances: Object.fromEntries(balances) }
  } finally {
    db.close()
  }
}

storeContract('SqliteStore', openStore, decide)

/** A database with one ledger entry and a second, ordinary connection to it. */
function openLedger() {
  const folder = mkdtempSync(join(tmpdir(), 'penstock-ledger-'))
  const path = join(folder, 'penstock.db')
  const store = new SqliteStore(path)
  const db = new Database(path)
  onTestFinished(() => {
    db.close()
    store.close()
    rmSync(folder, { recursive: true })
  })
  const append = (): void => {
    store.transact(1, (set) => {
      const money = { amountMinor: 5, currency: 'usd', createdMs: 1 } as const
      set.ledger.append({ paymentId: 'pay_1', debit: 'cash:manual', credit: 'sales', causeId: null, ...money })
    })
  }
  append()
  return { store, db, path, append }
}

it.each([
  ['updated', 'UPDATE ledger_entry SET amount = 6'],
  ['deleted', 'DELETE FROM ledger_entry'],
])('SqliteStore ledger entries are never %s, not even by hand', (what, sql) => {
  const { db, append } = openLedger()
  expect(() => db.exec(sql)).toThrow(`ledger entries are never ${what}`)
  append()
  const amounts = db.prepare<[], number>('SELECT amount FROM ledger_entry').pluck().all()
  expect(amounts).toEqual([5, 5])
})

it('SqliteStore refuses a database that lost its state row', () => {
  const { db, path } = openLedger()
  db.exec('DELETE FROM writer_state')
  expect(() => new SqliteStore(path)).toThrow(/not a Penstock database/)
})

it('SqliteStore transact is fatal when the database cannot even begin', () => {
  const { store } = openLedger()
  store.close()
  expect(() => store.transact(2, () => null)).toThrow(expect.objectContaining({ code: 'commit_failed' }))
})

it('SqliteStore transact is fatal when SQLite itself fails', () => {
  const { store, path } = openLedger()
  const foreign = openWriter(path)
  foreign.exec('DROP TABLE buyer_units')
  foreign.close()
  const attempt = (): unknown => store.transact(2, (set) => set.buyers.insert('x', { id: 'x', units: 1 }))
  expect(attempt).toThrow(expect.objectContaining({ code: 'commit_failed' }))
})

/** More payments than the deferred index keeps in memory: from here on every batch moves old keys into the database. */
const manyPayments = 66_000
const paymentsPerBatch = 3_000

function payments(from: number, count: number): Payment[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `pay_${from + index}`,
    provider: 'manual',
    providerPaymentId: `p${from + index}`,
    holdId: 'hold_1',
    orderId: null,
    amountMinor: 1,
    currency: 'usd',
    status: 'unmatched',
    reason: 'unknown_hold',
    createdMs: 1,
    attachedHoldId: null,
    refundedMinor: 0,
    disputedMinor: 0,
    lostMinor: 0,
  }))
}

it('SqliteStore finds every payment and no other, after batches that failed while keys moved, and after a restart', () => {
  const { store, path } = openLedger()
  const insert = (set: WorkingSet, rows: readonly Payment[]): void => {
    for (const row of rows) set.payments.insert(paymentKey(row.provider, row.providerPaymentId), row)
  }
  const line = { orderId: 'ord_1', skuId: 'sku_1', paidQuantity: 1, refundedQuantity: 2, restockedQuantity: 0 }
  for (let from = 0; from < manyPayments; from += paymentsPerBatch) {
    store.transact(1, (set) => insert(set, payments(from, paymentsPerBatch)))
    // Fails behind the payments: more is refunded than was paid.
    const failing = (): unknown =>
      store.transact(1, (set) => {
        insert(set, payments(manyPayments + from, paymentsPerBatch))
        set.lineRefunds.insert('ord_1 sku_1', line)
      })
    expect(failing).toThrow(/CHECK constraint failed/)
    // A batch without payments commits after the failed one.
    store.transact(1, (set) => set.buyers.insert(`b${from}`, { id: `b${from}`, units: 1 }))
  }
  const missing = (each: SqliteStore, from: number): number =>
    each.transact(1, (set) => {
      const rows = payments(from, manyPayments)
      return rows.filter(({ id, providerPaymentId }) => set.payments.find(`manual/${providerPaymentId}`)?.id !== id)
    }).value.length
  expect([missing(store, 0), missing(store, manyPayments)]).toEqual([0, manyPayments])
  const again = new SqliteStore(path)
  expect([missing(again, 0), missing(again, manyPayments)]).toEqual([0, manyPayments])
  again.close()
})

const bootstrapKey = (name: string, kind: BootstrapKey['kind'] = 'secret'): BootstrapKey => ({
  id: `key_${name}`,
  kind,
  secretHash: `hash of ${name}`,
  hint: 'sk_test_…wxyz',
})

/** Started with the bootstrap keys a and b (publishable). */
function openKeys() {
  const { store, path } = openLedger()
  const queries = new SqliteQueries(path)
  onTestFinished(() => queries.close())
  store.replaceBootstrapKeys([bootstrapKey('a'), bootstrapKey('b', 'publishable')], 1_000)
  const run = (...commands: readonly Command[]): void => {
    const { value } = store.transact(2_000, (set) => commands.map((command) => decide(set, command, 2_000)))
    expect(value.map(({ outcome }) => outcome)).toEqual(commands.map(() => 'api_key_saved'))
  }
  const start = (...names: readonly string[]): void => {
    store.replaceBootstrapKeys(
      names.map((name) => bootstrapKey(name)),
      3_000,
    )
  }
  /** Names of the keys that are accepted. */
  const accepted = (): string[] =>
    ['a', 'b', 'c', 'made'].filter((name) => {
      const credential = queries.findCredential(`hash of ${name}`)
      return credential !== null && (credential.expiresMs ?? Infinity) > 3_000
    })
  return { queries, run, start, accepted }
}

const made: Command = {
  kind: 'create_key',
  key: null,
  apiKeyId: 'key_made',
  keyKind: 'secret',
  name: null,
  scopes: ['api_keys:write'],
  secretHash: 'hash of made',
  hint: 'sk_test_…made',
  expiresAtMs: null,
}
const revoke = (apiKeyId: string): Command => ({ kind: 'revoke_key', key: null, apiKeyId })
const roll = (apiKeyId: string, overlapMs: number): Command => {
  const minted = { newApiKeyId: 'key_new', secretHash: 'hash of new', hint: 'sk_test_…0000' }
  return { kind: 'roll_key', key: null, apiKeyId, ...minted, overlapMs }
}

it('SqliteStore replaceBootstrapKeys gives the keys everything their kind can', () => {
  const { queries } = openKeys()
  const key = { name: null, createdMs: 1_000, expiresMs: null, revokedMs: null, lastUsedMs: null }
  expect(queries.findApiKey('key_a')).toEqual({ ...key, ...bootstrapKey('a'), scopes: ['*'] })
  expect(queries.findApiKey('key_b')).toEqual({ ...key, ...bootstrapKey('b', 'publishable'), scopes: [] })
})

it.each<[string, readonly Command[], readonly string[], readonly string[]]>([
  ['keeps those that are given again', [], ['a', 'b'], ['a', 'b']],
  ['ends those that are not given again', [], ['c'], ['c']],
  ['leaves keys of the API alone', [made], ['c'], ['c', 'made']],
  ['does not bring a revoked key back', [made, revoke('key_a')], ['a'], ['made']],
  ['does not bring a rolled key back', [roll('key_a', 0)], ['a'], []],
  ['lets a rolled key live on to its end', [roll('key_a', 60_000)], ['a'], ['a']],
  ['ends a rolled key that is not given again', [roll('key_a', 60_000)], ['c'], ['c']],
])('SqliteStore replaceBootstrapKeys %s', (_, commands, names, accepted) => {
  const keys = openKeys()
  keys.run(...commands)
  keys.start(...names)
  expect(keys.accepted()).toEqual(accepted)
})

it('SqliteStore replaceBootstrapKeys brings a key back that another start took away, unless it was ended before', () => {
  const { run, start, accepted } = openKeys()
  start('c')
  start('a')
  expect(accepted()).toEqual(['a'])
  run(made, revoke('key_a'))
  start('c')
  start('a')
  expect(accepted()).toEqual(['made'])
})

it('SqliteStore replaceBootstrapKeys gives a key of the API no more than it has', () => {
  const { queries, run, start } = openKeys()
  run(made)
  start('made')
  expect(queries.findApiKey('key_made')?.scopes).toEqual(['api_keys:write'])
  start('a')
  expect(queries.findCredential('hash of made')).not.toBeNull()
})

it('empties the tails of its indexes once nobody has bought for a while, one after the other, and every key is found', () => {
  const { path, db } = openLedger()
  const store = new SqliteStore(path, { indexTailMax: 16 })
  onTestFinished(() => store.close())
  let inserted = 0
  const commit = (count: number): void => {
    store.transact(0, (set) => {
      for (const payment of payments(inserted, count)) {
        inserted += 1
        set.payments.insert(paymentKey(payment.provider, payment.providerPaymentId), payment)
        const answer = { kind: 'hold', holdId: 'h' } as const
        set.requests.insert(`r${inserted}`, {
          id: `r${inserted}`,
          fingerprint: 'f',
          createdMs: 0,
          lasting: false,
          answer,
        })
      }
    })
  }
  const indexed = (): unknown[] =>
    ['payment', 'request'].map((name) => db.prepare(`SELECT count(*) FROM ${name}_index`).pluck().get())
  const idle = (calls: number): unknown[] => {
    for (let call = 0; call < calls; call++) store.maintain(true)
    return indexed()
  }
  commit(3)
  expect(idle(idleCallsBeforeEmptying)).toEqual([0, 0])
  commit(2)
  expect(idle(idleCallsBeforeEmptying - 1)).toEqual([0, 0])
  commit(1)
  expect(idle(idleCallsBeforeEmptying - 1)).toEqual([0, 0])
  const { seq } = store
  const steps = [indexed()]
  // A few keys may be anywhere: it takes some steps to find them all.
  for (let call = 0; call < 2 * 16; call++) steps.push(idle(1))
  expect(steps.at(-1)).toEqual([6, 6])
  for (const [at, [payment, request]] of steps.slice(1).entries()) {
    const [paymentBefore, requestBefore] = steps[at] ?? []
    expect([payment === paymentBefore, request === requestBefore]).toContain(true)
  }
  expect(store.seq).toBe(seq)
  store.transact(0, ({ requests }) => {
    const found = Array.from({ length: 8 }, (_, at) => requests.find(`r${at}`) !== undefined)
    expect(found).toEqual([false, true, true, true, true, true, true, false])
  })
  // Nothing is left to do: a transaction would see the other epoch.
  new SqliteStore(path).close()
  expect(() => idle(idleCallsBeforeEmptying + 3)).not.toThrow()
})
