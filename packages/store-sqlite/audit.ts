import { buyerUnitsIds } from '@penstock/domain/customer.ts'
import { buyerKeySql } from './buyer-rows.ts'
import { addHash53 } from './hash53.ts'
import { paymentKeySql, requestKeySql } from './load.ts'
import { openReader } from './open.ts'
import { decodeCustomer, paymentOfOrder } from './rows.ts'
import type { AccountBalance, AuditOptions, AuditReport, PaymentSum, Violation } from '@penstock/store/maintenance.ts'
import type { Database as Connection } from 'better-sqlite3'

/** Rows shown per check: enough to see the pattern. */
const rowsMax = 5

const lineUnits = (status: string): string => `
  SELECT line.value ->> 0 AS sku_id, sum(line.value ->> 1) AS units
  FROM hold, json_each(hold.lines) AS line WHERE hold.status = '${status}' GROUP BY 1`

/** Rows that the index must have by now and does not. */
const indexGaps = (table: string, key: string): string => `
  SELECT '${table}_index', '${table} ' || ${table}.seq, 'hash ' || hash53(${key}), 'no row'
  FROM ${table}, index_progress WHERE name = '${table}' AND ${table}.seq <= indexed_seq
  AND NOT EXISTS (SELECT 1 FROM ${table}_index AS x WHERE x.hash = hash53(${key}) AND x.seq = ${table}.seq)`

/** Rows of the index that lead to a row with another key. */
const indexStrays = (table: string, key: string): string => `
  SELECT '${table}_index', x.hash || '/' || x.seq, 'hash ' || hash53(${key}), 'hash ' || x.hash
  FROM ${table}_index AS x JOIN ${table} ON ${table}.seq = x.seq WHERE x.hash <> hash53(${key})`

/** Rows of the index that lead to no row, where rows are never deleted. */
const indexDangles = (table: string): string => `
  SELECT '${table}_index', x.hash || '/' || x.seq, 'a row of ${table} ' || x.seq, 'no such row'
  FROM ${table}_index AS x LEFT JOIN ${table} ON ${table}.seq = x.seq WHERE ${table}.seq IS NULL`

/** Orders are found by their payments: their ids are no index. */
const orderIs = (orderId: string): string => `orders.payment_id = ${paymentOfOrder(orderId)} AND orders.id = ${orderId}`

/** Rows of a table that name an order which is not there. */
const ofNoOrder = (table: string, key: string): string => `
  SELECT '${table}', ${key}, 'an order', 'no such order'
  FROM ${table} WHERE NOT EXISTS (SELECT 1 FROM orders WHERE ${orderIs(`${table}.order_id`)})`

/** Each payment with the sums of its refunds and disputes; `kept` is what did not leave for good. */
const gone = `SELECT *, amount - succeeded - lost AS kept FROM (
  SELECT payment.id, provider, status, payment.amount, coalesce(attached_hold_id, hold_id) AS paid_hold_id, refunded,
    disputed, payment.lost AS lost_column,
    coalesce(pending, 0) AS pending, coalesce(succeeded, 0) AS succeeded, coalesce(open, 0) AS open,
    coalesce(closed.lost, 0) AS lost
  FROM payment
    LEFT JOIN (SELECT payment_id, sum(iif(status = 'pending', amount, 0)) AS pending,
      sum(iif(status = 'succeeded', amount, 0)) AS succeeded FROM refund GROUP BY 1) AS back
      ON back.payment_id = payment.id
    LEFT JOIN (SELECT payment_id, sum(iif(status = 'open', amount, 0)) AS open,
      sum(iif(status = 'lost', amount, 0)) AS lost FROM dispute GROUP BY 1) AS closed
      ON closed.payment_id = payment.id)`

/**
 * Promises P2 to P5 as SQL: one name, one statement. Each selects the rows that break a truth as (table, key, expected,
 * found), so an empty answer is a sound database. Counters and balances are compared with the rows they sum up, both
 * ways, by UNION ALL and GROUP BY where both are large: a FULL JOIN reads one side again for each row of the other.
 * `hash53` and `buyer_ids` are functions of this program.
 */
