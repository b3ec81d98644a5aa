-- A tenant's account at its carrier. The host before this one reads the registry without it.
CREATE TABLE carrier_account (
  tenant TEXT PRIMARY KEY REFERENCES tenant (id) ON DELETE CASCADE,
  sid TEXT NOT NULL UNIQUE,           -- an account belongs to one tenant: what is in it is that tenant's
  api_key TEXT,                       -- its id
  sealed BLOB,                        -- its secret: nonce, then ciphertext; bound to tenant and id
  allowance TEXT NOT NULL,            -- JSON of `Allowance`
  CHECK ((api_key IS NULL) = (sealed IS NULL))
) STRICT, WITHOUT ROWID;
