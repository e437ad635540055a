-- What a provider says of a refund or dispute that cannot be applied yet: its payment is unknown, or has no room for it.
-- One row for each such object; payments that come without any, which is all but very few, have none. fact: JSON.
CREATE TABLE waiting_fact (
  provider TEXT NOT NULL,
  provider_object_id TEXT NOT NULL,
  fact TEXT NOT NULL,
  object_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  waiting INTEGER NOT NULL CHECK (waiting = 0 OR waiting = 1),
  PRIMARY KEY (provider, provider_object_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX waiting_fact_waiting ON waiting_fact (created_ms) WHERE waiting = 1;

-- Payments that were opened at a provider, to ask about those that never reported. Whether one was paid is not written
-- here: a capture writes what it always did.
CREATE TABLE checkout (
  hold_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  provider_payment_id TEXT NOT NULL,
  amount INTEGER NOT NULL CHECK (amount >= 0),
  currency TEXT NOT NULL,
  url TEXT,
  client_secret TEXT,
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state = 'open' OR state = 'closed'),
  PRIMARY KEY (hold_id, provider)
) STRICT, WITHOUT ROWID;
CREATE INDEX checkout_open ON checkout (created_ms) WHERE state = 'open';
