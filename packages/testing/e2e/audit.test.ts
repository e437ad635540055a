import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { auditChecks, auditDatabase, runAudit } from '@penstock/store-sqlite/audit.ts'
import { hash53 } from '@penstock/store-sqlite/hash53.ts'
import { paymentKeySql, requestKeySql } from '@penstock/store-sqlite/load.ts'
import { openWriter } from '@penstock/store-sqlite/open.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { expectStatus, holdBody, newEmail, openDrop, pay, takeHold } from './shop.ts'
import type { AuditCheck } from '@penstock/store-sqlite/audit.ts'
import type { WireHold } from '../wire-types.ts'

/**
 * A small sound database with every kind of row, and copies of it that are each wrong in one way: an auditor that
 * cannot fail proves nothing.
 */

/** Rows of payment and request that are in their index, of the rows there are. */
const indexedRows = 4

let folder: string
let sound: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'penstock-audit-'))
  sound = join(folder, 'data', 'penstock.db')
  const box = await Box.start({ dataFolder: join(folder, 'data'), httpProcesses: 1 })
  const seller = new Client(box.url, box.secretKey)
  const drop = await openDrop(seller, { max_per_customer: 5 })
  await openDrop(seller)
  for (let index = 0; index < 3; index++) {
    await takeHold(seller, drop, 2, { 'idempotency-key': `hold ${index}` })
    const customer = { email: newEmail(), phone: '1', external_id: `buyer ${index}` }
    const hold = expectStatus(await seller.post<WireHold>('/v1/holds', holdBody(drop, { customer })), 201).body
    expectStatus(await pay(seller, hold), 201)
    expectStatus(await pay(seller, hold), 201)
    expectStatus(await pay(seller, hold, { hold: 'hold_00000000000000000000000000' }), 201)
    expectStatus(await pay(seller, await takeHold(seller, drop), { amount: 1, provider: 'other' }), 201)
    const paid = { hold: (await takeHold(seller, drop)).id, provider: 'manual', amount: 4_999, currency: 'usd' }
    const keyed = { 'idempotency-key': `payment ${index}` }
    expectStatus(await seller.post('/v1/payments', { ...paid, provider_payment_id: `keyed ${index}` }, keyed), 201)
    expectStatus(await seller.delete(`/v1/holds/${(await takeHold(seller, drop)).id}`), 200)
  }
  seller.close()
  await box.stop()
  indexFirstRows(sound)
})

/** A deferred index is written after 65,536 rows; here its first rows are, as the writer would. */
function indexFirstRows(path: string): void {
  const db = openWriter(path)
  try {
    for (const [table, key] of [
      ['payment', paymentKeySql],
      ['request', requestKeySql],
    ] as const) {
      const rows = db.prepare<[number], [number, string]>(`SELECT seq, ${key} FROM ${table} WHERE seq <= ?`).raw()
      const insert = db.prepare(`INSERT INTO ${table}_index (hash, seq) VALUES (?, ?)`)
      for (const [seq, text] of rows.all(indexedRows)) insert.run(hash53(text), seq)
      db.prepare('UPDATE index_progress SET indexed_seq = ? WHERE name = ?').run(indexedRows, table)
    }
  } finally {
    db.close()
  }
}

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const one = (table: string, where = 'true'): string => `(SELECT min(id) FROM ${table} WHERE ${where})`

/** `INSERT ... SELECT` of one row of `table` with some columns changed. Columns that number rows are left to SQLite. */
const duplicate = (table: string, where: string, columns: string, values: string = columns): string =>
  `INSERT INTO ${table} (${columns}) SELECT ${values} FROM ${table} WHERE ${where} LIMIT 1`

const orderColumns = 'id, drop_id, hold_id, payment_id, amount, currency, status, created_ms'
const paymentColumns =
  'id, provider, provider_payment_id, hold_id, order_id, amount, currency, status, reason, created_ms'
