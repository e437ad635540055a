import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { isErased } from '@penstock/domain/customer.ts'
import { disputeStatuses } from '@penstock/domain/dispute.ts'
import { holdStatusAt, holdStatuses } from '@penstock/domain/hold.ts'
import { mintId } from '@penstock/domain/id.ts'
import { orderStatus, orderStatuses } from '@penstock/domain/order.ts'
import { eventId, outboxEventTypes } from '@penstock/domain/outbox-event.ts'
import { paymentStatus, paymentStatuses } from '@penstock/domain/payment.ts'
import { refundStatuses } from '@penstock/domain/refund.ts'
import { decide } from '@penstock/engine/decide.ts'
import { endpointCommand, outcome, outcomesCommand } from '@penstock/engine/test-sale.ts'
import { filterNames } from '@penstock/store/scanner.ts'
import { scanTables } from './scan-tables.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { SqliteScanner } from './sqlite-scanner.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Command } from '@penstock/domain/command.ts'
import type { Dispute } from '@penstock/domain/dispute.ts'
import type { Hold } from '@penstock/domain/hold.ts'
import type { IdKind } from '@penstock/domain/id.ts'
import type { OrderFacts } from '@penstock/domain/order.ts'
import type { Payment } from '@penstock/domain/payment.ts'
import type { Refund } from '@penstock/domain/refund.ts'
import type {
  CollectionName,
  Collections,
  NumberedDelivery,
  NumberedEntry,
  NumberedEvent,
  ScanRequest,
  ScanStep,
  Selection,
} from '@penstock/store/scanner.ts'

const startMs = 1_700_000_000_000
const stepMs = 1_000
const drops = ['drop_a', 'drop_b'] as const

let folder = ''
let store: SqliteStore
let scanner: SqliteScanner
let made = 0
/** What was ever made, as the writer answered. */
const holdIds: string[] = []
const orderIds: string[] = []
const unmatchedIds: string[] = []
const refundIds: string[] = []
const disputeIds: string[] = []
const payments: Payment[] = []

function run(...commands: readonly Command[]) {
  const nowMs = startMs + made * stepMs
  return store.transact(nowMs, (set) => commands.map((command) => decide(set, command, nowMs))).value
}

function id(kind: IdKind): string {
  // Made a little before their commit, and not in its order.
  const bytes = Buffer.alloc(10)
  bytes.writeUInt32BE(made, 6)
  return mintId(kind, startMs + made * stepMs - ((made * 7) % 5) * 900, bytes)
}

const endpointsOnce: Command[] = [endpointCommand('whe_1'), endpointCommand('whe_2')]

/** One hold; two of three are paid for, and every seventh payment is for a hold nobody knows. */
function sellOne(): void {
  made += 1
  const [holdId, paymentId] = [id('hold'), id('payment')]
  const hold: Command = {
    kind: 'create_hold',
    key: null,
    holdId,
    clientSecret: 'cs',
    dropId: drops[made % 2] ?? '',
    lines: [{ skuId: `sku_${drops[made % 2] ?? ''}`, quantity: 1 }],
    customer: {
      email: `Buyer${made % 4}@Example.com`,
      phone: made % 3 === 0 ? '+49 30 123' : null,
      externalId: null,
      name: made % 5 === 0 ? `Ada "O'Neil", %_ 👟` : null,
      shippingAddress: null,
    },
    replace: null,
  }
  const payment: Command = {
    kind: 'capture_payment',
    key: null,
    paymentId,
    holdId: made % 7 === 0 ? 'hold_nobody_knows' : holdId,
    provider: made % 2 === 0 ? 'manual' : 'test',
    providerPaymentId: `pi_${made}`,
    amountMinor: 100,
    currency: 'usd',
  }
  const [held, paid] = run(hold, ...(made % 3 === 0 ? [] : [payment]))
  if (held?.outcome !== 'hold_created') throw new Error(`no hold: ${JSON.stringify(held)}`)
  holdIds.push(holdId)
  if (made % 6 === 0) attachLate(holdId)
  if (paid?.outcome !== 'payment_recorded') return
  payments.push(paid.payment)
  if (paid.payment.orderId !== null) orderIds.push(paid.payment.orderId)
  else unmatchedIds.push(paid.payment.id)
  run(...afterwards(paid.payment))
  run(endpointsOnce[0] ?? { kind: 'expire_holds', key: null })
  endpointsOnce.shift()
  const status = (['pending', 'succeeded', 'failed'] as const)[made % 3] ?? 'failed'
  run(outcomesCommand({ endpointId: made % 2 === 0 ? 'whe_1' : 'whe_2', outcomes: [outcome(made, { status })] }))
  if (made % 8 === 0) run({ kind: 'erase_customer', key: null, holdId })
}

