/** Row counts of a peer's database, in the order of RowCounts; both SQLite and PostgreSQL understand it. */
export const peerCountSql = `
  SELECT (SELECT count(*) FROM hold) AS "holds", (SELECT count(*) FROM payment) AS "payments",
    (SELECT count(*) FROM orders) AS "orders", (SELECT count(*) FROM ledger_entry) AS "ledgerEntries",
    (SELECT count(*) FROM request) AS "keys", (SELECT held FROM sku) AS "unitsHeld", (SELECT sold FROM sku) AS "unitsSold"`
