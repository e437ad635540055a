import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { auditChecks, auditDatabase, runAudit } from '@penstock/store-sqlite/audit.ts'
import { hash53 } from '@penstock/store-sqlite/hash53.ts'
import { buyerKeySql } from '@penstock/store-sqlite/buyer-rows.ts'
import { paymentKeySql, requestKeySql } from '@penstock/store-sqlite/load.ts'
import { openWriter } from '@penstock/store-sqlite/open.ts'
import { Box } from '../box.ts'
import { Client } from '../client.ts'
import { expectStatus, holdBody, newEmail, openDrop, pay, skuOf, takeHold, poll } from './shop.ts'
import type { AuditCheck } from '@penstock/store-sqlite/audit.ts'
import type { WireDrop, WireHold, WireList, WireOrder, WirePayment, WireWebhookEndpoint } from '../wire-types.ts'

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
  const environment = { PENSTOCK_WEBHOOK_ALLOW_PRIVATE: '1' }
  const box = await Box.start({ dataFolder: join(folder, 'data'), httpProcesses: 1, environment })
  const seller = new Client(box.url, box.secretKey)
  const endpoints = await openEndpoints(seller)
  const drop = await openDrop(seller, { max_per_customer: 5 })
  await openDrop(seller)
  const charged = await openDrop(seller, { fees: [{ name: 'VAT', kind: 'tax', basis_points: 1_900 }] })
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
  await sendMoneyBack(seller, drop)
  const { order: orderId } = expectStatus(await pay(seller, await takeHold(seller, charged)), 201).body
  const order = expectStatus(await seller.get<WireOrder>(`/v1/orders/${orderId}`), 200).body
  expectStatus(await seller.post(`/v1/codes/${order.codes?.[0]?.code}/verify`), 200)
  await takeHold(seller, charged)
  await poll('a delivery of every event', 20_000, async () => {
    const pending = await seller.get<WireList<unknown>>(`/v1/webhook_deliveries?limit=100&endpoint=${endpoints[0]}`)
    return pending.body.data.length >= 15
  })
  seller.close()
  await box.stop()
  indexFirstRows(sound)
})

/** Where nobody listens: one for captured payments, and one that is deleted. */
async function openEndpoints(seller: Client): Promise<string[]> {
  const ids: string[] = []
  for (let index = 0; index < 2; index++) {
    const body = { url: 'http://127.0.0.1:9/', events: ['payment.captured'] }
    const { id } = expectStatus(await seller.post<WireWebhookEndpoint>('/v1/webhook_endpoints', body), 201).body
    ids.push(id)
  }
  expectStatus(await seller.delete(`/v1/webhook_endpoints/${ids[1]}`), 200)
  return ids
}

/** Refunds, disputes, a cancelled order and an attached payment, in every state they can have. */
async function sendMoneyBack(seller: Client, drop: WireDrop): Promise<void> {
  const payBy = async (provider: string, fields: object = {}): Promise<WirePayment> =>
    expectStatus(await pay(seller, await takeHold(seller, drop, 2), { provider, ...fields }), 201).body
  const post = async (path: string, body: object): Promise<{ id: string }> => {
    const answer = await seller.post<{ id: string }>(path, body)
    return expectStatus(answer, /\/(settle|close|cancel|attach|erase)$/.test(path) ? 200 : 201).body
  }
  const lines = [{ sku: skuOf(drop).id, quantity: 1 }]
  for (const status of ['pending', 'succeeded', 'failed']) {
    for (const payment of [await payBy('stripe'), await payBy('stripe', { amount: 1 })]) {
      const units = payment.order === null ? {} : { lines, restock: true }
      const { id } = await post('/v1/refunds', { payment: payment.id, ...units })
      if (status !== 'pending') await post(`/v1/refunds/${id}/settle`, { status })
    }
  }
  for (const status of ['open', 'won', 'lost']) {
    const payment = await payBy('payos')
    const { id } = await post('/v1/disputes', { payment: payment.id, provider_dispute_id: status, amount: 7 })
    if (status !== 'open') await post(`/v1/disputes/${id}/close`, { status })
  }
  const cancelled = await payBy('manual')
  await post(`/v1/orders/${cancelled.order}/cancel`, { restock: true })
  await post(`/v1/orders/${cancelled.order}/erase`, {})
  const lost = await payBy('manual', { hold: 'hold_00000000000000000000000000' })
  await post(`/v1/payments/${lost.id}/attach`, { hold: (await takeHold(seller, drop, 2)).id })
}

