-- One table of keys and values for each area: one handler's store, or one session.
CREATE TABLE area (
    id INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    handler TEXT NOT NULL,
    subject TEXT NOT NULL,       -- whose session; empty for a store
    keys INTEGER NOT NULL,       -- how many entries there are, expired ones included
    bytes INTEGER NOT NULL,      -- of their keys and values
    expires_at INTEGER,          -- Unix ms; NULL: never
    UNIQUE (tenant, handler, subject)
) STRICT;

CREATE INDEX area_expiry ON area (expires_at) WHERE expires_at IS NOT NULL;

-- With row ids, and so with values apart from keys: looking for a key shall not read the large values on the way to it.
CREATE TABLE entry (
    area INTEGER NOT NULL REFERENCES area ON DELETE CASCADE,
    key TEXT NOT NULL,
    expires_at INTEGER,          -- Unix ms; NULL: with its area. Before the value, to be read without it
    value BLOB NOT NULL,
    UNIQUE (area, key)
) STRICT;

CREATE INDEX entry_expiry ON entry (expires_at) WHERE expires_at IS NOT NULL;
-- What of a full area has expired is found without going through all that it holds.
CREATE INDEX entry_area_expiry ON entry (area, expires_at) WHERE expires_at IS NOT NULL;
