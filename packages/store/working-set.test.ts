import { expect, it } from 'vitest'
import { ChangedRows } from './changed-rows.ts'
import { ChangeSet } from './working-set.ts'
import type { ApiKey } from '@penstock/domain/api-key.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { RowSource } from './working-set.ts'

interface Row {
  readonly value: string
}

const stored: Row = { value: 'stored' }
const first: Row = { value: 'first' }
const second: Row = { value: 'second' }

/** A table that stores one row, `old`, and the keys that were loaded from it. */
function openRows() {
  const loaded: string[] = []
  const rows = new ChangedRows<Row>((key) => {
    loaded.push(key)
    return key === 'old' ? stored : undefined
  })
  return { rows, loaded }
}

interface Case {
  readonly what: string
  readonly change: (rows: ChangedRows<Row>) => void
  readonly inserted?: Record<string, Row>
  readonly updated?: Record<string, Row>
  /** What `find` gives afterwards. */
  readonly found: { readonly old?: Row; readonly new?: Row }
}

const cases: readonly Case[] = [
  { what: 'nothing', change: () => undefined, found: { old: stored } },
  { what: 'find', change: (rows) => void [rows.find('old'), rows.find('new')], found: { old: stored } },
  {
    what: 'insert',
    change: (rows) => rows.insert('new', first),
    inserted: { new: first },
    found: { old: stored, new: first },
  },
  {
    what: 'insert of a row looked for before',
    change: (rows) => {
      rows.find('new')
      rows.insert('new', first)
    },
    inserted: { new: first },
    found: { old: stored, new: first },
  },
  { what: 'update', change: (rows) => rows.update('old', first), updated: { old: first }, found: { old: first } },
  {
    what: 'two updates of one row, as one',
    change: (rows) => {
      rows.update('old', first)
      rows.update('old', second)
    },
    updated: { old: second },
    found: { old: second },
  },
  {
    what: 'insert and update of one row, as one insert',
    change: (rows) => {
      rows.insert('new', first)
      rows.update('new', second)
    },
    inserted: { new: second },
    found: { old: stored, new: second },
  },
]

it.each(cases)('ChangedRows remembers $what', ({ change, inserted = {}, updated = {}, found }) => {
  const { rows } = openRows()
  change(rows)
  expect(Object.fromEntries(rows.inserted)).toEqual(inserted)
  expect(Object.fromEntries(rows.updated)).toEqual(updated)
  expect(rows.isChanged).toBe(rows.inserted.size + rows.updated.size > 0)
  expect(rows.find('old')).toBe(found.old)
  expect(rows.find('new')).toBe(found.new)
})

it('ChangedRows loads a row once, also when there is none', () => {
  const { rows, loaded } = openRows()
  for (const key of ['old', 'new', 'old', 'new']) rows.find(key)
  rows.update('old', first)
  expect(loaded).toEqual(['old', 'new'])
})

it('ChangedRows looks once for the row that an insert must not find', () => {
  const { rows, loaded } = openRows()
  rows.insert('new', first)
  expect(rows.find('new')).toBe(first)
  expect(loaded).toEqual(['new'])
})

it.each<[string, (rows: ChangedRows<Row>) => void, RegExp]>([
  [
    'insert of a row it inserted',
    (rows) => {
      rows.insert('new', first)
      rows.insert('new', second)
    },
    /new is inserted although it exists/,
  ],
  ['insert of a stored row', (rows) => rows.insert('old', first), /old is inserted although it exists/],
  ['update of a row that does not exist', (rows) => rows.update('new', first), /new is updated but does not exist/],
])('ChangedRows throws on %s', (_, change, message) => {
  const { rows } = openRows()
  expect(() => change(rows)).toThrow(message)
  expect(rows.updated.size).toBe(0)
})

function openSet(source: Partial<RowSource> = {}): ChangeSet {
  const none = (): undefined => undefined
  return new ChangeSet({
    drops: none,
    skus: none,
    holds: none,
    payments: none,
    orderChanges: none,
    orderAliases: none,
    refunds: none,
    lineRefunds: none,
    disputes: none,
    waitingFacts: none,
    checkouts: none,
    waitingFactKeys: () => [],
    paymentKeys: none,
    disputeKeys: none,
    buyers: none,
    codeUses: none,
    requests: none,
    apiKeys: none,
    holdsDue: () => [],
    secretKeyIds: () => [],
    webhooks: { endpoints: none, secrets: none, deliveries: none, endpointIds: () => [] },
    lastEventSeq: () => 0,
    ...source,
  })
}

