-- What was asked of carriers: one row for each effect, found by its key. Times are Unix milliseconds.
CREATE TABLE effect (
  key BLOB PRIMARY KEY CHECK (length(key) = 32),
  id TEXT NOT NULL UNIQUE,            -- for people: `ob_` and 16 hex digits
  tenant TEXT NOT NULL,
  handler TEXT NOT NULL,
  kind TEXT NOT NULL,                 -- `call`, `message`, …
  about TEXT NOT NULL,                -- whom it is for; empty once it is done at once
  operation TEXT,                     -- JSON; only of what is still to be done later
  later INTEGER NOT NULL CHECK (later IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'done', 'failed', 'unknown', 'canceled')),
  owner INTEGER NOT NULL,             -- the process that sends it
  attempts INTEGER NOT NULL,
  doubted_since INTEGER,              -- the first try of which it is not known what became
  result TEXT,                        -- JSON, once it is known
  note TEXT NOT NULL,                 -- what happened last, in words
  due_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX effect_due ON effect (due_at, tenant) WHERE state = 'waiting';
CREATE INDEX effect_listed ON effect (tenant, created_at) WHERE later = 1;
CREATE INDEX effect_open ON effect (state, changed_at) WHERE state IN ('waiting', 'sending');
-- How many of a tenant's wait, and which are next, without going through what it has sent.
CREATE INDEX effect_waiting ON effect (tenant, kind, due_at) WHERE state = 'waiting';
-- What is forgotten after a day, and what after a week; as `prune` words it.
CREATE INDEX effect_day ON effect (changed_at) WHERE state NOT IN ('waiting', 'sending') AND (later = 0 OR state = 'done');
CREATE INDEX effect_week ON effect (changed_at) WHERE later = 1 AND state IN ('failed', 'unknown', 'canceled');
CREATE INDEX effect_result ON effect (result) WHERE result IS NOT NULL;
