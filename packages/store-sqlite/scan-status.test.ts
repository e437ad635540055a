import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { orderStatus, orderStatuses } from '@penstock/domain/order.ts'
import { paymentStatus, paymentStatuses } from '@penstock/domain/payment.ts'
import { SqliteScanner } from './sqlite-scanner.ts'
import { SqliteStore } from './sqlite-store.ts'
import type { CollectionName, Collections } from '@penstock/store/scanner.ts'

/** Conditions on derived statuses against the domain, over every combination of the facts they are derived from. */

const nowMs = 1_700_000_000_000
let folder = ''
let scanner: SqliteScanner

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-scan-status-'))
  const path = join(folder, 'penstock.db')
  new SqliteStore(path).close()
  const db = new Database(path)
  db.transaction(() => insertAll(db))()
  db.close()
  scanner = new SqliteScanner(path)
})
afterAll(() => {
  scanner.close()
  rmSync(folder, { recursive: true })
})

const fates = ['captured', 'refund_due', 'unmatched'] as const
const times = [null, nowMs] as const
/** Refunded units of the one SKU; null: no row. */
const units = [null, 0, 1] as const
/** Amount, refunded, disputed. */
const money = [0, 3]
  .flatMap((amount) => [0, 1, 3].flatMap((refunded) => [0, 1, 3].map((disputed) => ({ amount, refunded, disputed }))))
  .filter(({ amount, refunded, disputed }) => refunded + disputed <= amount)

function insertAll(db: InstanceType<typeof Database>): void {
  const hold = db.prepare(
    `INSERT INTO hold_start (id, drop_id, amount, currency, lines, customer, client_secret, created_ms, expires_ms)
     VALUES (?, 'drop_1', ?, 'usd', '[["sku_1",1,3]]', '{"email":"a@b"}', 'cs', 1, 2)`,
  )
  const payment = db.prepare(
    `INSERT INTO payment (id, provider, provider_payment_id, hold_id, amount, currency, status, reason,
       created_ms, refunded, disputed)
     VALUES (?, 'manual', ?, ?, ?, 'usd', ?, ?, 1, ?, ?)`,
  )
  const change = db.prepare(`INSERT INTO order_change (payment_id, cancelled_ms, fulfilled_ms) VALUES (?, ?, ?)`)
  const lineRefund = db.prepare(`INSERT INTO order_line_refund VALUES (?, 'sku_1', 1, ?, 0)`)
  let count = 0
  for (const { amount, refunded, disputed } of money) {
    for (const fate of fates) {
      if (fate !== 'captured') {
        const number = count++
        payment.run(`pay_${number}`, number, 'hold_x', amount, fate, 'hold_expired', refunded, disputed)
        continue
      }
      for (const cancelledMs of times) {
        for (const fulfilledMs of times) {
          for (const refundedUnits of units) {
            const number = count++
            const [holdId, orderId] = [`hold_${number}`, `ord_${number}`]
            hold.run(holdId, amount)
            payment.run(`pay_${number}`, number, holdId, amount, fate, null, refunded, disputed)
            if (cancelledMs !== null || fulfilledMs !== null) change.run(`pay_${number}`, cancelledMs, fulfilledMs)
            if (refundedUnits !== null) lineRefund.run(orderId, refundedUnits)
          }
        }
      }
    }
  }
}

function list<Name extends CollectionName>(collection: Name, filters: Record<string, string>): Collections[Name][] {
  const selection = { collection, filters, createdFromMs: null, createdBeforeMs: null, nowMs }
  const all = { direction: 'newest_first', after: null, rowsMax: 100_000, matchesMax: 100_000 } as const
  return [...scanner.scan({ ...selection, ...all }).rows]
}

it.each(orderStatuses)('orders with status %s are those the domain calls so', (status) => {
  const expected = list('orders', {}).filter((facts) => orderStatus(facts) === status)
  expect(expected.length).toBeGreaterThan(0)
  expect(list('orders', { status })).toEqual(expected)
})

it.each(paymentStatuses)('payments with status %s are those the domain calls so', (status) => {
  const expected = list('payments', {}).filter((payment) => paymentStatus(payment) === status)
  expect(expected.length).toBeGreaterThan(0)
  expect(list('payments', { status })).toEqual(expected)
})