const row = { id: 'x' }

it.each<[string, (set: ChangeSet) => void]>([
  ['drops', (set) => set.drops.insert('x', row as never)],
  ['codeUses', (set) => set.codeUses.insert('x', row as never)],
  ['skus', (set) => set.skus.insert('x', row as never)],
  ['holds', (set) => set.holds.insert('x', row as never)],
  ['payments', (set) => set.payments.insert('x', row as never)],
  ['orderChanges', (set) => set.orderChanges.insert('x', row as never)],
  ['buyers', (set) => set.buyers.insert('x', row as never)],
  ['requests', (set) => set.requests.insert('x', row as never)],
  ['apiKeys', (set) => set.apiKeys.insert('x', row as never)],
  ['ledger', (set) => set.ledger.append(row as never)],
])('ChangeSet is changed by %s alone', (_, change) => {
  const set = openSet()
  expect(set.isChanged).toBe(false)
  change(set)
  expect(set.isChanged).toBe(true)
})

it('ChangeSet is not changed by reading', () => {
  const set = openSet({ holds: () => row as never })
  expect(set.holds.find('x')).toBe(row)
  expect(set.listHoldsDue(1, 1)).toEqual([])
  expect(set.listSecretKeys()).toEqual([])
  expect(set.isChanged).toBe(false)
})

it('ChangeSet keeps ledger entries in the order they were appended', () => {
  const set = openSet()
  const entries = ['a', 'b', 'a'].map((paymentId) => ({ paymentId }) as never)
  for (const entry of entries) set.ledger.append(entry)
  expect(set.ledgerEntries).toEqual(entries)
})

/** Stored: hold_0 to hold_9, all active and due. */
function openDueSet(): ChangeSet {
  const ids = Array.from({ length: 10 }, (_, index) => `hold_${index}`)
  return openSet({
    holds: (id) => ({ id, status: 'active' }) as Hold,
    holdsDue: (_, max) => ids.slice(0, max),
  })
}

it('ChangeSet listHoldsDue passes over holds that this batch has ended, as if they had been saved', () => {
  const set = openDueSet()
  expect(set.listHoldsDue(1, 3)).toEqual(['hold_0', 'hold_1', 'hold_2'])
  for (const id of ['hold_0', 'hold_2']) set.holds.update(id, { id, status: 'released' } as Hold)
  expect(set.listHoldsDue(1, 3)).toEqual(['hold_1', 'hold_3', 'hold_4'])
  expect(set.listHoldsDue(1, 100)).toHaveLength(8)
  // One that is not among the first does not make room for another.
  set.holds.update('hold_9', { id: 'hold_9', status: 'expired' } as Hold)
  expect(set.listHoldsDue(1, 2)).toEqual(['hold_1', 'hold_3'])
})

it('ChangeSet listSecretKeys knows what this batch made and revoked, and leaves publishable keys out', () => {
  const secret = (id: string, change: Partial<ApiKey> = {}) =>
    ({ id, kind: 'secret', revokedMs: null, ...change }) as ApiKey
  const set = openSet({
    secretKeyIds: () => ['key_1', 'key_2'],
    apiKeys: (id) => (id < 'key_3' ? secret(id) : undefined),
  })
  const ids = (): string[] => set.listSecretKeys().map(({ id }) => id)
  expect(ids()).toEqual(['key_1', 'key_2'])
  set.apiKeys.insert('key_3', secret('key_3'))
  set.apiKeys.insert('key_4', secret('key_4', { kind: 'publishable' }))
  set.apiKeys.update('key_1', secret('key_1', { revokedMs: 1 }))
  expect(ids()).toEqual(['key_2', 'key_3'])
  set.apiKeys.update('key_3', secret('key_3', { revokedMs: 1 }))
  expect(ids()).toEqual(['key_2'])
})

it('ChangeSet findOrderPaymentKey follows an alias first, then the id, among stored payments and those of the batch', () => {
  const keys: Readonly<Record<string, string>> = { pay_1: 'manual/1', pay_2: 'manual/2' }
  const set = openSet({
    paymentKeys: (id) => keys[id],
    orderAliases: (id) => (id === 'ord_old' ? 'pay_2' : undefined),
  })
  expect(['ord_1', 'ord_old', 'ord_3'].map((id) => set.findOrderPaymentKey(id))).toEqual([
    'manual/1',
    'manual/2',
    undefined,
  ])
  set.payments.insert('manual/3', { id: 'pay_3' } as never)
  expect(set.findOrderPaymentKey('ord_3')).toBe('manual/3')
})
