import { openReader } from '@penstock/store-sqlite/open.ts'

/** What the database says after the sale. */
export interface SaleFacts {
  readonly holdsByStatus: Readonly<Record<string, number>>
  /** Units of the rows in `hold`, by id. */
  readonly holds: ReadonlyMap<string, { readonly status: string; readonly units: number }>
  readonly payments: ReadonlyMap<
    string,
    { readonly status: string; readonly order: string | null; readonly amount: number }
  >
  /** Payments without goods, by reason. */
  readonly refundsDue: Readonly<Record<string, number>>
  readonly unmatched: number
  readonly paidOrders: number
  /** Units of the holds that orders belong to. */
  readonly unitsInOrders: number
  /** Orders whose payment came after the deadline of their hold. */
  readonly paidLate: number
  readonly stock: number
  readonly held: number
  readonly sold: number
  /** Units sold or held above stock, over all SKUs. */
  readonly oversold: number
  /** Orders without one captured hold of the same amount, and the other way round. */
  readonly unpairedOrders: number
  /** Accounts whose balance is not the fold of its entries. */
  readonly unbalancedAccounts: number
  /** Payments whose entry is missing or has another amount, and entries without a payment. */
  readonly unledgeredPayments: number
  readonly commits: number
}

const holdUnits = "(SELECT sum(json_extract(line.value, '$[1]')) FROM json_each(hold.lines) AS line)"

const unpairedOrders = `
  SELECT count(*) FROM (
    SELECT id FROM (
      SELECT id, amount, 1 AS holds, 0 AS orders FROM hold WHERE status = 'captured'
      UNION ALL SELECT hold_id, amount, 0, 1 FROM orders
    ) GROUP BY id, amount HAVING sum(holds) <> 1 OR sum(orders) <> 1)`

const unbalancedAccounts = `
  WITH fold AS (
    SELECT account, currency, sum(amount) AS balance FROM (
      SELECT debit AS account, currency, amount FROM ledger_entry
      UNION ALL SELECT credit, currency, -amount FROM ledger_entry
    ) GROUP BY account, currency)
  SELECT count(*) FROM fold FULL JOIN ledger_balance USING (account, currency)
  WHERE fold.balance IS NOT ledger_balance.balance`

const unledgeredPayments = `
  SELECT count(*) FROM payment FULL JOIN (
    SELECT payment_id, sum(amount) AS amount, max(credit) AS credit FROM ledger_entry GROUP BY payment_id
  ) AS entry ON entry.payment_id = payment.id
  WHERE payment.amount IS NOT entry.amount
     OR entry.credit IS NOT iif(payment.status = 'captured', 'sales', 'refunds_due')`

export function readSaleFacts(databasePath: string): SaleFacts {
  const db = openReader(databasePath)
  try {
    const number = (sql: string): number => Number(db.prepare(sql).pluck().get() ?? 0)
    const rows = <Row>(sql: string): Row[] => db.prepare(sql).all() as Row[]
    const counts = (sql: string): Record<string, number> =>
      Object.fromEntries(rows<{ name: string; count: number }>(sql).map(({ name, count }) => [name, count]))

    return {
      holdsByStatus: counts('SELECT status AS name, count(*) AS count FROM hold GROUP BY status'),
      holds: new Map(
        rows<{ id: string; status: string; units: number }>(`SELECT id, status, ${holdUnits} AS units FROM hold`).map(
          (row) => [row.id, row],
        ),
      ),
      payments: new Map(
        rows<{ id: string; status: string; order: string | null; amount: number }>(
          `SELECT id, status, (SELECT orders.id FROM orders WHERE payment_id = payment.id) AS "order", amount FROM payment`,
        ).map((row) => [row.id, row]),
      ),
      refundsDue: counts(
        "SELECT reason AS name, count(*) AS count FROM payment WHERE status = 'refund_due' GROUP BY reason ORDER BY 2 DESC",
      ),
      unmatched: number("SELECT count(*) FROM payment WHERE status = 'unmatched'"),
      paidOrders: number('SELECT count(*) FROM orders'),
      unitsInOrders: number(`SELECT sum(${holdUnits}) FROM orders JOIN hold ON hold.id = orders.hold_id`),
      paidLate: number(
        'SELECT count(*) FROM orders JOIN hold ON hold.id = orders.hold_id WHERE orders.created_ms >= hold.expires_ms',
      ),
      stock: number('SELECT sum(stock) FROM sku'),
      held: number('SELECT sum(held) FROM sku'),
      sold: number('SELECT sum(sold) FROM sku'),
      oversold: number('SELECT sum(max(0, sold + held - stock)) FROM sku'),
      unpairedOrders: number(unpairedOrders),
      unbalancedAccounts: number(unbalancedAccounts),
      unledgeredPayments: number(unledgeredPayments),
      commits: number('SELECT seq FROM writer_state'),
    }
  } finally {
    db.close()
  }
}
