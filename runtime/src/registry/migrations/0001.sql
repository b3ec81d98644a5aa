-- What the registry keeps. JSON only where the host reads the whole of it and asks nothing about its parts.

-- One row: proves that the key file belongs to this database.
CREATE TABLE mark (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  key_check BLOB NOT NULL
) STRICT;

CREATE TABLE tenant (
  id TEXT PRIMARY KEY,
  public_url TEXT,
  quota TEXT NOT NULL,                -- JSON of `Quota`
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
  tenant TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('auth_token', 'shared_key')),
  position INTEGER NOT NULL,          -- newest first, from 0
  name TEXT NOT NULL,                 -- the key id of a shared key, else empty
  sealed BLOB NOT NULL,               -- nonce, then ciphertext; bound to the columns before it
  PRIMARY KEY (tenant, kind, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE token (
  id TEXT PRIMARY KEY,
  label TEXT NOT NULL,
  scope TEXT NOT NULL CHECK (scope IN ('operator', 'deploy', 'read')),
  tenant TEXT REFERENCES tenant (id) ON DELETE CASCADE,
  hash BLOB NOT NULL UNIQUE,          -- keyed SHA-256 of the token's text
  created_at INTEGER NOT NULL,
  CHECK ((scope = 'operator') = (tenant IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX token_tenant ON token (tenant);

CREATE TABLE handler (
  tenant TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  generation INTEGER NOT NULL,
  previous INTEGER,                   -- of the release; kept from pruning
  release TEXT NOT NULL,              -- JSON of `Release`
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE revision (
  tenant TEXT NOT NULL,
  handler TEXT NOT NULL,
  id INTEGER NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  component_bytes INTEGER NOT NULL,
  artifact_bytes INTEGER NOT NULL,
  settings TEXT NOT NULL,             -- JSON of `RevisionSettings`
  settings_hash BLOB NOT NULL,        -- SHA-256 of the settings that differ from the defaults
  imports TEXT NOT NULL,              -- JSON array
  exports TEXT NOT NULL,              -- JSON array
  created_at INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  risk TEXT NOT NULL,
  risk_reason TEXT NOT NULL,
  taking INTEGER NOT NULL DEFAULT 0 CHECK (taking IN (0, 1)),  -- whether it takes new calls
  retired_at INTEGER,
  CHECK (taking = 0 OR retired_at IS NULL),
  PRIMARY KEY (tenant, handler, id),
  UNIQUE (tenant, handler, digest, settings_hash),
  -- Deferred: the first revision is there before the release that names it.
  FOREIGN KEY (tenant, handler) REFERENCES handler (tenant, name) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE INDEX revision_taking ON revision (tenant, handler) WHERE taking = 1;
CREATE INDEX revision_retired ON revision (retired_at, tenant) WHERE retired_at IS NOT NULL;
CREATE INDEX revision_bytes ON revision (tenant, digest, component_bytes, artifact_bytes);

-- The last number given to a revision. Outlives the handler for as long as a link of it may be in use: a pin names a
-- number, so a number that came again would send an old call to new code.
CREATE TABLE numbering (
  tenant TEXT NOT NULL,
  handler TEXT NOT NULL,
  last INTEGER NOT NULL,
  deleted_at INTEGER,
  PRIMARY KEY (tenant, handler)
) STRICT, WITHOUT ROWID;

-- One line a generation.
CREATE TABLE history (
  tenant TEXT NOT NULL,
  handler TEXT NOT NULL,
  generation INTEGER NOT NULL,
  at INTEGER NOT NULL,
  change TEXT NOT NULL,
  revision INTEGER NOT NULL,
  by TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (tenant, handler, generation),
  FOREIGN KEY (tenant, handler) REFERENCES handler (tenant, name) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE number (
  number TEXT PRIMARY KEY,
  tenant TEXT NOT NULL,
  handler TEXT NOT NULL,
  FOREIGN KEY (tenant, handler) REFERENCES handler (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX number_handler ON number (tenant, handler);

CREATE TABLE compile (
  tenant TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  at INTEGER NOT NULL,
  cpu_ms INTEGER NOT NULL
) STRICT;
CREATE INDEX compile_tenant ON compile (tenant, at, cpu_ms);
CREATE INDEX compile_at ON compile (at);