/** Gives the oldest unmatched payment a hold, unless it went back: its order is many steps younger than its id. */
function attachLate(holdId: string): void {
  const paymentId = unmatchedIds.shift()
  if (paymentId === undefined) return
  const [attached] = run({ kind: 'attach_payment', key: null, paymentId, holdId })
  if (attached?.outcome === 'payment_attached') orderIds.push(attached.payment.orderId ?? '')
}

/** What happens to money later: by turns nothing, a part or all of it back, disputes, cancelling, fulfilling. */
function afterwards({ id: paymentId, orderId, provider }: Payment): Command[] {
  const own = { key: null, reason: null }
  const [refundId, disputeId] = [id('refund'), id('dispute')]
  const lines = [{ skuId: `sku_${drops[made % 2] ?? ''}`, quantity: 1 }]
  const refund = {
    ...own,
    paymentId,
    kind: 'create_refund',
    refundId,
    restock: false,
    lines: null,
    amountMinor: null,
  } as const
  const dispute = {
    ...own,
    paymentId,
    kind: 'open_dispute',
    disputeId,
    providerDisputeId: `dp_${made}`,
    amountMinor: 20,
  } as const
  const turns: readonly (readonly Command[])[] = [
    [],
    [{ ...refund, amountMinor: 7 }],
    [refund],
    [{ ...refund, amountMinor: 7 }, dispute],
    orderId === null ? [refund] : [{ ...refund, amountMinor: 0, lines }],
    [dispute, { key: null, kind: 'close_dispute', disputeId, status: 'won' }],
    orderId === null ? [] : [{ ...own, kind: 'cancel_order', orderId, refundId, restock: true }],
    orderId === null ? [] : [{ key: null, kind: 'fulfil_order', orderId }],
    orderId === null
      ? []
      : [
          { key: null, kind: 'fulfil_order', orderId },
          { ...refund, amountMinor: 1 },
        ],
    [
      { ...dispute, amountMinor: null },
      { key: null, kind: 'close_dispute', disputeId, status: 'lost' },
    ],
    [refund, { key: null, kind: 'settle_refund', refundId, status: provider === 'manual' ? 'succeeded' : 'failed' }],
  ]
  const commands = turns[payments.length % turns.length] ?? []
  if (commands.some((command) => 'refundId' in command)) refundIds.push(refundId)
  if (commands.some((command) => 'disputeId' in command)) disputeIds.push(disputeId)
  return [...commands]
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-scanner-'))
  store = new SqliteStore(join(folder, 'penstock.db'))
  for (const dropId of drops) {
    run(
      {
        kind: 'create_drop',
        key: null,
        dropId,
        name: dropId,
        description: null,
        image: null,
        currency: 'usd',
        startsAtMs: null,
        endsAtMs: null,
        // Half of the holds are past it in the end.
        holdTtlMs: 30_000,
        maxPerCustomer: null,
        latePayment: 'reacquire',
        fees: [],
        metadata: {},
        skus: [{ id: `sku_${dropId}`, name: 'Size', unitAmountMinor: 100, stock: 1_000_000, maxPerOrder: null }],
      },
      { kind: 'change_drop_phase', key: null, dropId, action: 'publish' },
    )
  }
  for (let count = 0; count < 60; count++) sellOne()
  scanner = new SqliteScanner(join(folder, 'penstock.db'))
})
afterAll(() => {
  scanner.close()
  store.close()
  rmSync(folder, { recursive: true })
})

