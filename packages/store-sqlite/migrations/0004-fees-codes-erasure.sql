-- [[name, kind, amount, basis_points], ...]: one of amount and basis_points is null. Null: no fees.
ALTER TABLE drops ADD COLUMN fees TEXT;

-- [[name, kind, amount], ...], part of the amount. Null: no fees.
ALTER TABLE hold ADD COLUMN fees TEXT;

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
