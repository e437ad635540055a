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

/**
 * Promises P2 to P5 as SQL. Each statement selects what breaks one of them, as one text a row, so an empty answer is a
 * sound database. Counters and balances are compared with the rows they sum up, both ways.
 */
const checks = {
  sku_bounds: `SELECT id || ': held ' || held || ', sold ' || sold || ', stock ' || stock FROM sku
    WHERE held < 0 OR sold < 0 OR held + sold > stock`,
  held_equals_active_holds: `SELECT sku.id || ': held ' || held || ', active holds have ' || coalesce(units, 0)
    FROM sku LEFT JOIN (${lineUnits('active')}) ON sku_id = sku.id WHERE held <> coalesce(units, 0)`,
  sold_equals_captured_holds: `SELECT sku.id || ': sold ' || sold || ', captured holds have ' || coalesce(units, 0)
    FROM sku LEFT JOIN (${lineUnits('captured')}) ON sku_id = sku.id WHERE sold <> coalesce(units, 0)`,
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
    counted AS (SELECT substr(id, 1, instr(id, ' ') - 1) AS drop_id, sum(units) AS units FROM buyer_units
      WHERE substr(id, instr(id, ' ') + 1, 6) = 'email:' GROUP BY 1)
    SELECT drops.id || ': buyers have ' || coalesce(counted.units, 0) || ', holds ' || coalesce(taken.units, 0)
    FROM drops LEFT JOIN taken ON taken.drop_id = drops.id LEFT JOIN counted ON counted.drop_id = drops.id
    WHERE max_per_customer IS NOT NULL AND coalesce(counted.units, 0) <> coalesce(taken.units, 0)`,
  captured_hold_has_one_order: `SELECT hold.id || ': ' || count(orders.id) || ' orders'
    FROM hold LEFT JOIN orders ON orders.hold_id = hold.id WHERE hold.status = 'captured'
    GROUP BY hold.id HAVING count(orders.id) <> 1`,
  order_has_captured_hold: `SELECT orders.id || ' of ' || orders.hold_id || ', ' || coalesce(hold.status, 'missing')
    FROM orders LEFT JOIN hold ON hold.id = orders.hold_id WHERE hold.status IS NOT 'captured'
    OR hold.drop_id <> orders.drop_id OR hold.amount <> orders.amount OR hold.currency <> orders.currency`,
  order_has_one_payment: `SELECT orders.id || ': ' || count(payment.id) || ' payments'
    FROM orders LEFT JOIN payment ON payment.order_id = orders.id AND payment.id = orders.payment_id
      AND payment.hold_id = orders.hold_id AND payment.amount = orders.amount AND payment.currency = orders.currency
    GROUP BY orders.id HAVING count(payment.id) <> 1`,
  captured_payment_has_one_order: `SELECT payment.id || ': ' || count(orders.id) || ' orders'
    FROM payment LEFT JOIN orders ON orders.id = payment.order_id AND orders.payment_id = payment.id
    WHERE payment.status = 'captured' OR payment.order_id IS NOT NULL
    GROUP BY payment.id HAVING count(orders.id) <> 1`,
  payment_fate: `SELECT id || ': ' || status || ', order ' || coalesce(order_id, 'none') || ', ' || coalesce(reason, 'no reason')
    FROM payment WHERE (status = 'captured') <> (order_id IS NOT NULL) OR (status = 'captured') <> (reason IS NULL)
    OR (status = 'unmatched') <> (reason IS 'unknown_hold')`,
  payment_once: `SELECT provider || '/' || provider_payment_id || ': ' || count(*) || ' rows'
    FROM payment GROUP BY provider, provider_payment_id HAVING count(*) > 1`,
  // Fees have entries of their own beside it.
  payment_has_one_entry: `SELECT payment.id || ': ' || count(entry.payment_id) || ' ledger entries'
    FROM payment LEFT JOIN ledger_entry AS entry ON entry.payment_id = payment.id AND entry.credit NOT LIKE 'fees:%'
    GROUP BY payment.id HAVING count(entry.payment_id) <> 1`,
  entries_sum_to_payment: `SELECT payment.id || ': amount ' || payment.amount || ', entries ' || sum(entry.amount)
    FROM payment JOIN ledger_entry AS entry ON entry.payment_id = payment.id
    GROUP BY payment.id HAVING payment.amount <> sum(entry.amount)`,
  fee_entries_fit_hold: `WITH posted AS (SELECT payment.hold_id, sum(entry.amount) AS amount FROM ledger_entry AS entry
      JOIN payment ON payment.id = entry.payment_id WHERE entry.credit LIKE 'fees:%' GROUP BY 1)
    SELECT hold.id || ': fees ' || coalesce(hold.fees, 'none') || ', posted ' || coalesce(posted.amount, 0)
    FROM hold LEFT JOIN posted ON posted.hold_id = hold.id WHERE coalesce(posted.amount, 0) <>
      iif(hold.status = 'captured', (SELECT coalesce(sum(fee.value ->> 2), 0) FROM json_each(coalesce(hold.fees, '[]')) AS fee), 0)`,
  entry_fits_payment: `SELECT entry.seq || ': ' || entry.debit || ' from ' || entry.credit || ' for ' || entry.payment_id
    FROM ledger_entry AS entry LEFT JOIN payment ON payment.id = entry.payment_id
    WHERE payment.id IS NULL OR entry.currency <> payment.currency OR entry.debit <> 'cash:' || payment.provider
    OR NOT (entry.credit = iif(payment.status = 'captured', 'sales', 'refunds_due')
      OR (payment.status = 'captured' AND entry.credit LIKE 'fees:%'))`,
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