const checks = {
  writer_state: `SELECT 'writer_state', 'id 1', 'one row, seq 0 or more',
      count(*) || ' rows, seq ' || coalesce(min(seq), 'none') FROM writer_state
    HAVING count(*) <> 1 OR min(id) <> 1 OR min(seq) < 0 OR min(epoch) < 0`,
  sku_bounds: `SELECT 'sku', id, '0 <= held + sold <= ' || stock, 'held ' || held || ', sold ' || sold FROM sku
    WHERE held < 0 OR sold < 0 OR held + sold > stock`,
  sku_has_drop: `SELECT 'sku', sku.id, 'a drop ' || drop_id, 'no such drop'
    FROM sku LEFT JOIN drops ON drops.id = sku.drop_id WHERE drops.id IS NULL`,
  held_equals_active_holds: `SELECT 'sku', sku.id, 'held ' || coalesce(units, 0) || ', as its active holds', 'held ' || held
    FROM sku LEFT JOIN (${lineUnits('active')}) ON sku_id = sku.id WHERE held <> coalesce(units, 0)`,
  sold_equals_captured_holds: `WITH back AS (
      SELECT sku_id, sum(restocked_quantity) AS units FROM order_line_refund GROUP BY 1)
    SELECT 'sku', sku.id,
      'sold ' || (coalesce(taken.units, 0) - coalesce(back.units, 0)) || ', as its captured holds less restocked units', 'sold ' || sold
    FROM sku LEFT JOIN (${lineUnits('captured')}) AS taken ON taken.sku_id = sku.id
      LEFT JOIN back ON back.sku_id = sku.id
    WHERE sold <> coalesce(taken.units, 0) - coalesce(back.units, 0)`,
  hold_has_drop: `SELECT 'hold', hold.id, 'a drop ' || drop_id || ' in ' || hold.currency,
      coalesce('it is in ' || drops.currency, 'no such drop')
    FROM hold LEFT JOIN drops ON drops.id = hold.drop_id WHERE drops.currency IS NOT hold.currency`,
  hold_lines_known: `SELECT 'hold', hold.id, 'lines of 1 or more SKUs of ' || hold.drop_id,
      (line.value ->> 1) || ' of ' || (line.value ->> 0)
    FROM hold, json_each(hold.lines) AS line LEFT JOIN sku ON sku.id = line.value ->> 0
    WHERE sku.drop_id IS NOT hold.drop_id OR line.value ->> 1 < 1`,
  hold_amount: `WITH summed AS (SELECT id, amount,
      (SELECT sum((line.value ->> 1) * (line.value ->> 2)) FROM json_each(hold.lines) AS line) AS goods,
      (SELECT coalesce(sum(fee.value ->> 2), 0) FROM json_each(coalesce(hold.fees, '[]')) AS fee) AS fees FROM hold)
    SELECT 'hold', id, 'amount ' || (goods + fees) || ', as its lines and fees', 'amount ' || amount
    FROM summed WHERE amount <> goods + fees`,
  hold_end_has_start: `SELECT 'hold_end', hold_seq, 'a hold with this number', 'no such hold'
    FROM hold_end LEFT JOIN hold_start ON seq = hold_seq WHERE seq IS NULL`,
  // Where nobody has a limit nothing is counted; a limit is given to a draft only, so every hold of its drop counts.
  buyer_units: `WITH limited AS (SELECT id FROM drops WHERE max_per_customer IS NOT NULL),
    back AS (SELECT orders.hold_id, sum(restocked_quantity) AS units
      FROM order_line_refund CROSS JOIN orders ON ${orderIs('order_line_refund.order_id')} GROUP BY 1),
    kept AS (SELECT drop_id, customer,
        (SELECT sum(line.value ->> 1) FROM json_each(hold.lines) AS line) - coalesce(back.units, 0) AS units
      FROM hold JOIN limited ON limited.id = drop_id LEFT JOIN back ON back.hold_id = hold.id
      WHERE status = 'active' OR status = 'captured'),
    taken AS (SELECT buyer.value AS id, sum(units) AS units
      FROM kept, json_each(buyer_ids(drop_id, customer)) AS buyer GROUP BY 1),
    counted AS (SELECT buyer_units.id, units FROM buyer_units
      JOIN limited ON limited.id = substr(buyer_units.id, 1, instr(buyer_units.id, ' ') - 1))
    SELECT 'buyer_units', id, 'units ' || sum(wanted) || ', as the holds less restocked units', 'units ' || sum(kept) FROM (
      SELECT id, units AS wanted, 0 AS kept FROM taken UNION ALL SELECT id, 0, units FROM counted)
    GROUP BY id HAVING sum(wanted) <> sum(kept)`,
  buyer_once: `SELECT 'buyer_units', id, 'one row', count(*) || ' rows' FROM buyer_units GROUP BY id HAVING count(*) > 1`,
  captured_hold_has_one_order: `SELECT 'hold', id, 'one order', sum(orders) || ' orders' FROM (
      SELECT id, 1 AS captured, 0 AS orders FROM hold WHERE status = 'captured' UNION ALL SELECT hold_id, 0, 1 FROM orders)
    GROUP BY id HAVING sum(captured) = 1 AND sum(orders) <> 1`,
  order_has_captured_hold: `SELECT 'orders', orders.id,
      orders.hold_id || ': captured, ' || orders.amount || ' ' || orders.currency,
      coalesce(hold.status || ', ' || hold.amount || ' ' || hold.currency, 'no such hold')
    FROM orders LEFT JOIN hold ON hold.id = orders.hold_id WHERE hold.status IS NOT 'captured'
    OR hold.amount <> orders.amount OR hold.currency <> orders.currency`,
  order_change_fits_payment: `SELECT 'order_change', change.payment_id,
      'of a captured payment, created after it if attached, otherwise with it',
      coalesce(status || ', ', 'no such payment, ') || 'created ' || coalesce(change.created_ms, 'with it')
    FROM order_change AS change LEFT JOIN payment ON payment.id = change.payment_id
    WHERE status IS NOT 'captured' OR (change.created_ms IS NULL) <> (attached_hold_id IS NULL)
    OR change.created_ms < payment.created_ms
    UNION ALL SELECT 'order_change', id, 'when it was attached', 'no row' FROM payment
    WHERE attached_hold_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM order_change WHERE payment_id = id)`,
  order_alias_has_order: `SELECT 'order_alias', order_id, 'a captured payment ' || payment_id, coalesce(status, 'no such payment')
    FROM order_alias LEFT JOIN payment ON payment.id = payment_id WHERE status IS NOT 'captured'`,
  payment_fate: `SELECT 'payment', id, 'captured, or a reason why not',
      status || ', reason ' || coalesce(reason, 'none')
    FROM payment WHERE (status = 'captured') <> (reason IS NULL)
    OR (status = 'unmatched') <> (reason IS 'unknown_hold') OR (attached_hold_id IS NOT NULL AND status <> 'captured')`,
  payment_once: `SELECT 'payment', provider || '/' || provider_payment_id, 'one row', count(*) || ' rows'
    FROM payment GROUP BY provider, provider_payment_id HAVING count(*) > 1`,
  // Fees have entries of their own beside it.
  payment_has_one_entry: `SELECT 'payment', payment.id, 'one ledger entry', count(entry.payment_id) || ' ledger entries'
    FROM payment LEFT JOIN ledger_entry AS entry ON entry.payment_id = payment.id
      AND entry.cause_id IS NULL AND entry.credit NOT LIKE 'fees:%'
    GROUP BY payment.id HAVING count(entry.payment_id) <> 1`,
  // An attached payment was unmatched when it came.
  payment_has_its_events: `SELECT 'event', object_id || ' ' || type, 'times ' || sum(wanted), 'times ' || sum(told) FROM (
      SELECT id AS object_id, 'payment.' || iif(attached_hold_id IS NULL, status, 'unmatched') AS type, 1 AS wanted, 0 AS told
        FROM payment
      UNION ALL SELECT id, 'payment.captured', 1, 0 FROM payment WHERE attached_hold_id IS NOT NULL
      UNION ALL SELECT object_id, type, 0, 1 FROM event WHERE type LIKE 'payment.%')
    GROUP BY object_id, type HAVING sum(wanted) <> sum(told)`,
  entries_sum_to_payment: `SELECT 'payment', payment.id, 'entries of ' || payment.amount, 'entries of ' || sum(entry.amount)
    FROM payment JOIN ledger_entry AS entry ON entry.payment_id = payment.id AND entry.cause_id IS NULL
    GROUP BY payment.id HAVING payment.amount <> sum(entry.amount)`,
  entry_fits_payment: `SELECT 'ledger_entry', entry.seq,
      coalesce(payment.currency || iif(entry.cause_id IS NULL,
        ' from ' || iif(payment.status = 'captured' AND attached_hold_id IS NULL, 'sales or fees', 'refunds_due')
          || ' to cash:' || payment.provider, ''), 'a payment ' || entry.payment_id),
      entry.currency || iif(entry.cause_id IS NULL, ' from ' || entry.credit || ' to ' || entry.debit, '')
    FROM ledger_entry AS entry LEFT JOIN payment ON payment.id = entry.payment_id
    WHERE payment.id IS NULL OR entry.currency <> payment.currency OR (entry.cause_id IS NULL
      AND (entry.debit <> 'cash:' || payment.provider
        OR NOT (entry.credit = iif(payment.status = 'captured' AND attached_hold_id IS NULL, 'sales', 'refunds_due')
          OR (payment.status = 'captured' AND attached_hold_id IS NULL AND entry.credit LIKE 'fees:%'))))`,
  entry_has_cause: `SELECT 'ledger_entry', entry.seq, 'a refund, dispute or attachment ' || entry.cause_id || ' of ' || entry.payment_id,
      iif(entry.amount = 0, 'an amount of 0', 'no such row')
    FROM ledger_entry AS entry LEFT JOIN payment ON payment.id = entry.payment_id
      LEFT JOIN refund ON refund.id = entry.cause_id LEFT JOIN dispute ON dispute.id = entry.cause_id
    WHERE entry.cause_id IS NOT NULL AND (entry.amount = 0
      OR entry.payment_id IS NOT coalesce(refund.payment_id, dispute.payment_id,
        iif(payment.attached_hold_id = entry.cause_id, payment.id, NULL)))`,
  // Where the money of each payment is, told by its entries and by what became of its refunds and disputes.
  // Goods are given back before fees, and fees kind by kind.
  payment_accounts: `WITH gone AS MATERIALIZED (${gone}),
    fees AS (SELECT gone.id, 'fees:' || (fee.value ->> 1) AS account, min(fee.key) AS place, sum(fee.value ->> 2) AS earned
      FROM gone JOIN hold ON hold.id = paid_hold_id, json_each(coalesce(hold.fees, '[]')) AS fee
      WHERE gone.status = 'captured' GROUP BY 1, 2),
    shares AS (SELECT id, account, place, earned, 0 AS back FROM fees UNION ALL
      SELECT id, 'sales', -1, sum(amount), sum(back) FROM (
        SELECT id, amount, pending + succeeded + lost AS back FROM gone WHERE status = 'captured'
        UNION ALL SELECT id, -earned, 0 FROM fees) GROUP BY id),
    earnings AS (SELECT id, account, earned, sum(earned) OVER (PARTITION BY id ORDER BY place) - earned AS before,
      sum(back) OVER (PARTITION BY id) AS back FROM shares),
    expected AS (
      SELECT id, 'cash:' || provider AS account, kept - open AS balance FROM gone
      UNION ALL SELECT id, 'disputes', open FROM gone
      UNION ALL SELECT id, account, max(0, min(earned, back - before)) - earned FROM earnings
      UNION ALL SELECT id, 'refunds_due', iif(status = 'captured', -pending, -kept) FROM gone),
    folded AS (SELECT id, account, sum(amount) AS balance FROM (
      SELECT payment_id AS id, debit AS account, amount FROM ledger_entry
      UNION ALL SELECT payment_id, credit, -amount FROM ledger_entry) GROUP BY 1, 2)
    SELECT 'payment', id || ' ' || account, 'balance ' || sum(wanted), 'balance ' || sum(kept) FROM (
      SELECT id, account, balance AS wanted, 0 AS kept FROM expected UNION ALL SELECT id, account, 0, balance FROM folded)
    GROUP BY id, account HAVING sum(wanted) <> sum(kept)`,
  payment_given_back: `WITH gone AS (${gone})
    SELECT 'payment', id,
      'refunded ' || (pending + succeeded) || ', disputed ' || (open + lost) || ', lost ' || lost || ', at most ' || amount,
      'refunded ' || refunded || ', disputed ' || disputed || ', lost ' || lost_column
    FROM gone WHERE refunded <> pending + succeeded OR disputed <> open + lost OR lost_column <> lost
    OR refunded + disputed > amount`,
  // A refund that failed leaves an unmatched payment free to be attached, so it may be older than the order.
  refund_fits_payment: `SELECT 'refund', refund.id, 'currency and order of ' || refund.payment_id || ', settled unless pending',
      refund.status || ', ' || refund.currency || ', order ' || coalesce(refund.order_id, 'none')
    FROM refund LEFT JOIN payment ON payment.id = refund.payment_id
      LEFT JOIN orders ON orders.payment_id = refund.payment_id
    WHERE payment.id IS NULL OR refund.currency <> payment.currency
    OR (refund.order_id IS NOT orders.id
      AND (refund.order_id IS NOT NULL OR refund.status <> 'failed' OR attached_hold_id IS NULL))
    OR (refund.order_id IS NULL AND (refund.lines <> '[]' OR refund.restock = 1))
    OR (refund.status = 'pending') <> (refund.settled_ms IS NULL)`,
  dispute_fits_payment: `SELECT 'dispute', dispute.id, 'currency and provider of ' || dispute.payment_id || ', closed unless open',
      dispute.status || ', ' || dispute.currency || ', ' || dispute.provider
    FROM dispute LEFT JOIN payment ON payment.id = dispute.payment_id
    WHERE payment.id IS NULL OR dispute.currency <> payment.currency OR dispute.provider <> payment.provider
    OR (dispute.status = 'open') <> (dispute.closed_ms IS NULL)`,
  line_refund_has_order: ofNoOrder('order_line_refund', "order_id || ' ' || sku_id"),
  line_refunds_equal_refunds: `WITH units AS (
      SELECT refund.order_id, line.value ->> 0 AS sku_id, sum(line.value ->> 1) AS refunded,
        sum(iif(refund.status = 'succeeded' AND restock = 1, line.value ->> 1, 0)) AS restocked
      FROM refund, json_each(refund.lines) AS line WHERE refund.status <> 'failed' GROUP BY 1, 2),
    paid AS (SELECT order_line_refund.order_id, line.value ->> 0 AS sku_id, sum(line.value ->> 1) AS quantity
      FROM order_line_refund CROSS JOIN orders ON ${orderIs('order_line_refund.order_id')} JOIN hold ON hold.id = orders.hold_id,
        json_each(hold.lines) AS line
      WHERE line.value ->> 0 = order_line_refund.sku_id GROUP BY 1, 2),
    both AS (SELECT order_id, sku_id, max(is_row) AS is_row, sum(paid) AS paid_quantity, sum(refunded) AS refunded_quantity,
        sum(restocked) AS restocked_quantity, sum(units_refunded) AS refunded, sum(units_restocked) AS restocked FROM (
      SELECT order_id, sku_id, 1 AS is_row, paid_quantity AS paid, refunded_quantity AS refunded,
        restocked_quantity AS restocked, 0 AS units_refunded, 0 AS units_restocked FROM order_line_refund
      UNION ALL SELECT order_id, sku_id, 0, 0, 0, 0, refunded, restocked FROM units) GROUP BY 1, 2)
    SELECT 'order_line_refund', coalesce(order_id, 'no order') || ' ' || sku_id,
      'paid ' || coalesce(paid.quantity, 0) || ', refunded ' || refunded || ', restocked ' || restocked,
      iif(is_row, 'paid ' || paid_quantity || ', refunded ' || refunded_quantity || ', restocked ' || restocked_quantity, 'no row')
    FROM both LEFT JOIN paid USING (order_id, sku_id)
    WHERE is_row = 0 OR paid_quantity IS NOT paid.quantity OR refunded_quantity <> refunded OR restocked_quantity <> restocked
    OR restocked_quantity > refunded_quantity OR refunded_quantity > paid_quantity`,
  checkout_fits_hold: `SELECT 'checkout', hold_id || ' ' || provider, 'amount and currency of its hold',
      checkout.amount || ' ' || checkout.currency
    FROM checkout LEFT JOIN hold ON hold.id = hold_id
    WHERE hold.amount IS NOT checkout.amount OR hold.currency IS NOT checkout.currency`,
  code_use_has_order: ofNoOrder('code_use', "order_id || ' ' || unit"),
  code_use_fits_order: `WITH used AS (SELECT order_id, unit,
      (SELECT sum(line.value ->> 1) FROM json_each(hold.lines) AS line) AS units
      FROM code_use CROSS JOIN orders ON ${orderIs('code_use.order_id')} JOIN hold ON hold.id = orders.hold_id)
    SELECT 'code_use', order_id || ' ' || unit, 'a unit below ' || units, 'unit ' || unit
    FROM used WHERE unit < 0 OR unit >= units`,
  balance_equals_entries: `WITH moved AS (
      SELECT debit AS account, currency, amount FROM ledger_entry
      UNION ALL SELECT credit, currency, -amount FROM ledger_entry),
    folded AS (SELECT account, currency, sum(amount) AS balance FROM moved GROUP BY 1, 2)
    SELECT 'ledger_balance', coalesce(kept.account, folded.account) || ' ' || coalesce(kept.currency, folded.currency),
      'balance ' || coalesce(folded.balance, 0) || ', as the entries', 'balance ' || coalesce(kept.balance, 'missing')
    FROM ledger_balance AS kept FULL JOIN folded USING (account, currency)
    WHERE kept.balance IS NOT coalesce(folded.balance, 0)`,
  balances_sum_to_zero: `SELECT 'ledger_balance', currency, 'a sum of 0', 'a sum of ' || sum(balance)
    FROM ledger_balance GROUP BY currency HAVING sum(balance) <> 0`,
  request_once: `SELECT 'request', id, 'one row', count(*) || ' rows' FROM request GROUP BY id HAVING count(*) > 1`,
  // Requests are forgotten in the order they came.
  request_order: `SELECT 'request', id, 'from ' || before_ms || ' ms on', created_ms || ' ms' FROM (
      SELECT id, created_ms, lag(created_ms) OVER (ORDER BY seq) AS before_ms FROM request) WHERE created_ms < before_ms`,
  request_answer_exists: `SELECT 'request', request.id, 'an answer: ' || answer_kind, substr(answer, 1, 60) FROM request
    LEFT JOIN hold ON answer_kind = 'hold' AND hold.id = answer
    LEFT JOIN payment ON answer_kind = 'payment' AND provider = substr(answer, 1, instr(answer, '/') - 1)
      AND provider_payment_id = substr(answer, instr(answer, '/') + 1)
    WHERE (answer_kind = 'hold' AND hold.id IS NULL) OR (answer_kind = 'payment' AND payment.id IS NULL)
    OR (answer_kind = 'result' AND NOT json_valid(answer))`,
  // The writer reads only the rows behind indexed_seq again: a key before it that is not in the index is lost. The newest
  // request is never forgotten.
  index_progress: `WITH wanted (name, last) AS (
      VALUES ('payment', (SELECT max(seq) FROM payment)), ('request', (SELECT max(seq) FROM request)),
        ('buyer_units', (SELECT max(seq) FROM buyer_units)))
    SELECT 'index_progress', wanted.name, 'from 0 to ' || coalesce(last, 0), coalesce(indexed_seq, 'no row')
    FROM wanted LEFT JOIN index_progress USING (name) WHERE NOT coalesce(indexed_seq BETWEEN 0 AND coalesce(last, 0), false)`,
  payment_index_complete: indexGaps('payment', paymentKeySql),
  payment_index_leads: indexDangles('payment'),
  payment_index_sound: indexStrays('payment', paymentKeySql),
  request_index_complete: indexGaps('request', requestKeySql),
  // What the index says of forgotten requests goes later than they do.
  request_index_sound: indexStrays('request', requestKeySql),
  buyer_index_complete: indexGaps('buyer_units', buyerKeySql),
  buyer_index_leads: indexDangles('buyer_units'),
  buyer_index_sound: indexStrays('buyer_units', buyerKeySql),
  webhook_secrets: `SELECT 'webhook_secret', endpoint.id, iif(endpoint.status = 'deleted', 'none', 'one or more, first ' || secret_id),
      coalesce(json_array_length(secrets) || ', first ' || coalesce(secrets ->> '$[0][0]', 'none'), 'no row')
    FROM webhook_endpoint AS endpoint LEFT JOIN webhook_secret ON endpoint_id = endpoint.id
    WHERE iif(endpoint.status = 'deleted', secrets IS NOT '[]', secrets ->> '$[0][0]' IS NOT secret_id)`,
  webhook_cursor: `WITH last AS (SELECT coalesce(max(seq), 0) AS seq FROM event)
    SELECT 'webhook_endpoint', id, 'events up to ' || last.seq, 'up to ' || max(cursor_seq, coalesce(replay_to_seq, 0))
    FROM webhook_endpoint, last WHERE max(cursor_seq, coalesce(replay_to_seq, 0)) > last.seq`,
  webhook_delivery_fits: `SELECT 'webhook_delivery', delivery.seq,
      'an event ' || event_seq || ' and an endpoint ' || endpoint_id, iif(event.seq IS NULL, 'no such event', 'no such endpoint')
    FROM webhook_delivery AS delivery LEFT JOIN event ON event.seq = event_seq
      LEFT JOIN webhook_endpoint AS endpoint ON endpoint.id = endpoint_id
    WHERE event.seq IS NULL OR endpoint.id IS NULL`,
  // Of endpoints that were never changed: what another one wanted at the time, nobody knows.
  webhook_nothing_skipped: `WITH made AS (
      SELECT object_id, min(iif(type = 'webhook_endpoint.created', seq, NULL)) AS seq FROM event
      WHERE type LIKE 'webhook_endpoint.%' GROUP BY 1 HAVING max(type = 'webhook_endpoint.updated') = 0),
    seen AS (SELECT endpoint.id, made.seq AS from_seq, cursor_seq, ' ' || events || ' ' AS wanted
      FROM webhook_endpoint AS endpoint JOIN made ON made.object_id = endpoint.id WHERE status <> 'deleted')
    SELECT 'webhook_endpoint', seen.id, 'a delivery of ' || type || ' ' || event.seq, 'none'
    FROM seen JOIN event ON event.seq BETWEEN from_seq AND cursor_seq
    WHERE (instr(wanted, ' * ') > 0 OR instr(wanted, ' ' || type || ' ') > 0)
    AND NOT EXISTS (SELECT 1 FROM webhook_delivery WHERE endpoint_id = seen.id AND event_seq = event.seq)`,
  file_is_sound: `SELECT 'the file', 'integrity_check', 'ok', integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
} as const

export type AuditCheck = keyof typeof checks

export const auditChecks = Object.keys(checks) as readonly AuditCheck[]

/** Everything that is wrong in a Penstock database, at most `rowsMax` rows a check; empty when it is sound. */
export function auditDatabase(path: string): readonly Violation[] {
  return runAudit(path).violations
}

/**
 * Audits the database at `path` through a read-only connection, so it may run beside a writer. Throws when there is no
 * database, or one of another release.
 *
 * Each check is one statement and so one snapshot, and must hold in every commit. There is none around all of them: a
 * snapshot keeps the WAL from starting anew, and under load the writer would end up waiting for it. The price is that
 * an audit of a live box is about the commits `seqFrom` to `seqTo`, not about one.
 */
export function runAudit(path: string, { only = auditChecks, onCheck }: AuditOptions = {}): AuditReport {
  const db = openReader(path)
  try {
    addHash53(db)
    db.function('buyer_ids', { deterministic: true }, (dropId, customer) =>
      JSON.stringify(buyerUnitsIds(String(dropId), decodeCustomer(String(customer)))),
    )
    const wanted = auditChecks.filter((check) => only.includes(check))
    onCheck?.(null, 0, wanted.length)
    const before = db.transaction(() => summarise(db))()
    const violations = wanted.flatMap((check, index) => {
      onCheck?.(check, index, wanted.length)
      const rows = db.prepare<[], readonly unknown[]>(`${checks[check]} LIMIT ${rowsMax}`).raw().all()
      return rows.map((row) => {
        const [table = '', key = '', expected = '', found = ''] = row.map(String)
        return { check, table, key, expected, found }
      })
    })
    return { ...before, seqTo: readSeq(db), checks: wanted, violations }
  } finally {
    db.close()
  }
}

function summarise(db: Connection) {
  const names = db
    .prepare<[], string>(
      `SELECT name FROM sqlite_schema
       WHERE (type = 'table' AND name NOT LIKE 'sqlite_%') OR name = 'orders' ORDER BY name`,
    )
    .pluck()
    .all()
  const count = (table: string): number => Number(db.prepare(`SELECT count(*) FROM "${table}"`).pluck().get())
  return {
    seqFrom: readSeq(db),
    rows: Object.fromEntries(names.map((name) => [name, count(name)])),
    payments: db
      .prepare<[], PaymentSum>(
        'SELECT currency, status, count(*) AS count, sum(amount) AS amount FROM payment GROUP BY 1, 2 ORDER BY 1, 2',
      )
      .all(),
    balances: db
      .prepare<[], AccountBalance>('SELECT account, currency, balance FROM ledger_balance ORDER BY 1, 2')
      .all(),
  }
}

/** 0 when there is no such row, which a check reports. */
function readSeq(db: Connection): number {
  return Number(db.prepare('SELECT seq FROM writer_state').pluck().get() ?? 0)
}
