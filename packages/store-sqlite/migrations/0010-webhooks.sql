-- Where events are sent to. events: separated by spaces. cursor_seq: events up to it were delivered, are not wanted or
-- have a row in webhook_delivery. replay_*: events that are sent once more, both included.
CREATE TABLE webhook_endpoint (
  id TEXT NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  events TEXT NOT NULL CHECK (events <> ''),
  description TEXT,
  status TEXT NOT NULL CHECK (status = 'enabled' OR status = 'disabled' OR status = 'deleted'),
  disabled_reason TEXT CHECK (disabled_reason = 'seller' OR disabled_reason = 'gone' OR disabled_reason = 'failing'),
  secret_id TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  cursor_seq INTEGER NOT NULL CHECK (cursor_seq >= 0),
  replay_next_seq INTEGER,
  replay_to_seq INTEGER,
  failing_since_ms INTEGER,
  revision INTEGER NOT NULL,
  CHECK ((status = 'disabled') = (disabled_reason IS NOT NULL)),
  CHECK ((replay_next_seq IS NULL) = (replay_to_seq IS NULL)),
  CHECK (replay_next_seq IS NULL OR replay_next_seq <= replay_to_seq)
) STRICT, WITHOUT ROWID;

-- In clear text, because requests are signed with them (docs/adr/0010-webhooks.md). A table of their own, so that what
-- shows endpoints cannot show them. secrets: [[id, secret, expires_ms or null], ...], newest first.
CREATE TABLE webhook_secret (
  endpoint_id TEXT NOT NULL PRIMARY KEY,
  secrets TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One event at one endpoint, from its first outcome on. attempts: [[started_ms, duration_ms, status, fault], ...]
CREATE TABLE webhook_delivery (
  seq INTEGER PRIMARY KEY,
  endpoint_id TEXT NOT NULL,
  event_seq INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status = 'pending' OR status = 'succeeded' OR status = 'failed'),
  failures INTEGER NOT NULL CHECK (failures >= 0),
  next_attempt_ms INTEGER,
  attempts TEXT NOT NULL,
  created_ms INTEGER NOT NULL,
  UNIQUE (endpoint_id, event_seq),
  CHECK (status = 'pending' OR next_attempt_ms IS NULL)
) STRICT;
CREATE INDEX webhook_delivery_pending ON webhook_delivery (endpoint_id, event_seq) WHERE status = 'pending';
