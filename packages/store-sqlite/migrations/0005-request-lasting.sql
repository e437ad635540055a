-- Requests are forgotten after a day, in the order they came (docs/adr/0007), but for those of commands that would
-- repeat their effect. Requests of before this column count as ordinary ones.
ALTER TABLE request ADD COLUMN lasting INTEGER NOT NULL DEFAULT 0 CHECK (lasting = 0 OR lasting = 1);