const selection = <Name extends CollectionName>(
  collection: Name,
  fields: Partial<Selection<Name>> = {},
): Selection<Name> => ({
  collection,
  filters: {},
  createdFromMs: null,
  createdBeforeMs: null,
  nowMs: startMs + 60 * stepMs,
  ...fields,
})

interface Walk {
  readonly direction: ScanRequest['direction']
  readonly rowsMax: number
  readonly matchesMax: number
  readonly between?: () => void
  /** Begins behind this id. */
  readonly start?: string | null
}

/** The ids of every step until there is nothing behind. */
function walk<Name extends CollectionName>(
  wanted: Selection<Name>,
  { direction, rowsMax, matchesMax, between, start = null }: Walk,
): string[] {
  const ids: string[] = []
  let after = start
  for (let step = 0; ; step++) {
    if (step > 2_000) throw new Error('the walk does not end')
    const { rows, scannedTo }: ScanStep<Collections[Name]> = scanner.scan({
      ...wanted,
      direction,
      rowsMax,
      matchesMax,
      after,
    })
    expect(rows.length).toBeLessThanOrEqual(matchesMax)
    ids.push(...rows.map((row) => scanTables[wanted.collection].idOf(row)))
    if (scannedTo === null) return ids
    after = scannedTo
    between?.()
  }
}

const everything: Walk = { direction: 'newest_first', rowsMax: 100_000, matchesMax: 100_000 }

/** What each filter means, said once more in another language. */
const meaning: {
  readonly [Name in CollectionName]: Readonly<
    Record<string, (row: Collections[Name], value: string, nowMs: number) => boolean>
  >
} = {
  holds: {
    status: (hold, value, nowMs) => holdStatusAt(hold, nowMs) === value,
    drop: (hold, value) => hold.dropId === value,
    customer_email: (hold, value) => emailOf(hold) === value.toLowerCase(),
    q: (hold, value) => finds([hold.id, ...customerTexts(hold)], value),
  },
  payments: {
    status: (payment, value) => paymentStatus(payment) === value,
    hold: (payment, value) => (payment.attachedHoldId ?? payment.holdId) === value,
    order: (payment, value) => payment.orderId === value,
    q: (payment, value) =>
      finds([payment.id, payment.providerPaymentId, payment.holdId, payment.attachedHoldId ?? ''], value),
  },
  orders: {
    status: (facts, value) => orderStatus(facts) === value,
    drop: ({ order }, value) => order.dropId === value,
    payment: ({ order }, value) => order.paymentId === value,
    customer_email: ({ hold }, value) => emailOf(hold) === value.toLowerCase(),
    q: ({ order, hold }, value) => finds([order.id, hold.id, order.paymentId, ...customerTexts(hold)], value),
  },
  refunds: {
    status: (refund, value) => refund.status === value,
    payment: (refund, value) => refund.paymentId === value,
    order: (refund, value) => refund.orderId === value,
  },
  disputes: {
    status: (dispute, value) => dispute.status === value,
    payment: (dispute, value) => dispute.paymentId === value,
  },
  ledger_entries: {
    payment: ({ entry }, value) => entry.paymentId === value,
    account: ({ entry }, value) => entry.debit === value || entry.credit === value,
  },
  events: {
    type: ({ event }, value) => event.type === value,
    object_id: ({ event }, value) => event.objectId === value,
  },
  webhook_deliveries: {
    endpoint: ({ delivery }, value) => delivery.endpointId === value,
    event: ({ delivery }, value) => eventId(delivery.eventSeq) === value,
    status: ({ delivery }, value) => delivery.status === value,
  },
}

