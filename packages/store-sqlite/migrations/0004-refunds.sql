-- Refunds, disputes, cancelled and fulfilled orders. What a capture writes stays as it was: everything here has a
-- default, or a row of its own that is made when it is needed.

-- refunded: pending and succeeded refunds. disputed: open and lost disputes. lost: those of them that are lost.
-- attached_hold_id: the hold an unmatched payment was given later; hold_id stays what the provider reported.
ALTER TABLE payment ADD COLUMN attached_hold_id TEXT;
ALTER TABLE payment ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0 CHECK (refunded >= 0);
ALTER TABLE payment ADD COLUMN disputed INTEGER NOT NULL DEFAULT 0
  CHECK (disputed >= 0 AND refunded + disputed <= amount);
ALTER TABLE payment ADD COLUMN lost INTEGER NOT NULL DEFAULT 0 CHECK (lost >= 0 AND lost <= disputed);

-- The column status stays 'paid': what is shown is derived from facts.
ALTER TABLE orders ADD COLUMN cancelled_ms INTEGER;
ALTER TABLE orders ADD COLUMN fulfilled_ms INTEGER;

-- The refund, dispute or attached hold that moved the money. Null: the payment itself, when it came.
ALTER TABLE ledger_entry ADD COLUMN cause_id TEXT;

-- lines: [[sku, quantity], ...] as JSON, never changed.
CREATE TABLE refund (
  id TEXT NOT NULL PRIMARY KEY,
  payment_id TEXT NOT NULL,
  order_id TEXT,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  lines TEXT NOT NULL,
  restock INTEGER NOT NULL CHECK (restock = 0 OR restock = 1),
  reason TEXT,
  created_ms INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status = 'pending' OR status = 'succeeded' OR status = 'failed'),
  settled_ms INTEGER,
  CHECK ((status = 'pending') = (settled_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX refund_payment ON refund (payment_id);

-- One row per SKU of an order, made by the first refund that names it.
CREATE TABLE order_line_refund (
  order_id TEXT NOT NULL,
  sku_id TEXT NOT NULL,
  paid_quantity INTEGER NOT NULL,
  refunded_quantity INTEGER NOT NULL CHECK (refunded_quantity >= 0),
  restocked_quantity INTEGER NOT NULL CHECK (restocked_quantity >= 0),
  PRIMARY KEY (order_id, sku_id),
  CHECK (restocked_quantity <= refunded_quantity AND refunded_quantity <= paid_quantity)
) STRICT, WITHOUT ROWID;

CREATE TABLE dispute (
  id TEXT NOT NULL PRIMARY KEY,
  payment_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  provider_dispute_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount > 0),
  currency TEXT NOT NULL,
  reason TEXT,
  created_ms INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status = 'open' OR status = 'won' OR status = 'lost'),
  closed_ms INTEGER,
  UNIQUE (provider, provider_dispute_id),
  CHECK ((status = 'open') = (closed_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX dispute_payment ON dispute (payment_id);