const entryColumns = 'payment_id, debit, credit, amount, currency, created_ms'

/** What is done to a copy, and what the auditor must name. */
const corruptions: Record<AuditCheck, readonly string[]> = {
  writer_state: ['DELETE FROM writer_state', 'UPDATE writer_state SET seq = -1'],
  sku_bounds: ['UPDATE sku SET stock = 1 WHERE sold > 0', 'UPDATE sku SET held = -1', 'UPDATE sku SET sold = -1'],
  sku_has_drop: [`UPDATE sku SET drop_id = 'drop_x' WHERE id = ${one('sku')}`],
  held_equals_active_holds: [
    'UPDATE sku SET held = held + 1',
    `UPDATE hold SET status = 'expired' WHERE id = ${one('hold', "status = 'active'")}`,
    `DELETE FROM hold WHERE id = ${one('hold', "status = 'active'")}`,
  ],
  sold_equals_captured_holds: [
    'UPDATE sku SET sold = sold - 1 WHERE sold > 0',
    `DELETE FROM hold WHERE id = ${one('hold', "status = 'captured'")}`,
  ],
  hold_has_drop: [
    `UPDATE hold SET drop_id = 'drop_x' WHERE id = ${one('hold')}`,
    `UPDATE hold SET currency = 'eur' WHERE id = ${one('hold')}`,
  ],
  hold_lines_known: [
    `UPDATE hold SET lines = '[["sku_x", 1, 4999]]' WHERE id = ${one('hold')}`,
    `UPDATE hold SET lines = json_replace(lines, '$[0][1]', 0) WHERE id = ${one('hold')}`,
    `UPDATE hold SET drop_id = (SELECT max(id) FROM drops) WHERE id = ${one('hold')}`,
  ],
  hold_amount: [`UPDATE hold SET amount = amount + 1 WHERE id = ${one('hold')}`],
  buyer_units: [
    `UPDATE buyer_units SET units = units + 1 WHERE id = ${one('buyer_units', "id LIKE '% email:%'")}`,
    `UPDATE buyer_units SET units = units - 1 WHERE id = ${one('buyer_units', "id LIKE '% phone:%'")}`,
    `DELETE FROM buyer_units WHERE id = ${one('buyer_units', "id LIKE '% external:%'")}`,
    'DELETE FROM buyer_units',
    `INSERT INTO buyer_units (id, units) SELECT id || ' email:nobody@example.com', 1 FROM drops
      WHERE max_per_customer IS NOT NULL`,
    `UPDATE hold SET status = 'expired' WHERE id = ${one('hold', "status = 'active' AND drop_id = (SELECT min(id) FROM drops)")}`,
  ],
  captured_hold_has_one_order: [
    `DELETE FROM orders WHERE id = ${one('orders')}`,
    duplicate('orders', 'true', orderColumns, orderColumns.replace('id', "'ord_twice'")),
  ],
  order_has_captured_hold: [
    `UPDATE orders SET hold_id = 'hold_x' WHERE id = ${one('orders')}`,
    `UPDATE hold SET status = 'released' WHERE id = ${one('hold', "status = 'captured'")}`,
    `UPDATE orders SET amount = 1 WHERE id = ${one('orders')}`,
    `UPDATE orders SET currency = 'eur' WHERE id = ${one('orders')}`,
  ],
  order_has_one_payment: [
    `DELETE FROM payment WHERE id = ${one('payment', "status = 'captured'")}`,
    `UPDATE orders SET payment_id = 'pay_x' WHERE id = ${one('orders')}`,
  ],
  captured_payment_has_one_order: [
    `DELETE FROM orders WHERE id = ${one('orders')}`,
    `UPDATE payment SET order_id = 'ord_x' WHERE id = ${one('payment', "status = 'captured'")}`,
  ],
  payment_fate: [
    `UPDATE payment SET status = 'refund_due' WHERE id = ${one('payment', "status = 'captured'")}`,
    `UPDATE payment SET reason = NULL WHERE id = ${one('payment', "status = 'refund_due'")}`,
    `UPDATE payment SET reason = 'sold_out' WHERE id = ${one('payment', "status = 'unmatched'")}`,
  ],
  payment_once: [duplicate('payment', 'true', paymentColumns, paymentColumns.replace('id', "'pay_twice'"))],
  payment_has_one_entry: ['DELETE FROM ledger_entry WHERE seq = 1', duplicate('ledger_entry', 'seq = 1', entryColumns)],
  entry_fits_payment: [
    'UPDATE ledger_entry SET amount = amount + 1 WHERE seq = 1',
    "UPDATE ledger_entry SET currency = 'eur' WHERE seq = 1",
    "UPDATE ledger_entry SET credit = 'nobody' WHERE seq = 1",
    "UPDATE ledger_entry SET debit = 'cash:nobody' WHERE seq = 1",
    "UPDATE ledger_entry SET payment_id = 'pay_x' WHERE seq = 1",
  ],
  balance_equals_entries: [
    "UPDATE ledger_balance SET balance = balance + 1 WHERE account = 'sales'",
    "DELETE FROM ledger_balance WHERE account = 'refunds_due'",
    "INSERT INTO ledger_balance (account, currency, balance) VALUES ('disputes', 'usd', 1)",
    duplicate('ledger_entry', 'seq = 1', entryColumns),
  ],
  balances_sum_to_zero: ["UPDATE ledger_balance SET balance = balance + 1 WHERE account = 'sales'"],
  request_once: [duplicate('request', 'true', 'id, fingerprint, answer_kind, answer, created_ms')],
  request_answer_exists: [
    "UPDATE request SET answer = 'hold_x' WHERE answer_kind = 'hold'",
    "UPDATE request SET answer = 'manual/x' WHERE answer_kind = 'payment'",
    "UPDATE request SET answer_kind = 'result', answer = '{'",
  ],
  index_progress: [
    "UPDATE index_progress SET indexed_seq = 1000000 WHERE name = 'payment'",
    "UPDATE index_progress SET indexed_seq = -1 WHERE name = 'request'",
    "DELETE FROM index_progress WHERE name = 'payment'",
  ],
  payment_index_complete: [
    `UPDATE index_progress SET indexed_seq = ${indexedRows} + 1 WHERE name = 'payment'`,
    'DELETE FROM payment_index WHERE seq = 2',
  ],
  payment_index_sound: [
    'UPDATE payment_index SET hash = hash + 1 WHERE seq = 2',
    'INSERT INTO payment_index (hash, seq) VALUES (1, 999999)',
  ],
  request_index_complete: [
    `UPDATE index_progress SET indexed_seq = ${indexedRows} + 1 WHERE name = 'request'`,
    'DELETE FROM request_index WHERE seq = 2',
  ],
  request_index_sound: [
    'UPDATE request_index SET hash = hash + 1 WHERE seq = 2',
    'INSERT INTO request_index (hash, seq) VALUES (1, 999999)',
  ],
  file_is_sound: ["UPDATE sku SET held = 'many'"],
}

