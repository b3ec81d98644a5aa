-- The newest version of each tenant's secrets. Revisions carry those they were deployed with.
CREATE TABLE secret (
  tenant TEXT NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,           -- from 1
  sealed TEXT NOT NULL,               -- base64 of nonce, then ciphertext; bound to the columns before it
  set_at INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
