-- An order is a captured payment (docs/adr/0012): its row cost every commit as many pages as the payment's. Its id is that
-- of the payment with another prefix.

-- Orders of before have ids of their own.
CREATE TABLE order_alias (
  order_id TEXT NOT NULL PRIMARY KEY,
  payment_id TEXT NOT NULL UNIQUE
) STRICT, WITHOUT ROWID;
INSERT INTO order_alias (order_id, payment_id)
SELECT id, payment_id FROM orders WHERE substr(id, 5) <> substr(payment_id, 5) ORDER BY id;

-- What does not follow from the payment, written when it happens. created_ms: when the payment was attached.
CREATE TABLE order_change (
  payment_id TEXT NOT NULL PRIMARY KEY,
  created_ms INTEGER,
  cancelled_ms INTEGER,
  fulfilled_ms INTEGER
) STRICT, WITHOUT ROWID;
INSERT INTO order_change (payment_id, created_ms, cancelled_ms, fulfilled_ms)
SELECT payment.id, iif(attached_hold_id IS NULL, NULL, orders.created_ms), cancelled_ms, fulfilled_ms
FROM orders JOIN payment ON payment.id = payment_id
WHERE attached_hold_id IS NOT NULL OR cancelled_ms IS NOT NULL OR fulfilled_ms IS NOT NULL ORDER BY payment.id;
CREATE INDEX order_change_created ON order_change (created_ms) WHERE created_ms IS NOT NULL;
DROP TABLE orders;

-- Without order_id, which its CHECK keeps ALTER TABLE from taking away.
CREATE TABLE payment_new (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  provider_payment_id TEXT NOT NULL,
  hold_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status = 'captured' OR status = 'refund_due' OR status = 'unmatched'),
  reason TEXT,
  created_ms INTEGER NOT NULL,
  attached_hold_id TEXT,
  refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0),
  disputed INTEGER NOT NULL DEFAULT 0 CHECK (disputed >= 0 AND refunded + disputed <= amount),
  lost INTEGER NOT NULL DEFAULT 0 CHECK (lost >= 0 AND lost <= disputed),
  CHECK ((status = 'captured') = (reason IS NULL))
) STRICT;
INSERT INTO payment_new (seq, id, provider, provider_payment_id, hold_id, amount, currency, status, reason, created_ms,
  attached_hold_id, refunded, disputed, lost)
SELECT seq, id, provider, provider_payment_id, hold_id, amount, currency, status, reason, created_ms, attached_hold_id,
  refunded, disputed, lost FROM payment ORDER BY seq;
DROP TABLE payment;
ALTER TABLE payment_new RENAME TO payment;

-- For every reader. Looked for by payment_id, never by id, which is an expression: see rows.ts. Subqueries and not joins, as in
-- the view hold. CAST: an expression has no type of its own, and without one SQLite makes no index for a join of an audit.
CREATE VIEW orders AS
SELECT CAST(coalesce((SELECT order_id FROM order_alias WHERE order_alias.payment_id = payment.id), 'ord_' || substr(id, 5))
    AS TEXT) AS id,
  (SELECT drop_id FROM hold_start WHERE hold_start.id = coalesce(attached_hold_id, payment.hold_id)) AS drop_id,
  CAST(coalesce(attached_hold_id, hold_id) AS TEXT) AS hold_id, id AS payment_id, amount, currency,
  coalesce((SELECT created_ms FROM order_change WHERE order_change.payment_id = payment.id), created_ms) AS created_ms,
  (SELECT cancelled_ms FROM order_change WHERE order_change.payment_id = payment.id) AS cancelled_ms,
  (SELECT fulfilled_ms FROM order_change WHERE order_change.payment_id = payment.id) AS fulfilled_ms
FROM payment WHERE status = 'captured';