function emailOf({ customer }: Hold): string | null {
  return isErased(customer) ? null : customer.email.toLowerCase()
}

function customerTexts({ customer }: Hold): string[] {
  return isErased(customer) ? [] : [customer.email, customer.name ?? '', customer.phone ?? '']
}

function finds(texts: readonly string[], value: string): boolean {
  return texts.some((text) => text.toLowerCase().includes(value.toLowerCase()))
}

const createdMsOf: { readonly [Name in CollectionName]: (row: Collections[Name]) => number } = {
  holds: (hold: Hold) => hold.createdMs,
  payments: (payment: Payment) => payment.createdMs,
  orders: ({ order }: OrderFacts) => order.createdMs,
  refunds: (refund: Refund) => refund.createdMs,
  disputes: (dispute: Dispute) => dispute.createdMs,
  ledger_entries: ({ entry }: NumberedEntry) => entry.createdMs,
  events: ({ event }: NumberedEvent) => event.createdMs,
  webhook_deliveries: ({ delivery }: NumberedDelivery) => delivery.createdMs,
}

/** Values that match something, some that match nothing. */
const values: Readonly<Record<string, () => readonly string[]>> = {
  status: () => [
    ...new Set([...holdStatuses, ...orderStatuses, ...paymentStatuses, ...refundStatuses, ...disputeStatuses]),
    'succeeded',
  ],
  drop: () => [...drops, 'drop_none'],
  customer_email: () => ['buyer1@example.com', 'BUYER2@example.COM', 'nobody@example.com', '%'],
  q: () => [
    'buyer1@',
    `"o'neil"`,
    `O'Neil`,
    'email',
    'countedIn',
    '%',
    '_',
    '+49',
    'pi_1',
    holdIds[3] ?? '',
    'ü',
    '👟',
  ],
  hold: () => [holdIds[0] ?? '', holdIds[19] ?? '', 'hold_nobody_knows'],
  order: () => [orderIds[0] ?? '', orderIds[9] ?? '', 'ord_none'],
  payment: () => [payments[0]?.id ?? '', payments[9]?.id ?? '', 'pay_none'],
  account: () => ['cash:manual', 'cash:test', 'sales', 'refunds_due', 'disputes', 'none'],
  type: () => outboxEventTypes,
  endpoint: () => ['whe_1', 'whe_2', 'whe_none'],
  event: () => ['evt_1', 'evt_7', 'evt_9999', 'none'],
  object_id: () => [payments[0]?.id ?? '', orderIds[9] ?? '', refundIds[0] ?? '', disputeIds[0] ?? '', 'none'],
}

