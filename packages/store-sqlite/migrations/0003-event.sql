-- The outbox: what happened, in the order of the commits. Never updated, never deleted. What happened before this table
-- is told from the payments, the only part of the past that listeners act on.
CREATE TABLE event (
  seq INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT;
INSERT INTO event (type, object_id, created_ms) SELECT 'payment.' || status, id, created_ms FROM payment ORDER BY seq;
CREATE TRIGGER event_no_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are never updated'); END;
CREATE TRIGGER event_no_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are never deleted'); END;
