-- A drop can be cancelled, and have fees: [[name, kind, amount, basis_points], ...], one of the last two null; NULL is none.
-- SQLite cannot widen a CHECK, so the table is built again (sqlite.org/lang_altertable.html section 7). sku goes on
-- referring to it by name; foreign keys are off.
CREATE TABLE drops_new (
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
  fees TEXT,
  metadata TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (
    phase = 'draft' OR phase = 'published' OR phase = 'paused' OR phase = 'ended' OR phase = 'cancelled'),
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO drops_new (id, name, description, image, currency, starts_ms, ends_ms, hold_ttl_ms, max_per_customer,
  late_payment, metadata, phase, created_ms)
SELECT id, name, description, image, currency, starts_ms, ends_ms, hold_ttl_ms, max_per_customer, late_payment, metadata,
  phase, created_ms FROM drops;
DROP TABLE drops;
ALTER TABLE drops_new RENAME TO drops;

-- [[name, kind, amount], ...], part of the amount. Null: no fees.
ALTER TABLE hold_start ADD COLUMN fees TEXT;
DROP VIEW hold;
CREATE VIEW hold AS
SELECT id, drop_id, coalesce((SELECT status FROM hold_end WHERE hold_id = id), 'active') AS status, amount, currency, lines,
  fees, customer, client_secret, created_ms, expires_ms
FROM hold_start;

-- Units of one order. Null: no limit.
ALTER TABLE sku ADD COLUMN max_per_order INTEGER CHECK (max_per_order > 0);

-- Codes are derived from their order (docs/adr/0006); only their use is a row. unit counts over all lines, from 0.
CREATE TABLE code_use (
  order_id TEXT NOT NULL,
  unit INTEGER NOT NULL CHECK (unit >= 0),
  used_ms INTEGER NOT NULL,
  PRIMARY KEY (order_id, unit)
) STRICT, WITHOUT ROWID;

-- Answers remembered by an earlier release get what is new: no fees, no limit.
UPDATE request SET answer = json_set(answer, '$.drop.fees', json('[]'), '$.skus',
  json((SELECT json_group_array(json_set(sku.value, '$.maxPerOrder', NULL)) FROM json_each(answer, '$.skus') AS sku)))
WHERE answer_kind = 'result' AND answer ->> '$.outcome' = 'drop_saved';
-- Those about a released hold keep its id and status: the customer is in the hold alone, where it can be erased.
UPDATE request SET answer = json_object('outcome', 'hold_released', 'holdId', answer ->> '$.hold.id', 'status',
  answer ->> '$.hold.status')
WHERE answer_kind = 'result' AND answer ->> '$.outcome' = 'hold_released';

-- The counters of buyers are found by a digest of what was their id: e-mail addresses are in holds alone.
UPDATE buyer_units SET id = buyer_units_id(id);