describe.each(Object.keys(filterNames) as CollectionName[])('SqliteScanner %s', (collection) => {
  const anySelection = fc
    .tuple(
      fc.subarray([...filterNames[collection]]),
      fc.nat(),
      fc.option(fc.integer({ min: -2, max: 65 }), { freq: 2 }),
      fc.option(fc.integer({ min: -2, max: 65 }), { freq: 2 }),
    )
    .map(([names, seed, from, before]) =>
      selection(collection, {
        filters: Object.fromEntries(
          names.map((name, index) => {
            const choices = values[name]?.() ?? []
            return [name, choices[(seed + index) % choices.length] ?? '']
          }),
        ),
        createdFromMs: from === null ? null : startMs + from * stepMs,
        createdBeforeMs: before === null ? null : startMs + before * stepMs,
      }),
    )
  const anyWalk = fc.record({
    direction: fc.constantFrom('newest_first' as const, 'oldest_first' as const),
    rowsMax: fc.integer({ min: 1, max: 12 }),
    matchesMax: fc.integer({ min: 1, max: 12 }),
  })
  const idOf = scanTables[collection].idOf as (row: unknown) => string

  it('walks give exactly what the filter means, in the order of the ids, whatever the steps', () => {
    const all = scanner.scan({ ...selection(collection), ...everything, after: null }).rows
    expect(all.length).toBeGreaterThan(10)
    fc.assert(
      fc.property(anySelection, anyWalk, fc.option(fc.nat(), { freq: 2 }), (wanted, steps, startAt) => {
        const expected = all.filter((row) => {
          const createdMs = (createdMsOf[collection] as (row: unknown) => number)(row)
          if (wanted.createdFromMs !== null && createdMs < wanted.createdFromMs) return false
          if (wanted.createdBeforeMs !== null && createdMs >= wanted.createdBeforeMs) return false
          return Object.entries(wanted.filters).every(([name, value = '']) =>
            (meaning[collection] as Record<string, (row: unknown, value: string, nowMs: number) => boolean>)[name]?.(
              row,
              value,
              wanted.nowMs,
            ),
          )
        })
        const inOrder = steps.direction === 'newest_first' ? all : all.toReversed()
        const startIndex = startAt === null ? -1 : startAt % all.length
        const start = startIndex < 0 ? null : idOf(inOrder[startIndex])
        const ids = inOrder.filter((row, index) => index > startIndex && expected.includes(row)).map((row) => idOf(row))
        expect(walk(wanted, { ...steps, start })).toEqual(ids)
      }),
      { numRuns: 300 },
    )
  })

  it('walks give everything once that was there when they began, while the writer goes on', () => {
    fc.assert(
      fc.property(anyWalk, (steps) => {
        const before = walk(selection(collection), everything)
        let writes = 0
        const seen = walk(selection(collection), {
          ...steps,
          between: () => {
            writes += 1
            if (writes <= 5) sellOne()
          },
        })
        expect(new Set(seen).size).toBe(seen.length)
        expect(before.filter((known) => !seen.includes(known))).toEqual([])
      }),
      { numRuns: 20 },
    )
  })

  it('a cursor that is no object is a place between the others', () => {
    const ids = walk(selection(collection), everything)
    const wanted = { ...selection(collection), rowsMax: 5, matchesMax: 2 }
    const [first = '', , third = ''] = ids
    const { key } = scanTables[collection]
    if (key.kind === 'seq') {
      const behind = scanner.scan({ ...wanted, direction: 'newest_first', after: key.toId(99_999) })
      return expect(behind.rows.map((row) => idOf(row))).toEqual(ids.slice(0, 2))
    }
    const older = scanner.scan({ ...wanted, direction: 'newest_first', after: `${third}0` })
    expect(older.rows.map((row) => idOf(row))).toEqual(ids.slice(2, 4))
    const newer = scanner.scan({ ...wanted, direction: 'oldest_first', after: `${first}0` })
    expect(newer).toEqual({ rows: [], scannedTo: null })
  })
})

