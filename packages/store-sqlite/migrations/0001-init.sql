-- Times are Unix milliseconds, amounts are minor units. Ids are TypeIDs, which sort by the time they were made, so
-- that tables clustered on them grow at their end. Nullable columns are nullable in the domain.
-- Checks say OR where IN would read better: SQLite builds a temporary table for an IN of three or more values, each
-- time the statement runs, and that was a fifth of the writer's time (docs/performance-log.md).

-- One row. seq counts commits, now_ms is the clock of the last one, epoch counts writers: every batch checks it.
CREATE TABLE writer_state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  epoch INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  now_ms INTEGER NOT NULL
) STRICT;
INSERT INTO writer_state (id, epoch, seq, now_ms) VALUES (1, 0, 0, 0);

-- Only hashes of keys are stored: SHA-256, hexadecimal. Keys have at least 24 characters of their own, so a plain
-- hash is enough.
CREATE TABLE api_key (
  secret_hash TEXT NOT NULL PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind = 'secret' OR kind = 'publishable'),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE drops (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT,
  image TEXT,
  currency TEXT NOT NULL,
  starts_ms INTEGER NOT NULL,
  ends_ms INTEGER,
  hold_ttl_ms INTEGER NOT NULL CHECK (hold_ttl_ms > 0),
  max_per_customer INTEGER CHECK (max_per_customer > 0),
  late_payment TEXT NOT NULL CHECK (late_payment = 'reacquire' OR late_payment = 'refund'),
  metadata TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase = 'draft' OR phase = 'published' OR phase = 'paused' OR phase = 'ended'),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sku (
  id TEXT NOT NULL PRIMARY KEY,
  drop_id TEXT NOT NULL REFERENCES drops (id),
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  unit_amount INTEGER NOT NULL CHECK (unit_amount >= 0),
  stock INTEGER NOT NULL,
  held INTEGER NOT NULL CHECK (held >= 0),
  sold INTEGER NOT NULL CHECK (sold >= 0),
  CHECK (held + sold <= stock),
  UNIQUE (drop_id, position)
) STRICT, WITHOUT ROWID;

-- lines: [[sku, quantity, unit_amount], ...]; customer: the customer object; both as JSON, both never changed.
CREATE TABLE hold (
  id TEXT NOT NULL PRIMARY KEY,
  drop_id TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status = 'active' OR status = 'captured' OR status = 'released' OR status = 'expired'),
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  lines TEXT NOT NULL,
  customer TEXT NOT NULL,
  client_secret TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_due ON hold (expires_ms) WHERE status = 'active';

CREATE TABLE buyer_units (
  id TEXT NOT NULL PRIMARY KEY,
  units INTEGER NOT NULL CHECK (units >= 0)
) STRICT, WITHOUT ROWID;

-- Found by (provider, provider_payment_id) through payment_index.
CREATE TABLE payment (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  provider TEXT NOT NULL,
  provider_payment_id TEXT NOT NULL,
  hold_id TEXT NOT NULL,
  order_id TEXT,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status = 'captured' OR status = 'refund_due' OR status = 'unmatched'),
  reason TEXT,
  created_ms INTEGER NOT NULL,
  CHECK ((status = 'captured') = (order_id IS NOT NULL)),
  CHECK ((status = 'captured') = (reason IS NULL))
) STRICT;

-- Lines and customer of an order are those of its hold.
CREATE TABLE orders (
  id TEXT NOT NULL PRIMARY KEY,
  drop_id TEXT NOT NULL,
  hold_id TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status = 'paid'),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Double entry: amount leaves credit and enters debit. Never updated, never deleted.
CREATE TABLE ledger_entry (
  seq INTEGER PRIMARY KEY,
  payment_id TEXT NOT NULL,
  debit TEXT NOT NULL,
  credit TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER ledger_entry_no_update BEFORE UPDATE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger entries are never updated'); END;
CREATE TRIGGER ledger_entry_no_delete BEFORE DELETE ON ledger_entry
BEGIN SELECT RAISE(ABORT, 'ledger entries are never deleted'); END;

-- One row per account and currency: debits minus credits of ledger_entry, maintained in the same commit.
CREATE TABLE ledger_balance (
  account TEXT NOT NULL,
  currency TEXT NOT NULL,
  balance INTEGER NOT NULL,
  PRIMARY KEY (account, currency)
) STRICT, WITHOUT ROWID;

-- Remembered requests (Idempotency-Key), found by id through request_index. answer_kind and answer: StoredAnswer of
-- the domain.
CREATE TABLE request (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  answer_kind TEXT NOT NULL CHECK (answer_kind = 'hold' OR answer_kind = 'payment' OR answer_kind = 'result'),
  answer TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;

-- Deferred indexes (deferred-index.ts): hash of a key to the seq of its row. Rows behind indexed_seq may be missing:
-- the writer has those in memory.
CREATE TABLE payment_index (hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (hash, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE request_index (hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (hash, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE index_progress (name TEXT NOT NULL PRIMARY KEY, indexed_seq INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO index_progress (name, indexed_seq) VALUES ('payment', 0), ('request', 0);
