-- [[name, kind, amount, basis_points], ...]: one of amount and basis_points is null. Null: no fees.
ALTER TABLE drops ADD COLUMN fees TEXT;

-- [[name, kind, amount], ...], part of the amount. Null: no fees.
ALTER TABLE hold ADD COLUMN fees TEXT;

-- Answers remembered by an earlier release show no fees, as their drops had none.
UPDATE request SET answer = json_set(answer, '$.drop.fees', json('[]'))
WHERE answer_kind = 'result' AND answer ->> '$.outcome' = 'drop_saved';
UPDATE request SET answer = json_set(answer, '$.hold.fees', json('[]'))
WHERE answer_kind = 'result' AND answer ->> '$.outcome' = 'hold_released';