it('SqliteScanner walks along the key: no statement sorts, none visits a table from its start', () => {
  const prepare = vi.spyOn(Database.prototype, 'prepare')
  const path = join(folder, 'penstock.db')
  const fresh = new SqliteScanner(path)
  for (const collection of Object.keys(filterNames) as CollectionName[]) {
    const names = filterNames[collection]
    for (const chosen of [[], ...names.map((name) => [name]), names]) {
      const filters = Object.fromEntries(chosen.map((name) => [name, values[name]?.()[0] ?? '']))
      for (const direction of ['newest_first', 'oldest_first'] as const) {
        const wanted = selection(collection, { filters, createdFromMs: startMs, createdBeforeMs: startMs + 9_000 })
        fresh.scan({ ...wanted, direction, rowsMax: 3, matchesMax: 3, after: null })
      }
    }
  }
  const texts = new Set(
    prepare.mock.calls
      .map(([sql]) => sql ?? '')
      .filter((sql) => sql.includes('WHERE') && !sql.includes('sqlite_schema')),
  )
  prepare.mockRestore()
  fresh.close()
  expect(texts.size).toBeGreaterThan(40)
  const db = new Database(path, { readonly: true })
  for (const sql of texts) {
    const plan = db.prepare<unknown[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`)
    const details = plan.all(...Array.from({ length: sql.split('?').length - 1 }, () => 1)).map(({ detail }) => detail)
    expect({ sql, wrong: details.filter((detail) => /SCAN|TEMP B-TREE/.test(detail)) }).toEqual({ sql, wrong: [] })
  }
  db.close()
})

it('SqliteScanner holds nothing between two steps: a checkpoint empties the WAL under a read of any length', () => {
  const path = join(folder, 'penstock.db')
  const db = new Database(path)
  let steps = 0
  walk(selection('holds', { filters: { q: 'buyer1' } }), {
    direction: 'newest_first',
    rowsMax: 5,
    matchesMax: 5,
    between: () => {
      steps += 1
      sellOne()
      expect(db.pragma('wal_checkpoint(TRUNCATE)')).toEqual([{ busy: 0, log: 0, checkpointed: 0 }])
    },
  })
  db.close()
  expect(steps).toBeGreaterThan(5)
})

it('SqliteScanner ends a step for orders after so many payments, whether there are orders among them or not', () => {
  const paid = walk(selection('payments'), everything).length
  const found = walk(selection('orders'), everything).length
  expect(found).toBeLessThan(paid)
  let steps = 1
  const between = (): void => void (steps += 1)
  walk(selection('orders'), { direction: 'oldest_first', rowsMax: 1, matchesMax: 9, between })
  expect(steps).toBe(paid)
})

it('SqliteScanner finds an order by its payment and a payment by its order without walking', () => {
  const payment = payments.find(({ orderId }) => orderId !== null)
  const one = { direction: 'newest_first', rowsMax: 1, matchesMax: 10, after: null } as const
  const orders = scanner.scan({ ...selection('orders', { filters: { payment: payment?.id ?? '' } }), ...one })
  expect([orders.rows.map(({ order }) => order.id), orders.scannedTo]).toEqual([[payment?.orderId], null])
  const found = scanner.scan({ ...selection('payments', { filters: { order: payment?.orderId ?? '' } }), ...one })
  expect([found.rows.map((row) => row.id), found.scannedTo]).toEqual([[payment?.id], null])
})

it('SqliteScanner gives rows as SqliteQueries does', () => {
  const queries = new SqliteQueries(join(folder, 'penstock.db'))
  const { rows } = scanner.scan({ ...selection('orders'), ...everything, after: null })
  expect(rows.map(({ order }) => queries.findOrder(order.id))).toEqual(rows)
  const found = <Name extends CollectionName>(name: Name): readonly Collections[Name][] =>
    scanner.scan({ ...selection(name), ...everything, after: null }).rows
  expect(found('refunds').map((refund) => queries.findRefund(refund.id))).toEqual(found('refunds'))
  expect(found('disputes').map((dispute) => queries.findDispute(dispute.id))).toEqual(found('disputes'))
  expect(
    found('refunds')
      .map((refund) => refund.id)
      .toSorted(),
  ).toEqual(refundIds.toSorted())
  expect(
    found('disputes')
      .map((dispute) => dispute.id)
      .toSorted(),
  ).toEqual(disputeIds.toSorted())
  queries.close()
})

it('SqliteScanner never finds an erased buyer, who is there all the same', () => {
  const { rows } = scanner.scan({ ...selection('holds'), ...everything, after: null })
  const erased = rows.filter(({ customer }) => isErased(customer)).map((hold) => hold.id)
  expect(erased.length).toBeGreaterThan(2)
  for (const filters of [
    { customer_email: 'buyer0@example.com' },
    { q: 'example.com' },
    { q: 'countedIn' },
    { q: '{' },
  ]) {
    const found = [
      ...walk(selection('holds', { filters }), everything),
      ...scanner
        .scan({ ...selection('orders', { filters }), ...everything, after: null })
        .rows.map((row) => row.hold.id),
    ]
    expect(found.filter((each) => erased.includes(each))).toEqual([])
  }
})
