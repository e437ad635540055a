import { buyerKeys, buyerUnitsId } from '@penstock/domain/customer.ts'
import { hash53 } from './hash53.ts'
import { paymentKeySql, requestKeySql } from './load.ts'
import { openReader } from './open.ts'
import { decodeCustomer } from './rows.ts'
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

/** Rows of the index that lead nowhere, or to a row with another key. */
const indexStrays = (table: string, key: string): string => `
  SELECT '${table}_index', x.hash || '/' || x.seq, iif(${table}.seq IS NULL, 'a row ' || x.seq, 'hash ' || hash53(${key})),
    iif(${table}.seq IS NULL, 'no such row', 'hash ' || x.hash)
  FROM ${table}_index AS x LEFT JOIN ${table} ON ${table}.seq = x.seq
  WHERE ${table}.seq IS NULL OR x.hash <> hash53(${key})`

/**
 * Promises P2 to P5 as SQL: one name, one statement. Each selects the rows that break a truth as (table, key, expected,
 * found), so an empty answer is a sound database. Counters and balances are compared with the rows they sum up, both
 * ways. `hash53` and `buyer_ids` are functions of this program.
 */
const checks = {
  writer_state: `SELECT 'writer_state', 'id 1', 'one row, seq 0 or more', count(*) || ' rows, seq ' || coalesce(min(seq), 'none') FROM writer_state
    HAVING count(*) <> 1 OR min(id) <> 1 OR min(seq) < 0 OR min(epoch) < 0`,
  sku_bounds: `SELECT 'sku', id, '0 <= held + sold <= ' || stock, 'held ' || held || ', sold ' || sold FROM sku
    WHERE held < 0 OR sold < 0 OR held + sold > stock`,
  sku_has_drop: `SELECT 'sku', sku.id, 'a drop ' || drop_id, 'no such drop'
    FROM sku LEFT JOIN drops ON drops.id = sku.drop_id WHERE drops.id IS NULL`,
  held_equals_active_holds: `SELECT 'sku', sku.id, 'held ' || coalesce(units, 0) || ', as its active holds', 'held ' || held
    FROM sku LEFT JOIN (${lineUnits('active')}) ON sku_id = sku.id WHERE held <> coalesce(units, 0)`,
  sold_equals_captured_holds: `SELECT 'sku', sku.id, 'sold ' || coalesce(units, 0) || ', as its captured holds', 'sold ' || sold
    FROM sku LEFT JOIN (${lineUnits('captured')}) ON sku_id = sku.id WHERE sold <> coalesce(units, 0)`,
  hold_has_drop: `SELECT 'hold', hold.id, 'a drop ' || drop_id || ' in ' || hold.currency,
      coalesce('it is in ' || drops.currency, 'no such drop')
    FROM hold LEFT JOIN drops ON drops.id = hold.drop_id WHERE drops.currency IS NOT hold.currency`,
  hold_lines_known: `SELECT 'hold', hold.id, 'lines of 1 or more SKUs of ' || hold.drop_id,
      (line.value ->> 1) || ' of ' || (line.value ->> 0)
    FROM hold, json_each(hold.lines) AS line LEFT JOIN sku ON sku.id = line.value ->> 0
    WHERE sku.drop_id IS NOT hold.drop_id OR line.value ->> 1 < 1`,
  hold_amount: `SELECT 'hold', hold.id, 'amount ' || sum((line.value ->> 1) * (line.value ->> 2)) || ', as its lines',
      'amount ' || amount
    FROM hold, json_each(hold.lines) AS line GROUP BY hold.id
    HAVING amount <> sum((line.value ->> 1) * (line.value ->> 2))`,
  // Where nobody has a limit nothing is counted; a limit is given to a draft only, so every hold of its drop counts.
  buyer_units: `WITH limited AS (SELECT id FROM drops WHERE max_per_customer IS NOT NULL),
    taken AS (SELECT buyer.value AS id, sum(line.value ->> 1) AS units
      FROM hold JOIN limited ON limited.id = drop_id, json_each(hold.lines) AS line, json_each(buyer_ids(drop_id, customer)) AS buyer
      WHERE status = 'active' OR status = 'captured' GROUP BY 1),
    counted AS (SELECT buyer_units.id, units FROM buyer_units
      JOIN limited ON limited.id = substr(buyer_units.id, 1, instr(buyer_units.id, ' ') - 1))
    SELECT 'buyer_units', id, 'units ' || coalesce(taken.units, 0) || ', as the holds', 'units ' || coalesce(counted.units, 'missing')
    FROM taken FULL JOIN counted USING (id) WHERE coalesce(taken.units, 0) <> coalesce(counted.units, 0)`,
  captured_hold_has_one_order: `SELECT 'hold', hold.id, 'one order', count(orders.id) || ' orders'
    FROM hold LEFT JOIN orders ON orders.hold_id = hold.id WHERE hold.status = 'captured'
    GROUP BY hold.id HAVING count(orders.id) <> 1`,
  order_has_captured_hold: `SELECT 'orders', orders.id,
      orders.hold_id || ': captured, ' || orders.drop_id || ', ' || orders.amount || ' ' || orders.currency,
      coalesce(hold.status || ', ' || hold.drop_id || ', ' || hold.amount || ' ' || hold.currency, 'no such hold')
    FROM orders LEFT JOIN hold ON hold.id = orders.hold_id WHERE hold.status IS NOT 'captured'
    OR hold.drop_id <> orders.drop_id OR hold.amount <> orders.amount OR hold.currency <> orders.currency`,
  order_has_one_payment: `SELECT 'orders', orders.id,
      orders.payment_id || ': ' || orders.hold_id || ', ' || orders.amount || ' ' || orders.currency, count(payment.id) || ' such payments'
    FROM orders LEFT JOIN payment ON payment.order_id = orders.id AND payment.id = orders.payment_id
      AND payment.hold_id = orders.hold_id AND payment.amount = orders.amount AND payment.currency = orders.currency
    GROUP BY orders.id HAVING count(payment.id) <> 1`,
  captured_payment_has_one_order: `SELECT 'payment', payment.id, 'one order ' || coalesce(payment.order_id, ''), count(orders.id) || ' orders'
    FROM payment LEFT JOIN orders ON orders.id = payment.order_id AND orders.payment_id = payment.id
    WHERE payment.status = 'captured' OR payment.order_id IS NOT NULL
    GROUP BY payment.id HAVING count(orders.id) <> 1`,
  payment_fate: `SELECT 'payment', id, 'captured with an order, or a reason without one',
      status || ', order ' || coalesce(order_id, 'none') || ', reason ' || coalesce(reason, 'none')
    FROM payment WHERE (status = 'captured') <> (order_id IS NOT NULL) OR (status = 'captured') <> (reason IS NULL)
    OR (status = 'unmatched') <> (reason IS 'unknown_hold')`,
  payment_once: `SELECT 'payment', provider || '/' || provider_payment_id, 'one row', count(*) || ' rows'
    FROM payment GROUP BY provider, provider_payment_id HAVING count(*) > 1`,
  payment_has_one_entry: `SELECT 'payment', payment.id, 'one ledger entry', count(entry.payment_id) || ' ledger entries'
    FROM payment LEFT JOIN ledger_entry AS entry ON entry.payment_id = payment.id
    GROUP BY payment.id HAVING count(entry.payment_id) <> 1`,
  entry_fits_payment: `SELECT 'ledger_entry', entry.seq,
      coalesce(payment.amount || ' ' || payment.currency || ' from ' || iif(payment.status = 'captured', 'sales', 'refunds_due')
        || ' to cash:' || payment.provider, 'a payment ' || entry.payment_id),
      entry.amount || ' ' || entry.currency || ' from ' || entry.credit || ' to ' || entry.debit
    FROM ledger_entry AS entry LEFT JOIN payment ON payment.id = entry.payment_id
    WHERE payment.id IS NULL OR entry.amount <> payment.amount OR entry.currency <> payment.currency
    OR entry.debit <> 'cash:' || payment.provider
    OR entry.credit <> iif(payment.status = 'captured', 'sales', 'refunds_due')`,
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
  request_answer_exists: `SELECT 'request', request.id, 'an answer: ' || answer_kind, substr(answer, 1, 60) FROM request
    LEFT JOIN hold ON answer_kind = 'hold' AND hold.id = answer
    LEFT JOIN payment ON answer_kind = 'payment' AND provider = substr(answer, 1, instr(answer, '/') - 1)
      AND provider_payment_id = substr(answer, instr(answer, '/') + 1)
    WHERE (answer_kind = 'hold' AND hold.id IS NULL) OR (answer_kind = 'payment' AND payment.id IS NULL)
    OR (answer_kind = 'result' AND NOT json_valid(answer))`,
  index_progress: `WITH wanted (name, last) AS (
      VALUES ('payment', (SELECT max(seq) FROM payment)), ('request', (SELECT max(seq) FROM request)))
    SELECT 'index_progress', wanted.name, 'from 0 to ' || coalesce(last, 0), coalesce(indexed_seq, 'no row')
    FROM wanted LEFT JOIN index_progress USING (name) WHERE NOT coalesce(indexed_seq BETWEEN 0 AND coalesce(last, 0), false)`,
  payment_index_complete: indexGaps('payment', paymentKeySql),
  payment_index_sound: indexStrays('payment', paymentKeySql),
  request_index_complete: indexGaps('request', requestKeySql),
  request_index_sound: indexStrays('request', requestKeySql),
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
    db.function('hash53', { deterministic: true }, (key) => BigInt(hash53(String(key))))
    db.function('buyer_ids', { deterministic: true }, (dropId, customer) =>
      JSON.stringify(buyerIds(String(dropId), String(customer))),
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

/** The counters that the units of a hold count in. */
function buyerIds(dropId: string, customer: string): string[] {
  return buyerKeys(decodeCustomer(customer)).map((key) => buyerUnitsId(dropId, key))
}

function summarise(db: Connection) {
  const names = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
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
