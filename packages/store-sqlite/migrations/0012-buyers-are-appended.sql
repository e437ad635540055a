-- Counters of buyers are appended in the order buyers come and found through a deferred index (docs/adr/0013): keyed by their
-- digests, every new buyer cost a page of its own.
CREATE TABLE buyer_units_new (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  units INTEGER NOT NULL CHECK (units >= 0)
) STRICT;
INSERT INTO buyer_units_new (id, units) SELECT id, units FROM buyer_units ORDER BY id;
DROP TABLE buyer_units;
ALTER TABLE buyer_units_new RENAME TO buyer_units;

-- All of them at once and in order: left to the writer, they would all be read into its memory first.
CREATE TABLE buyer_units_index (hash INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (hash, seq)) STRICT, WITHOUT ROWID;
INSERT INTO buyer_units_index (hash, seq) SELECT hash53(id), seq FROM buyer_units ORDER BY 1, 2;
INSERT INTO index_progress (name, indexed_seq) SELECT 'buyer_units', coalesce(max(seq), 0) FROM buyer_units;
