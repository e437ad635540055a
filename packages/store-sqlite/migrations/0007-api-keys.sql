-- Every key of before was a bootstrap key, and the writer puts those in at each start, under the same ids: nothing is
-- lost with the old table. Only hashes are stored (0001). scopes: separated by spaces, empty for publishable keys.
-- is_bootstrap: the environment or bootstrap-keys.json gave it, so another start may take it away.
DROP TABLE api_key;
CREATE TABLE api_key (
  id TEXT NOT NULL PRIMARY KEY,
  secret_hash TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind = 'secret' OR kind = 'publishable'),
  name TEXT,
  scopes TEXT NOT NULL,
  hint TEXT NOT NULL,
  is_bootstrap INTEGER NOT NULL CHECK (is_bootstrap = 0 OR is_bootstrap = 1),
  created_ms INTEGER NOT NULL,
  expires_ms INTEGER,
  revoked_ms INTEGER,
  last_used_ms INTEGER,
  CHECK ((kind = 'publishable') = (scopes = ''))
) STRICT, WITHOUT ROWID;
