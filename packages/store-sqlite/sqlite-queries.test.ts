import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { idNumber } from '@penstock/domain/id-number.ts'
import { mintId } from '@penstock/domain/id.ts'
import { decide } from '@penstock/engine/decide.ts'
import { dropCommand, keyCommand } from '@penstock/engine/test-sale.ts'
import { openReader } from './open.ts'
import { SqliteQueries } from './sqlite-queries.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { Command, CreateDrop } from '@penstock/domain/command.ts'
import type { Page } from '@penstock/store/queries.ts'
import type { Result } from '@penstock/domain/result.ts'

const nowMs = 1_700_000_000_000

let folder = ''
let store: SqliteStore
let queries: SqliteQueries

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-queries-'))
  store = new SqliteStore(join(folder, 'penstock.db'))
  queries = new SqliteQueries(join(folder, 'penstock.db'))
})
afterEach(() => {
  queries.close()
  store.close()
  rmSync(folder, { recursive: true })
})

function run(...commands: readonly Command[]): Result[] {
  return store.transact(nowMs, (set) => commands.map((command) => decide(set, command, nowMs))).value
}

const newDrop = (dropId: string, change: Partial<CreateDrop> = {}): CreateDrop =>
  dropCommand({
    dropId,
    name: `Name of ${dropId}`,
    skus: [
      { id: `sku_z_${dropId}`, name: 'First', unitAmountMinor: 100, stock: 100, maxPerOrder: null },
      { id: `sku_a_${dropId}`, name: 'Second', unitAmountMinor: 5, stock: 1, maxPerOrder: null },
    ],
    ...change,
  })

/** A paid hold of one unit. Numbers with two digits sort. */
function sell(...numbers: readonly string[]): Result[] {
  return run(
    ...numbers.flatMap((number): Command[] => [
      {
        kind: 'create_hold',
        key: null,
        holdId: `hold_${number}`,
        clientSecret: `cs_${number}`,
        dropId: 'drop_1',
        lines: [{ skuId: 'sku_z_drop_1', quantity: 1 }],
        customer: { email: `${number}@example.com`, phone: null, externalId: null, name: null, shippingAddress: null },
        replace: null,
      },
      {
        kind: 'capture_payment',
        key: null,
        paymentId: `pay_${number}`,
        holdId: `hold_${number}`,
        provider: 'manual',
        providerPaymentId: number,
        amountMinor: 100,
        currency: 'usd',
      },
    ]),
  )
}

function openSale(): void {
  run(newDrop('drop_1'), { kind: 'change_drop_phase', key: null, dropId: 'drop_1', action: 'publish' })
}

it('SqliteQueries findHoldByNumber finds a hold by the number of its id, and none where two have it', () => {
  const at = (tag: number, filler: number): string =>
    mintId('hold', Date.UTC(2026, 0, 1), Uint8Array.of(tag >>> 8, tag & 255, ...Buffer.alloc(8, filler)))
  const [one, twin, other] = [at(17, 1), at(18, 2), at(18, 3)]
  openSale()
  sell(...[one, twin, other, at(19, 4)].map((holdId) => holdId.slice('hold_'.length)))
  expect(queries.findHoldByNumber(idNumber(one))).toMatchObject({ id: one, status: 'captured' })
  expect(queries.findHoldByNumber(idNumber(twin))).toBeNull()
  expect([idNumber(one) - 1, 0, -1, 2 ** 53, 1.5].map((number) => queries.findHoldByNumber(number))).toEqual([
    null,
    null,
    null,
    null,
    null,
  ])
})

it('SqliteQueries readSeq follows the commits of the writer', () => {
  expect(queries.readSeq()).toBe(0)
  openSale()
  expect(queries.readSeq()).toBe(1)
  sell('01')
  expect(queries.readSeq()).toBe(store.seq)
})

it('SqliteQueries listDrops gives all drops by id with their SKUs in the order of the seller', () => {
  expect(queries.listDrops()).toEqual({ seq: 0, drops: [] })
  const [second] = run(newDrop('drop_2', { description: 'x', endsAtMs: nowMs + 1, metadata: { a: 'b' } }))
  openSale()
  sell('01')
  const { seq, drops } = queries.listDrops()
  expect(seq).toBe(3)
  expect(drops.map(({ drop }) => drop.id)).toEqual(['drop_1', 'drop_2'])
  expect(drops[0]?.skus).toMatchObject([
    { id: 'sku_z_drop_1', stock: 100, held: 0, sold: 1 },
    { id: 'sku_a_drop_1', stock: 1, held: 0, sold: 0 },
  ])
  expect(second).toMatchObject({ ...drops[1] })
})

it('SqliteQueries finds a hold and an order by id, as the writer made them', () => {
  openSale()
  const [held, paid] = sell('01')
  expect(held).toMatchObject({ hold: { ...queries.findHold('hold_01'), status: 'active' } })
  const found = queries.findOrder('ord_01')
  expect(found?.hold).toEqual(queries.findHold('hold_01'))
  expect(found?.order).toEqual({
    id: 'ord_01',
    dropId: 'drop_1',
    holdId: 'hold_01',
    paymentId: 'pay_01',
    amountMinor: 100,
    currency: 'usd',
    createdMs: nowMs,
    cancelledMs: null,
    fulfilledMs: null,
  })
  expect(found).toMatchObject({ refundedMinor: 0, lineRefunds: [] })
  expect(paid).toMatchObject({ payment: { orderId: 'ord_01' } })
})