/** A deferred index is written after 65,536 rows; here its first rows are, as the writer would. */
function indexFirstRows(path: string): void {
  const db = openWriter(path)
  try {
    for (const [table, key] of [
      ['payment', paymentKeySql],
      ['request', requestKeySql],
      ['buyer_units', buyerKeySql],
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

/** The number of the hold that `one` finds. */
const oneHold = (where: string): string => `(SELECT seq FROM hold_start WHERE id = ${one('hold', where)})`

/** `INSERT ... SELECT` of one row of `table` with some columns changed. Columns that number rows are left to SQLite. */
const duplicate = (table: string, where: string, columns: string, values: string = columns): string =>
  `INSERT INTO ${table} (${columns}) SELECT ${values} FROM ${table} WHERE ${where} LIMIT 1`

const paymentColumns = 'id, provider, provider_payment_id, hold_id, amount, currency, status, reason, created_ms'
const entryColumns = 'payment_id, debit, credit, amount, currency, created_ms'
const eventColumns = 'type, object_id, created_ms'

/** What is done to a copy, and what the auditor must name. */
const corruptions: Record<AuditCheck, readonly string[]> = {
  writer_state: ['DELETE FROM writer_state', 'UPDATE writer_state SET seq = -1'],
  sku_bounds: ['UPDATE sku SET stock = 1 WHERE sold > 0', 'UPDATE sku SET held = -1', 'UPDATE sku SET sold = -1'],
  sku_has_drop: [`UPDATE sku SET drop_id = 'drop_x' WHERE id = ${one('sku')}`],
  held_equals_active_holds: [
    'UPDATE sku SET held = held + 1',
    `INSERT INTO hold_end (hold_seq, status) VALUES (${oneHold("status = 'active'")}, 'expired')`,
    `DELETE FROM hold_start WHERE id = ${one('hold', "status = 'active'")}`,
  ],
  sold_equals_captured_holds: [
    'UPDATE order_line_refund SET restocked_quantity = 0',
    'UPDATE sku SET sold = sold - 1 WHERE sold > 0',
    `DELETE FROM hold_start WHERE id = ${one('hold', "status = 'captured'")}`,
  ],
  hold_has_drop: [
    `UPDATE hold_start SET drop_id = 'drop_x' WHERE id = ${one('hold')}`,
    `UPDATE hold_start SET currency = 'eur' WHERE id = ${one('hold')}`,
  ],
  hold_lines_known: [
    `UPDATE hold_start SET lines = '[["sku_x", 1, 4999]]' WHERE id = ${one('hold')}`,
    `UPDATE hold_start SET lines = json_replace(lines, '$[0][1]', 0) WHERE id = ${one('hold')}`,
    `UPDATE hold_start SET drop_id = (SELECT max(id) FROM drops) WHERE id = ${one('hold')}`,
  ],
  hold_amount: [
    `UPDATE hold_start SET amount = amount + 1 WHERE id = ${one('hold')}`,
    "UPDATE hold_start SET fees = json_replace(fees, '$[0][2]', 1) WHERE fees IS NOT NULL",
  ],
  hold_end_has_start: [
    "INSERT INTO hold_end (hold_seq, status) VALUES (999999, 'expired')",
    `DELETE FROM hold_start WHERE id = ${one('hold', "status = 'released'")}`,
  ],
  buyer_units: [
    `UPDATE buyer_units SET units = units + 1 WHERE id = ${one('buyer_units', "id LIKE '% email:%'")}`,
    `UPDATE buyer_units SET units = units - 1 WHERE id = ${one('buyer_units', "id LIKE '% phone:%'")}`,
    `DELETE FROM buyer_units WHERE id = ${one('buyer_units', "id LIKE '% external:%'")}`,
    'DELETE FROM buyer_units',
    `INSERT INTO buyer_units (id, units) SELECT id || ' email:nobody', 1 FROM drops WHERE max_per_customer IS NOT NULL`,
    `INSERT INTO hold_end (hold_seq, status)
      VALUES (${oneHold("status = 'active' AND drop_id = (SELECT min(id) FROM drops)")}, 'expired')`,
    'UPDATE order_line_refund SET restocked_quantity = 0',
    `UPDATE hold_start SET customer = json_set(customer, '$.email', 'nobody@example.com')
      WHERE id = ${one('hold', "status = 'active'")}`,
  ],
  buyer_once: ['INSERT INTO buyer_units (id, units) SELECT id, 0 FROM buyer_units LIMIT 1'],
  captured_hold_has_one_order: [
    `DELETE FROM payment WHERE id = ${one('payment', "status = 'captured'")}`,
    duplicate(
      'payment',
      "status = 'captured'",
      paymentColumns,
      paymentColumns.replace('id, provider, ', "'pay_twice', 'other', "),
    ),
    `UPDATE payment SET status = 'refund_due', reason = 'sold_out' WHERE id = ${one('payment', "status = 'captured'")}`,
  ],
  order_has_captured_hold: [
    `UPDATE payment SET hold_id = 'hold_x' WHERE id = ${one('payment', "status = 'captured'")}`,
    `UPDATE hold_end SET status = 'released' WHERE hold_seq = ${oneHold("status = 'captured'")}`,
    `UPDATE payment SET amount = 1 WHERE id = ${one('payment', "status = 'captured'")}`,
    `UPDATE payment SET currency = 'eur' WHERE id = ${one('payment', "status = 'captured'")}`,
    'UPDATE payment SET attached_hold_id = NULL WHERE attached_hold_id IS NOT NULL',
  ],
  order_change_fits_payment: [
    "UPDATE order_change SET payment_id = 'pay_x' WHERE cancelled_ms IS NOT NULL",
    `UPDATE order_change SET payment_id = ${one('payment', "status = 'refund_due'")} WHERE cancelled_ms IS NOT NULL`,
    'UPDATE order_change SET created_ms = 1 WHERE created_ms IS NOT NULL',
    'UPDATE order_change SET created_ms = NULL WHERE created_ms IS NOT NULL',
    'DELETE FROM order_change WHERE created_ms IS NOT NULL',
  ],
  order_alias_has_order: [
    "INSERT INTO order_alias (order_id, payment_id) VALUES ('ord_x', 'pay_x')",
    `INSERT INTO order_alias (order_id, payment_id) VALUES ('ord_x', ${one('payment', "status = 'refund_due'")})`,
  ],
  payment_fate: [
    `UPDATE payment SET status = 'refund_due' WHERE id = ${one('payment', "status = 'captured'")}`,
    `UPDATE payment SET reason = NULL WHERE id = ${one('payment', "status = 'refund_due'")}`,
    `UPDATE payment SET reason = 'sold_out' WHERE id = ${one('payment', "status = 'unmatched'")}`,
    `UPDATE payment SET attached_hold_id = hold_id WHERE id = ${one('payment', "status = 'unmatched'")}`,
  ],
  payment_once: [duplicate('payment', 'true', paymentColumns, paymentColumns.replace('id', "'pay_twice'"))],
  payment_has_one_entry: ['DELETE FROM ledger_entry WHERE seq = 1', duplicate('ledger_entry', 'seq = 1', entryColumns)],
  payment_has_its_events: [
    "DELETE FROM event WHERE type = 'payment.unmatched'",
    "UPDATE event SET type = 'payment.refund_due' WHERE type = 'payment.captured'",
    `UPDATE event SET object_id = 'pay_x' WHERE object_id = ${one('payment')}`,
    duplicate('event', "type = 'payment.captured'", eventColumns),
    'DELETE FROM event WHERE seq = (SELECT max(seq) FROM event WHERE object_id IN (SELECT id FROM payment WHERE attached_hold_id IS NOT NULL))',
  ],
  entries_sum_to_payment: ['UPDATE ledger_entry SET amount = amount + 1 WHERE seq = 1'],
  entry_fits_payment: [
    "UPDATE ledger_entry SET credit = 'fees:tax' WHERE credit = 'refunds_due'",
    "UPDATE ledger_entry SET currency = 'eur' WHERE seq = 1",
    "UPDATE ledger_entry SET credit = 'nobody' WHERE seq = 1",
    "UPDATE ledger_entry SET debit = 'cash:nobody' WHERE seq = 1",
    "UPDATE ledger_entry SET payment_id = 'pay_x' WHERE seq = 1",
    "UPDATE ledger_entry SET currency = 'eur' WHERE cause_id IS NOT NULL",
  ],
  entry_has_cause: [
    "UPDATE ledger_entry SET cause_id = 'rfnd_x' WHERE cause_id LIKE 'rfnd_%'",
    "UPDATE ledger_entry SET cause_id = 'hold_x' WHERE cause_id LIKE 'hold_%'",
    `UPDATE ledger_entry SET payment_id = ${one('payment')} WHERE cause_id LIKE 'dsp_%'`,
    'UPDATE ledger_entry SET amount = 0 WHERE cause_id IS NOT NULL',
    'DELETE FROM dispute',
  ],
  payment_accounts: [
    'DELETE FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry)',
    "UPDATE ledger_entry SET credit = 'sales' WHERE credit = 'disputes'",
    "UPDATE ledger_entry SET amount = amount + 1 WHERE cause_id LIKE 'rfnd_%'",
    "UPDATE refund SET status = 'failed' WHERE status = 'succeeded'",
    "UPDATE refund SET status = 'succeeded' WHERE status = 'pending'",
    "UPDATE dispute SET status = 'lost' WHERE status = 'open'",
  ],
  payment_given_back: [
    'UPDATE payment SET refunded = refunded - 1 WHERE refunded > 0',
    'UPDATE payment SET disputed = disputed + 1 WHERE disputed > 0',
    'UPDATE payment SET lost = 0 WHERE lost > 0',
    "UPDATE refund SET status = 'pending' WHERE status = 'failed'",
    'DELETE FROM refund',
    'UPDATE payment SET amount = 1 WHERE disputed > 0',
  ],
  refund_fits_payment: [
    "UPDATE refund SET payment_id = 'pay_x'",
    "UPDATE refund SET currency = 'eur'",
    'UPDATE refund SET order_id = NULL WHERE order_id IS NOT NULL',
    "UPDATE refund SET order_id = 'ord_x' WHERE order_id IS NULL",
    'UPDATE refund SET restock = 1',
    "UPDATE refund SET settled_ms = 1 WHERE status = 'pending'",
  ],
  dispute_fits_payment: [
    "UPDATE dispute SET payment_id = 'pay_x'",
    "UPDATE dispute SET currency = 'eur'",
    "UPDATE dispute SET provider = 'manual'",
    'UPDATE dispute SET closed_ms = NULL',
  ],
  line_refund_has_order: [
    "UPDATE order_line_refund SET order_id = 'ord_x' WHERE order_id = (SELECT min(order_id) FROM order_line_refund)",
    `INSERT INTO order_alias (order_id, payment_id)
      SELECT 'ord_x', payment_id FROM orders WHERE id = (SELECT min(order_id) FROM order_line_refund)`,
  ],
  line_refunds_equal_refunds: [
    'DELETE FROM order_line_refund',
    'UPDATE order_line_refund SET paid_quantity = paid_quantity + 1',
    'UPDATE order_line_refund SET refunded_quantity = 0',
    'UPDATE order_line_refund SET restocked_quantity = restocked_quantity + 1',
    "UPDATE refund SET lines = json_replace(lines, '$[0][1]', 9) WHERE lines <> '[]'",
    "UPDATE refund SET status = 'failed', settled_ms = 1 WHERE status = 'pending'",
  ],
  checkout_fits_hold: [
    "INSERT INTO checkout SELECT 'hold_x', 'stripe', 'pi_1', 1, 'usd', NULL, 's', 1, 1, 'open'",
    "INSERT INTO checkout SELECT id, 'stripe', 'pi_1', amount + 1, currency, NULL, 's', 1, 1, 'open' FROM hold LIMIT 1",
    "INSERT INTO checkout SELECT id, 'stripe', 'pi_1', amount, 'eur', NULL, 's', 1, 1, 'open' FROM hold LIMIT 1",
  ],
  code_use_has_order: [
    "INSERT INTO order_alias (order_id, payment_id) SELECT 'ord_x', payment_id FROM orders WHERE id = (SELECT order_id FROM code_use)",
    "UPDATE code_use SET order_id = 'ord_x'",
  ],
  code_use_fits_order: ['UPDATE code_use SET unit = 1', 'UPDATE code_use SET unit = -1'],
  balance_equals_entries: [
    "UPDATE ledger_balance SET balance = balance + 1 WHERE account = 'sales'",
    "DELETE FROM ledger_balance WHERE account = 'refunds_due'",
    "INSERT INTO ledger_balance (account, currency, balance) VALUES ('nobody', 'usd', 1)",
    duplicate('ledger_entry', 'seq = 1', entryColumns),
  ],
  balances_sum_to_zero: ["UPDATE ledger_balance SET balance = balance + 1 WHERE account = 'sales'"],
  request_once: [
    duplicate('request', 'seq = (SELECT max(seq) FROM request)', 'id, fingerprint, answer_kind, answer, created_ms'),
  ],
  request_order: ['UPDATE request SET created_ms = created_ms + 3600000 WHERE seq = 1'],
  request_answer_exists: [
    "UPDATE request SET answer = 'hold_x' WHERE answer_kind = 'hold'",
    "UPDATE request SET answer = 'manual/x' WHERE answer_kind = 'payment'",
    "UPDATE request SET answer_kind = 'result', answer = '{'",
  ],
  webhook_secrets: [
    'DELETE FROM webhook_secret',
    "UPDATE webhook_secret SET secrets = '[]'",
    'UPDATE webhook_secret SET secrets = \'[["x","whsec_x",null]]\'',
  ],
  webhook_cursor: [
    'UPDATE webhook_endpoint SET cursor_seq = 1000000',
    'UPDATE webhook_endpoint SET replay_next_seq = 1, replay_to_seq = 1000000',
  ],
  webhook_delivery_fits: [
    "UPDATE webhook_delivery SET endpoint_id = 'whe_x' WHERE seq = 1",
    'UPDATE webhook_delivery SET event_seq = 1000000 WHERE seq = 1',
  ],
  webhook_nothing_skipped: [
    'DELETE FROM webhook_delivery WHERE seq = 1',
    "UPDATE webhook_endpoint SET events = 'drop.updated'",
  ],
  index_progress: [
    "UPDATE index_progress SET indexed_seq = 1000000 WHERE name = 'payment'",
    "UPDATE index_progress SET indexed_seq = -1 WHERE name = 'request'",
    "DELETE FROM index_progress WHERE name = 'payment'",
    "DELETE FROM index_progress WHERE name = 'buyer_units'",
    "UPDATE index_progress SET indexed_seq = 1000000 WHERE name = 'buyer_units'",
  ],
  payment_index_complete: [
    `UPDATE index_progress SET indexed_seq = ${indexedRows} + 1 WHERE name = 'payment'`,
    'DELETE FROM payment_index WHERE seq = 2',
  ],
  payment_index_leads: ['INSERT INTO payment_index (hash, seq) VALUES (1, 999999)'],
  payment_index_sound: ['UPDATE payment_index SET hash = hash + 1 WHERE seq = 2'],
  request_index_complete: [
    `UPDATE index_progress SET indexed_seq = ${indexedRows} + 1 WHERE name = 'request'`,
    'DELETE FROM request_index WHERE seq = 2',
  ],
  request_index_sound: ['UPDATE request_index SET hash = hash + 1 WHERE seq = 2'],
  buyer_index_complete: [
    `UPDATE index_progress SET indexed_seq = ${indexedRows} + 1 WHERE name = 'buyer_units'`,
    'DELETE FROM buyer_units_index WHERE seq = 2',
  ],
  buyer_index_leads: ['INSERT INTO buyer_units_index (hash, seq) VALUES (1, 999999)'],
  buyer_index_sound: ['UPDATE buyer_units_index SET hash = hash + 1 WHERE seq = 2'],
  file_is_sound: ["UPDATE sku SET held = 'many'"],
}

/** Truths that cannot be broken without some of these: counters and rows say the same thing twice. */
const entangled: Partial<Record<AuditCheck, readonly string[]>> = {
  sku_bounds: ['held_equals_active_holds', 'sold_equals_captured_holds'],
  sku_has_drop: ['hold_lines_known'],
  held_equals_active_holds: ['buyer_units', 'request_answer_exists'],
  sold_equals_captured_holds: [
    'hold_end_has_start',
    'buyer_units',
    'order_has_captured_hold',
    'line_refunds_equal_refunds',
  ],
  hold_has_drop: ['hold_lines_known', 'buyer_units'],
  hold_lines_known: ['held_equals_active_holds', 'hold_amount', 'buyer_units'],
  hold_amount: ['payment_accounts'],
  buyer_units: [
    'held_equals_active_holds',
    'sold_equals_captured_holds',
    'line_refunds_equal_refunds',
    'buyer_index_leads',
    'index_progress',
  ],
  captured_hold_has_one_order: [
    'payment_has_one_entry',
    'payment_has_its_events',
    'entry_fits_payment',
    'payment_accounts',
    'payment_index_leads',
  ],
  order_has_captured_hold: [
    'sold_equals_captured_holds',
    'buyer_units',
    'captured_hold_has_one_order',
    'order_change_fits_payment',
    'payment_has_its_events',
    'entries_sum_to_payment',
    'entry_fits_payment',
    'entry_has_cause',
    'payment_accounts',
  ],
  payment_has_its_events: ['webhook_delivery_fits'],
  payment_fate: [
    'captured_hold_has_one_order',
    'order_change_fits_payment',
    'payment_has_its_events',
    'entry_fits_payment',
    'payment_accounts',
  ],
  payment_once: [
    'captured_hold_has_one_order',

    'payment_has_one_entry',
    'payment_has_its_events',
    'payment_accounts',
  ],
  payment_has_one_entry: ['entries_sum_to_payment', 'payment_accounts', 'balance_equals_entries'],
  entries_sum_to_payment: ['payment_accounts', 'balance_equals_entries'],
  entry_fits_payment: ['payment_has_one_entry', 'payment_accounts', 'balance_equals_entries'],
  entry_has_cause: ['payment_accounts', 'payment_given_back', 'balance_equals_entries'],
  payment_accounts: [
    'entries_sum_to_payment',
    'payment_given_back',
    'refund_fits_payment',
    'dispute_fits_payment',
    'line_refunds_equal_refunds',
    'balance_equals_entries',
  ],
  payment_given_back: [
    'order_has_captured_hold',
    'entries_sum_to_payment',
    'entry_has_cause',
    'payment_accounts',
    'refund_fits_payment',
    'line_refunds_equal_refunds',
  ],
  refund_fits_payment: ['entry_has_cause', 'payment_accounts', 'payment_given_back', 'line_refunds_equal_refunds'],
  dispute_fits_payment: ['entry_has_cause', 'payment_accounts', 'payment_given_back'],
  line_refund_has_order: [
    'refund_fits_payment',
    'sold_equals_captured_holds',
    'buyer_units',
    'captured_hold_has_one_order',
    'line_refunds_equal_refunds',
  ],
  line_refunds_equal_refunds: ['sold_equals_captured_holds', 'buyer_units', 'payment_accounts', 'payment_given_back'],
  code_use_has_order: ['captured_hold_has_one_order'],
  balance_equals_entries: [
    'payment_has_one_entry',
    'entries_sum_to_payment',
    'payment_accounts',
    'balances_sum_to_zero',
  ],
  balances_sum_to_zero: ['balance_equals_entries'],
  webhook_cursor: ['webhook_nothing_skipped'],
  webhook_delivery_fits: ['webhook_nothing_skipped'],
  index_progress: ['payment_index_complete', 'buyer_index_complete'],
  payment_index_sound: ['payment_index_complete'],
  request_index_sound: ['request_index_complete'],
  buyer_index_sound: ['buyer_index_complete'],
}

it('auditDatabase finds nothing in a sound database', () => {
  expect(auditDatabase(sound)).toEqual([])
})

it('runAudit says what it looked at: commits, rows, sums', () => {
  const seen: (string | null)[] = []
  const report = runAudit(sound, { onCheck: (check) => void seen.push(check) })
  expect(seen).toEqual([null, ...auditChecks])
  expect(report).toMatchObject({
    rows: { drops: 3, sku: 3, payment: 27, orders: 15, order_change: 2, refund: 7, dispute: 3, code_use: 1 },
    payments: [
      { currency: 'usd', status: 'captured', count: 15, amount: 115_927 },
      { currency: 'usd', status: 'refund_due', count: 9, amount: 15_003 },
      { currency: 'usd', status: 'unmatched', count: 3, amount: 14_997 },
    ],
    balances: expect.arrayContaining([{ account: 'fees:tax', currency: 'usd', balance: -950 }]) as unknown,
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
    for (const table of ['ledger_entry', 'event']) {
      db.exec(`DROP TRIGGER ${table}_no_update; DROP TRIGGER ${table}_no_delete`)
    }
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