/** Truths that cannot be broken without some of these: counters and rows say the same thing twice. */
const entangled: Partial<Record<AuditCheck, readonly string[]>> = {
  sku_bounds: ['held_equals_active_holds', 'sold_equals_captured_holds'],
  sku_has_drop: ['hold_lines_known'],
  held_equals_active_holds: ['buyer_units', 'request_answer_exists'],
  sold_equals_captured_holds: ['buyer_units', 'order_has_captured_hold'],
  hold_has_drop: ['hold_lines_known', 'buyer_units'],
  hold_lines_known: ['held_equals_active_holds', 'hold_amount', 'buyer_units'],
  buyer_units: ['held_equals_active_holds'],
  captured_hold_has_one_order: ['order_has_one_payment', 'captured_payment_has_one_order'],
  order_has_captured_hold: [
    'sold_equals_captured_holds',
    'buyer_units',
    'captured_hold_has_one_order',
    'order_has_one_payment',
  ],
  order_has_one_payment: ['captured_payment_has_one_order', 'entry_fits_payment', 'payment_index_sound'],
  captured_payment_has_one_order: ['captured_hold_has_one_order', 'order_has_one_payment'],
  payment_fate: ['entry_fits_payment'],
  payment_once: ['captured_payment_has_one_order', 'payment_has_one_entry'],
  payment_has_one_entry: ['balance_equals_entries'],
  entry_fits_payment: ['payment_has_one_entry', 'balance_equals_entries'],
  balance_equals_entries: ['payment_has_one_entry', 'balances_sum_to_zero'],
  balances_sum_to_zero: ['balance_equals_entries'],
  index_progress: ['payment_index_complete'],
  payment_index_sound: ['payment_index_complete'],
  request_index_sound: ['request_index_complete'],
}