it('SqliteQueries finds payments, refunds, disputes and refunded orders as the writer left them, and the balances', () => {
  openSale()
  sell('01', '02')
  const own = { key: null, reason: null }
  const [cancelled, refunded, disputed] = run(
    { ...own, kind: 'cancel_order', orderId: 'ord_01', refundId: 'rfnd_1', restock: true },
    {
      ...own,
      kind: 'create_refund',
      refundId: 'rfnd_2',
      paymentId: 'pay_02',
      amountMinor: 7,
      lines: null,
      restock: false,
    },
    {
      ...own,
      kind: 'open_dispute',
      disputeId: 'dsp_1',
      paymentId: 'pay_02',
      providerDisputeId: 'bank/1',
      amountMinor: 20,
    },
  )
  expect(cancelled).toMatchObject({ outcome: 'order_saved', ...queries.findOrder('ord_01') })
  expect(queries.findOrder('ord_01')).toMatchObject({
    refundedMinor: 100,
    lineRefunds: [
      { orderId: 'ord_01', skuId: 'sku_z_drop_1', paidQuantity: 1, refundedQuantity: 1, restockedQuantity: 1 },
    ],
  })
  expect(queries.findOrder('ord_02')).toMatchObject({ refundedMinor: 7, lineRefunds: [] })
  expect(refunded).toMatchObject({ refund: queries.findRefund('rfnd_2') })
  expect(disputed).toMatchObject({ dispute: queries.findDispute('dsp_1') })
  expect(queries.findPayment('pay_02')).toMatchObject({
    id: 'pay_02',
    refundedMinor: 7,
    disputedMinor: 20,
    lostMinor: 0,
  })
  expect(queries.listBalances()).toEqual([
    { account: 'cash:manual', currency: 'usd', balanceMinor: 73 },
    { account: 'disputes', currency: 'usd', balanceMinor: 20 },
    { account: 'refunds_due', currency: 'usd', balanceMinor: 0 },
    { account: 'sales', currency: 'usd', balanceMinor: -93 },
  ])
})

it('SqliteQueries finds nothing where there is nothing', () => {
  expect([queries.findPayment('x'), queries.findRefund('x'), queries.findDispute('x')]).toEqual([null, null, null])
  expect(queries.listBalances()).toEqual([])
  expect([queries.findHold('x'), queries.findOrder('x'), queries.findCredential('x')]).toEqual([null, null, null])
})

const revokeKey = (apiKeyId: string): Command => ({ kind: 'revoke_key', key: null, apiKeyId })

it('SqliteQueries findCredential knows keys by their hash, with what they may do, until they are revoked', () => {
  run(
    keyCommand('key_1'),
    keyCommand('key_2', { scopes: ['drops:read', 'orders:write'], expiresAtMs: nowMs + 1 }),
    keyCommand('key_3', { keyKind: 'publishable', scopes: [] }),
    keyCommand('key_4'),
    revokeKey('key_4'),
  )
  const found = [1, 2, 3, 4].map((number) => queries.findCredential(`hash of key_${number}`))
  expect(found).toEqual([
    { id: 'key_1', kind: 'secret', scopes: ['*'], expiresMs: null },
    { id: 'key_2', kind: 'secret', scopes: ['drops:read', 'orders:write'], expiresMs: nowMs + 1 },
    { id: 'key_3', kind: 'publishable', scopes: [], expiresMs: null },
    null,
  ])
})

const page = (limit: number, cursors: Partial<Page> = {}): Page => ({
  limit,
  startingAfter: null,
  endingBefore: null,
  ...cursors,
})

it('SqliteQueries finds and lists API keys as the writer made them, newest first, revoked ones too', () => {
  const saved = run(
    keyCommand('key_1', { name: 'First' }),
    keyCommand('key_3'),
    keyCommand('key_2'),
    revokeKey('key_3'),
  )
  const [first, , second, third] = saved.map((result) => (result.outcome === 'api_key_saved' ? result.apiKey : null))
  expect(queries.findApiKey('key_3')).toEqual(third)
  expect(queries.findApiKey('key_none')).toBeNull()
  expect(queries.listApiKeys(page(10))).toEqual([third, second, first])
  expect(queries.listApiKeys(page(1))).toEqual([third])
  expect(queries.listApiKeys(page(1, { startingAfter: 'key_3' }))).toEqual([second])
  expect(queries.listApiKeys(page(2, { endingBefore: 'key_1' }))).toEqual([third, second])
  expect(queries.listApiKeys(page(2, { startingAfter: 'key_1' }))).toEqual([])
})

it('SqliteQueries sees one moment in listDrops, whatever is committed meanwhile', () => {
  openSale()
  const before = queries.listDrops()
  sell('01')
  const after = queries.listDrops()
  expect([before.seq, after.seq]).toEqual([1, 2])
  expect([before.drops[0]?.skus[0]?.sold, after.drops[0]?.skus[0]?.sold]).toEqual([0, 1])
})

it('SqliteQueries finds an order through the index of payments, and visits no table from its start', () => {
  const prepare = vi.spyOn(Database.prototype, 'prepare')
  const path = join(folder, 'penstock.db')
  new SqliteQueries(path).close()
  const texts = prepare.mock.calls.map(([sql]) => sql ?? '').filter((sql) => sql.includes('JOIN orders'))
  prepare.mockRestore()
  expect(texts).toHaveLength(1)
  const db = openReader(path)
  const plan = db.prepare<[object], { detail: string }>(`EXPLAIN QUERY PLAN ${texts[0]}`).all({ id: 'ord_1' })
  db.close()
  expect(plan.map(({ detail }) => detail).filter((detail) => /SCAN|TEMP B-TREE|AUTOMATIC/.test(detail))).toEqual([])
  expect(plan[0]?.detail).toMatch(/^SEARCH p USING INDEX sqlite_autoindex_payment_1 \(id=\?\)/)
})
