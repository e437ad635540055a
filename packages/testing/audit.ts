import { openReader } from '@penstock/store-sqlite/open.ts'

/** One thing that must never be, and the row where it is. */
export interface Violation {
  readonly check: AuditCheck
  readonly detail: string
}

/** Rows shown per check: enough to see the pattern. */
const rowsMax = 5

const lineUnits = (status: string): string => `
  SELECT line.value ->> 0 AS sku_id, sum(line.value ->> 1) AS units
  FROM hold, json_each(hold.lines) AS line WHERE hold.status = '${status}' GROUP BY 1`

/** Each payment with the sums of its refunds and disputes; `kept` is what did not leave for good. */
const gone = `SELECT *, amount - succeeded - lost AS kept FROM (
  SELECT payment.id, provider, status, payment.amount, coalesce(attached_hold_id, hold_id) AS paid_hold_id, refunded, disputed, payment.lost AS lost_column,
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
 * Promises P2 to P5 as SQL. Each statement selects what breaks one of them, as one text a row, so an empty answer is a
 * sound database. Counters and balances are compared with the rows they sum up, both ways.
 */
const checks = {
  sku_bounds: `SELECT id || ': held ' || held || ', sold ' || sold || ', stock ' || stock FROM sku
    WHERE held < 0 OR sold < 0 OR held + sold > stock`,
  held_equals_active_holds: `SELECT sku.id || ': held ' || held || ', active holds have ' || coalesce(units, 0)
    FROM sku LEFT JOIN (${lineUnits('active')}) ON sku_id = sku.id WHERE held <> coalesce(units, 0)`,
  sold_equals_captured_holds: `WITH back AS (
      SELECT sku_id, sum(restocked_quantity) AS units FROM order_line_refund GROUP BY 1)
    SELECT sku.id || ': sold ' || sold || ', captured holds have ' || coalesce(taken.units, 0)
      || ', restocked ' || coalesce(back.units, 0)
    FROM sku LEFT JOIN (${lineUnits('captured')}) AS taken ON taken.sku_id = sku.id
      LEFT JOIN back ON back.sku_id = sku.id
    WHERE sold <> coalesce(taken.units, 0) - coalesce(back.units, 0)`,
  hold_lines_known: `SELECT hold.id || ': line of ' || (line.value ->> 0)
    FROM hold, json_each(hold.lines) AS line LEFT JOIN sku ON sku.id = line.value ->> 0
    WHERE sku.drop_id IS NOT hold.drop_id OR line.value ->> 1 < 1`,
  hold_amount: `WITH summed AS (SELECT id, amount,
      (SELECT sum((line.value ->> 1) * (line.value ->> 2)) FROM json_each(hold.lines) AS line) AS goods,
      (SELECT coalesce(sum(fee.value ->> 2), 0) FROM json_each(coalesce(hold.fees, '[]')) AS fee) AS fees FROM hold)
    SELECT id || ': amount ' || amount || ', lines have ' || goods || ', fees ' || fees
    FROM summed WHERE amount <> goods + fees`,
  // One e-mail key a hold, so the units of a drop's e-mail keys are the units of its holds.
  buyer_units: `WITH taken AS (
      SELECT drop_id, sum(line.value ->> 1) AS units FROM hold, json_each(hold.lines) AS line
      WHERE status IN ('active', 'captured') GROUP BY 1),
    back AS (SELECT drop_id, sum(restocked_quantity) AS units
      FROM order_line_refund JOIN orders ON orders.id = order_id GROUP BY 1),
    counted AS (SELECT substr(id, 1, instr(id, ' ') - 1) AS drop_id, sum(units) AS units FROM buyer_units
      WHERE substr(id, instr(id, ' ') + 1, 6) = 'email:' GROUP BY 1)
    SELECT drops.id || ': buyers have ' || coalesce(counted.units, 0) || ', holds ' || coalesce(taken.units, 0)
      || ', restocked ' || coalesce(back.units, 0)
    FROM drops LEFT JOIN taken ON taken.drop_id = drops.id LEFT JOIN counted ON counted.drop_id = drops.id
      LEFT JOIN back ON back.drop_id = drops.id
    WHERE max_per_customer IS NOT NULL
      AND coalesce(counted.units, 0) <> coalesce(taken.units, 0) - coalesce(back.units, 0)`,
  captured_hold_has_one_order: `SELECT hold.id || ': ' || count(orders.id) || ' orders'
    FROM hold LEFT JOIN orders ON orders.hold_id = hold.id WHERE hold.status = 'captured'
    GROUP BY hold.id HAVING count(orders.id) <> 1`,
  order_has_captured_hold: `SELECT orders.id || ' of ' || orders.hold_id || ', ' || coalesce(hold.status, 'missing')
    FROM orders LEFT JOIN hold ON hold.id = orders.hold_id WHERE hold.status IS NOT 'captured'
    OR hold.drop_id <> orders.drop_id OR hold.amount <> orders.amount OR hold.currency <> orders.currency`,
  order_has_one_payment: `SELECT orders.id || ': ' || count(payment.id) || ' payments'
    FROM orders LEFT JOIN payment ON payment.order_id = orders.id AND payment.id = orders.payment_id
      AND coalesce(payment.attached_hold_id, payment.hold_id) = orders.hold_id AND payment.amount = orders.amount AND payment.currency = orders.currency
    GROUP BY orders.id HAVING count(payment.id) <> 1`,
  captured_payment_has_one_order: `SELECT payment.id || ': ' || count(orders.id) || ' orders'
    FROM payment LEFT JOIN orders ON orders.id = payment.order_id AND orders.payment_id = payment.id
    WHERE payment.status = 'captured' OR payment.order_id IS NOT NULL
    GROUP BY payment.id HAVING count(orders.id) <> 1`,
  payment_fate: `SELECT id || ': ' || status || ', order ' || coalesce(order_id, 'none') || ', ' || coalesce(reason, 'no reason')
    FROM payment WHERE (status = 'captured') <> (order_id IS NOT NULL) OR (status = 'captured') <> (reason IS NULL)
    OR (status = 'unmatched') <> (reason IS 'unknown_hold') OR (attached_hold_id IS NOT NULL AND status <> 'captured')`,
  payment_once: `SELECT provider || '/' || provider_payment_id || ': ' || count(*) || ' rows'
    FROM payment GROUP BY provider, provider_payment_id HAVING count(*) > 1`,
  // Fees have entries of their own beside it.
  payment_has_one_entry: `SELECT payment.id || ': ' || count(entry.payment_id) || ' ledger entries'
    FROM payment LEFT JOIN ledger_entry AS entry ON entry.payment_id = payment.id
      AND entry.cause_id IS NULL AND entry.credit NOT LIKE 'fees:%'
    GROUP BY payment.id HAVING count(entry.payment_id) <> 1`,
  entries_sum_to_payment: `SELECT payment.id || ': amount ' || payment.amount || ', entries ' || sum(entry.amount)
    FROM payment JOIN ledger_entry AS entry ON entry.payment_id = payment.id AND entry.cause_id IS NULL
    GROUP BY payment.id HAVING payment.amount <> sum(entry.amount)`,
  entry_fits_payment: `SELECT entry.seq || ': ' || entry.debit || ' from ' || entry.credit || ' for ' || entry.payment_id
    FROM ledger_entry AS entry LEFT JOIN payment ON payment.id = entry.payment_id
    WHERE payment.id IS NULL OR entry.currency <> payment.currency OR (entry.cause_id IS NULL
      AND (entry.debit <> 'cash:' || payment.provider
        OR NOT (entry.credit = iif(payment.status = 'captured' AND attached_hold_id IS NULL, 'sales', 'refunds_due')
          OR (payment.status = 'captured' AND attached_hold_id IS NULL AND entry.credit LIKE 'fees:%'))))`,
  entry_has_cause: `SELECT entry.seq || ': ' || entry.cause_id || ' for ' || entry.payment_id
    FROM ledger_entry AS entry LEFT JOIN payment ON payment.id = entry.payment_id
      LEFT JOIN refund ON refund.id = entry.cause_id LEFT JOIN dispute ON dispute.id = entry.cause_id
    WHERE entry.cause_id IS NOT NULL AND (entry.amount = 0
      OR entry.payment_id IS NOT coalesce(refund.payment_id, dispute.payment_id,
        iif(payment.attached_hold_id = entry.cause_id, payment.id, NULL)))`,
  // Where the money of each payment is, told by its entries and by what became of its refunds and disputes.
  // Goods are given back before fees, and fees kind by kind.
  payment_accounts: `WITH gone AS (${gone}),
    fees AS (SELECT gone.id, 'fees:' || (fee.value ->> 1) AS account, min(fee.key) AS place, sum(fee.value ->> 2) AS earned
      FROM gone JOIN hold ON hold.id = paid_hold_id, json_each(coalesce(hold.fees, '[]')) AS fee
      WHERE gone.status = 'captured' GROUP BY 1, 2),
    shares AS (SELECT id, account, place, earned FROM fees UNION ALL
      SELECT gone.id, 'sales', -1, gone.amount - coalesce((SELECT sum(earned) FROM fees WHERE fees.id = gone.id), 0)
      FROM gone WHERE status = 'captured'),
    earnings AS (SELECT id, account, earned, sum(earned) OVER (PARTITION BY id ORDER BY place) - earned AS before FROM shares),
    expected AS (
      SELECT id, 'cash:' || provider AS account, kept - open AS balance FROM gone
      UNION ALL SELECT id, 'disputes', open FROM gone
      UNION ALL SELECT id, account, max(0, min(earned, pending + succeeded + lost - before)) - earned
        FROM earnings JOIN gone USING (id)
      UNION ALL SELECT id, 'refunds_due', iif(status = 'captured', -pending, -kept) FROM gone),
    folded AS (SELECT id, account, sum(amount) AS balance FROM (
      SELECT payment_id AS id, debit AS account, amount FROM ledger_entry
      UNION ALL SELECT payment_id, credit, -amount FROM ledger_entry) GROUP BY 1, 2)
    SELECT id || ' ' || account || ': entries ' || coalesce(folded.balance, 0) || ', expected ' || coalesce(expected.balance, 0)
    FROM folded FULL JOIN expected USING (id, account)
    WHERE coalesce(folded.balance, 0) <> coalesce(expected.balance, 0)`,
  payment_given_back: `WITH gone AS (${gone})
    SELECT id || ': refunded ' || refunded || ', disputed ' || disputed || ', lost ' || lost_column || ' of ' || amount
    FROM gone WHERE refunded <> pending + succeeded OR disputed <> open + lost OR lost_column <> lost
    OR refunded + disputed > amount`,
  // A refund that failed leaves an unmatched payment free to be attached, so it may be older than the order.
  refund_fits_payment: `SELECT refund.id || ': of ' || refund.payment_id || ', order ' || coalesce(refund.order_id, 'none')
    FROM refund LEFT JOIN payment ON payment.id = refund.payment_id
    WHERE payment.id IS NULL OR refund.currency <> payment.currency
    OR (refund.order_id IS NOT payment.order_id
      AND (refund.order_id IS NOT NULL OR refund.status <> 'failed' OR attached_hold_id IS NULL))
    OR (refund.order_id IS NULL AND (refund.lines <> '[]' OR refund.restock = 1))
    OR (refund.status = 'pending') <> (refund.settled_ms IS NULL)`,
  dispute_fits_payment: `SELECT dispute.id || ': of ' || dispute.payment_id
    FROM dispute LEFT JOIN payment ON payment.id = dispute.payment_id
    WHERE payment.id IS NULL OR dispute.currency <> payment.currency OR dispute.provider <> payment.provider
    OR (dispute.status = 'open') <> (dispute.closed_ms IS NULL)`,
  line_refunds_equal_refunds: `WITH units AS (
      SELECT refund.order_id, line.value ->> 0 AS sku_id, sum(line.value ->> 1) AS refunded,
        sum(iif(refund.status = 'succeeded' AND restock = 1, line.value ->> 1, 0)) AS restocked
      FROM refund, json_each(refund.lines) AS line WHERE refund.status <> 'failed' GROUP BY 1, 2),
    paid AS (SELECT orders.id AS order_id, line.value ->> 0 AS sku_id, sum(line.value ->> 1) AS quantity
      FROM orders JOIN order_line_refund ON order_id = orders.id JOIN hold ON hold.id = orders.hold_id,
        json_each(hold.lines) AS line
      WHERE line.value ->> 0 = order_line_refund.sku_id GROUP BY 1, 2)
    SELECT order_id || ' ' || sku_id || ': paid ' || coalesce(paid_quantity, 0) || ', refunded '
      || coalesce(refunded_quantity, 0) || ', restocked ' || coalesce(restocked_quantity, 0)
    FROM order_line_refund FULL JOIN units USING (order_id, sku_id) LEFT JOIN paid USING (order_id, sku_id)
    WHERE paid_quantity IS NOT paid.quantity OR refunded_quantity IS NOT coalesce(refunded, 0)
    OR restocked_quantity IS NOT coalesce(restocked, 0)
    OR restocked_quantity > refunded_quantity OR refunded_quantity > paid_quantity`,
  code_use_fits_order: `SELECT code_use.order_id || ': unit ' || unit FROM code_use
    LEFT JOIN orders ON orders.id = code_use.order_id LEFT JOIN hold ON hold.id = orders.hold_id
    WHERE hold.id IS NULL OR unit >= (SELECT sum(line.value ->> 1) FROM json_each(hold.lines) AS line)`,
  balance_equals_entries: `WITH moved AS (
      SELECT debit AS account, currency, amount FROM ledger_entry
      UNION ALL SELECT credit, currency, -amount FROM ledger_entry),
    folded AS (SELECT account, currency, sum(amount) AS balance FROM moved GROUP BY 1, 2)
    SELECT coalesce(kept.account, folded.account) || ' ' || coalesce(kept.currency, folded.currency)
      || ': balance ' || coalesce(kept.balance, 'missing') || ', entries ' || coalesce(folded.balance, 0)
    FROM ledger_balance AS kept FULL JOIN folded USING (account, currency)
    WHERE kept.balance IS NOT coalesce(folded.balance, 0)`,
  request_once: `SELECT id || ': ' || count(*) || ' rows' FROM request GROUP BY id HAVING count(*) > 1`,
  // Requests are forgotten in the order they came.
  request_order: `SELECT id || ': ' || created_ms || ' after ' || before_ms FROM (
      SELECT id, created_ms, lag(created_ms) OVER (ORDER BY seq) AS before_ms FROM request) WHERE created_ms < before_ms`,
  // The writer reads only the rows behind indexed_seq again: a key before it that is not in the index is lost.
  request_is_indexed: `SELECT id || ': row ' || seq || ' is in no index' FROM request
    WHERE seq <= (SELECT indexed_seq FROM index_progress WHERE name = 'request')
    AND seq NOT IN (SELECT seq FROM request_index)`,
  payment_is_indexed: `SELECT id || ': row ' || seq || ' is in no index' FROM payment
    WHERE seq <= (SELECT indexed_seq FROM index_progress WHERE name = 'payment')
    AND seq NOT IN (SELECT seq FROM payment_index)`,
  request_answer_exists: `SELECT request.id || ': ' || answer_kind || ' ' || substr(answer, 1, 60) FROM request
    LEFT JOIN hold ON answer_kind = 'hold' AND hold.id = answer
    LEFT JOIN payment ON answer_kind = 'payment' AND provider = substr(answer, 1, instr(answer, '/') - 1)
      AND provider_payment_id = substr(answer, instr(answer, '/') + 1)
    WHERE (answer_kind = 'hold' AND hold.id IS NULL) OR (answer_kind = 'payment' AND payment.id IS NULL)
    OR (answer_kind = 'result' AND NOT json_valid(answer))`,
  file_is_sound: `SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok'`,
} as const

export type AuditCheck = keyof typeof checks

export const auditChecks = Object.keys(checks) as readonly AuditCheck[]

/**
 * Everything that is wrong in a Penstock database, at most `rowsMax` rows a check; empty when it is sound. Reads one
 * snapshot, so it may run beside a writer.
 */
export function auditDatabase(path: string): readonly Violation[] {
  const db = openReader(path)
  try {
    const audit = db.transaction(() =>
      auditChecks.flatMap((check) => {
        const rows = db.prepare(`${checks[check]} LIMIT ${rowsMax}`).pluck().all()
        return rows.map((detail) => ({ check, detail: String(detail) }))
      }),
    )
    return audit()
  } finally {
    db.close()
  }
}