it('auditDatabase finds nothing in a sound database', () => {
  expect(auditDatabase(sound)).toEqual([])
})

it('runAudit says what it looked at: commits, rows, sums', () => {
  const seen: (string | null)[] = []
  const report = runAudit(sound, { onCheck: (check) => void seen.push(check) })
  expect(seen).toEqual([null, ...auditChecks])
  expect(report).toMatchObject({
    rows: { drops: 2, sku: 2, hold: 15, payment: 15, orders: 6, ledger_entry: 15 },
    payments: [
      { currency: 'usd', status: 'captured', count: 6, amount: 29_994 },
      { currency: 'usd', status: 'refund_due', count: 6, amount: 15_000 },
      { currency: 'usd', status: 'unmatched', count: 3, amount: 14_997 },
    ],
    balances: expect.arrayContaining([{ account: 'sales', currency: 'usd', balance: -29_994 }]) as unknown,
    checks: auditChecks,
    violations: [],
  })
  expect(report.seqFrom).toBeGreaterThan(30)
  expect(report.seqTo).toBe(report.seqFrom)
  expect(runAudit(sound, { only: ['sku_bounds'] }).checks).toEqual(['sku_bounds'])
})

it('every check has a corruption that it finds', () => {
  expect(Object.keys(corruptions).toSorted()).toEqual([...auditChecks].toSorted())
})

const rows = auditChecks.flatMap((check) => corruptions[check].map((sql) => ({ check, sql })))

it.each(rows)('auditDatabase names $check after $sql', ({ check, sql }) => {
  const copy = join(folder, 'copy.db')
  copyFileSync(sound, copy)
  const db = openWriter(copy)
  try {
    db.pragma('ignore_check_constraints = ON')
    db.exec('DROP TRIGGER ledger_entry_no_update; DROP TRIGGER ledger_entry_no_delete')
    if (check === 'file_is_sound') {
      // No statement stores a text in a STRICT table: the damage is done to the schema under it.
      db.unsafeMode().pragma('writable_schema = ON')
      db.exec("UPDATE sqlite_schema SET sql = replace(sql, ' held INTEGER', ' held TEXT') WHERE name = 'sku'")
    } else {
      expect(db.prepare(sql).run().changes).toBeGreaterThan(0)
    }
  } finally {
    db.close()
  }
  const violations = auditDatabase(copy)
  const broken: ReadonlySet<string> = new Set(violations.map((violation) => violation.check))
  expect(broken).toContain(check)
  expect([...broken].filter((name) => name !== check && !entangled[check]?.includes(name))).toEqual([])
  for (const { table, key, expected, found } of violations) {
    expect([table, key, expected, found].filter((text) => text === '' || text === 'null')).toEqual([])
    expect(expected).not.toBe(found)
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(copy + suffix, { force: true })
})
