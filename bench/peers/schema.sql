CREATE TABLE sku (
  id TEXT PRIMARY KEY, drop_id TEXT NOT NULL, name TEXT NOT NULL, unit_amount BIGINT NOT NULL, currency TEXT NOT NULL,
  stock BIGINT NOT NULL, held BIGINT NOT NULL CHECK (held >= 0), sold BIGINT NOT NULL CHECK (sold >= 0), CHECK (held + sold <= stock)
);
CREATE TABLE buyer (email TEXT PRIMARY KEY, units BIGINT NOT NULL);
CREATE TABLE hold (
  id TEXT PRIMARY KEY, sku_id TEXT NOT NULL, email TEXT NOT NULL, quantity BIGINT NOT NULL, status TEXT NOT NULL,
  amount BIGINT NOT NULL, currency TEXT NOT NULL, client_secret TEXT NOT NULL, expires_ms BIGINT NOT NULL
);
CREATE TABLE payment (
  id TEXT PRIMARY KEY, provider TEXT NOT NULL, provider_payment_id TEXT NOT NULL, hold_id TEXT NOT NULL, order_id TEXT,
  status TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL, created_ms BIGINT NOT NULL, UNIQUE (provider, provider_payment_id)
);
CREATE TABLE orders (
  id TEXT PRIMARY KEY, hold_id TEXT NOT NULL UNIQUE, payment_id TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE TABLE ledger_entry (
  payment_id TEXT NOT NULL, debit TEXT NOT NULL, credit TEXT NOT NULL, amount BIGINT NOT NULL, currency TEXT NOT NULL
);
CREATE TABLE request (id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, answer TEXT NOT NULL, created_ms BIGINT NOT NULL);
INSERT INTO sku VALUES ('sku_peer', 'drop_peer', 'One size', 4999, 'usd', 100000000, 0, 0);
