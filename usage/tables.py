"""Hand-written tables: no Django model, because their keys and partitions are not Django's.

All lead their keys with `tenant_id` and are fenced. They have no foreign keys to accounts and contacts: a check per row
would cost more than the row, the drain only writes ids that it has just read in the same transaction, and
`usage.services.forget_accounts` cleans up.
"""

from __future__ import annotations

INBOX = """
CREATE TABLE usage_inbox (
  tenant_id bigint NOT NULL,
  batch_id uuid NOT NULL,            -- time-ordered (version 7): the key is the queue's order
  door text NOT NULL,                -- api, segment, import, replay: which decoder reads the payload
  source text NOT NULL,
  received_at timestamptz NOT NULL,
  due_at timestamptz NOT NULL,       -- when to try (again)
  events integer NOT NULL,
  attempts smallint NOT NULL DEFAULT 0,
  payload bytea NOT NULL,            -- lz4
  rejected bytea,                    -- lz4 JSON: items refused at the door, for the quarantine
  PRIMARY KEY (tenant_id, batch_id)
);
ALTER TABLE usage_inbox ALTER COLUMN payload SET STORAGE EXTERNAL;
"""

BATCH = """
CREATE TABLE usage_batch (           -- receipts; the drain writes them, GET /api/v1/batches/{id} reads them
  tenant_id bigint NOT NULL,
  batch_id uuid NOT NULL,
  state text NOT NULL,               -- done or failed; a batch that is still in the inbox is received
  source text NOT NULL,
  received_at timestamptz NOT NULL,
  drained_at timestamptz NOT NULL,
  stored integer NOT NULL,
  duplicates integer NOT NULL,
  quarantined integer NOT NULL,
  unassigned integer NOT NULL,
  PRIMARY KEY (tenant_id, batch_id)
);
"""

EVENT = """
CREATE SEQUENCE usage_event_id_seq;
CREATE TABLE usage_event (
  tenant_id bigint NOT NULL,
  id bigint NOT NULL DEFAULT nextval('usage_event_id_seq'),
  account_id bigint,                 -- NULL: unassigned, waits for the contact's account
  contact_id bigint,                 -- NULL: nobody named, or only an anonymous id
  user_key text,                     -- the user id, or '~' and the anonymous id
  name text NOT NULL,
  feature text,
  occurred_at timestamptz NOT NULL,
  day date NOT NULL,                 -- occurred_at on the tenant's calendar
  received_at timestamptz NOT NULL,
  source text NOT NULL,
  key uuid NOT NULL,                 -- 128-bit hash of (source, event id)
  by_membership boolean NOT NULL,    -- the account is the contact's, not the event's own: it may be resolved anew
  properties jsonb,
  PRIMARY KEY (tenant_id, day, id)
) PARTITION BY RANGE (day);
ALTER SEQUENCE usage_event_id_seq OWNED BY usage_event.id;
CREATE INDEX usage_event_by_account ON usage_event (tenant_id, account_id, day);  -- rebuild, account page, as-of
CREATE INDEX usage_event_to_resolve ON usage_event (tenant_id, contact_id) WHERE by_membership;  -- late memberships
CREATE INDEX usage_event_anonymous ON usage_event (tenant_id, user_key) WHERE contact_id IS NULL AND user_key IS NOT NULL;
CREATE TABLE usage_event_default PARTITION OF usage_event DEFAULT;
"""

EVENT_KEY = """
CREATE TABLE usage_event_key (       -- what makes an event stored once; generations are weeks of receipt, 0 never expires
  tenant_id bigint NOT NULL,
  key uuid NOT NULL,
  generation integer NOT NULL,
  PRIMARY KEY (tenant_id, key, generation)
) PARTITION BY LIST (generation);
CREATE TABLE usage_event_key_g0 PARTITION OF usage_event_key FOR VALUES IN (0);
CREATE TABLE usage_event_key_default PARTITION OF usage_event_key DEFAULT;
"""

ROLLUPS = """
CREATE TABLE usage_day (             -- one row per account and day, one slot per metric
  tenant_id bigint NOT NULL,
  account_id bigint NOT NULL,
  day date NOT NULL,
  "values" double precision[] NOT NULL,
  PRIMARY KEY (tenant_id, account_id, day)
) WITH (fillfactor = 85);
CREATE TABLE usage_user_day (        -- windowed distinct users, adoption, contact scores
  tenant_id bigint NOT NULL,
  account_id bigint NOT NULL,
  contact_id bigint NOT NULL,        -- 0: events that name nobody
  day date NOT NULL,
  events integer NOT NULL,
  features bigint[] NOT NULL,        -- usage_feature ids, sorted
  metrics bigint[] NOT NULL DEFAULT '{}',  -- ids of distinct_users metrics with chosen events that were fed, sorted
  PRIMARY KEY (tenant_id, account_id, day, contact_id)
) WITH (fillfactor = 85);
CREATE TABLE usage_dim_day (         -- metrics with one dimension keep their key
  tenant_id bigint NOT NULL,
  account_id bigint NOT NULL,
  day date NOT NULL,
  metric_id bigint NOT NULL,
  key text COLLATE "C" NOT NULL,
  value double precision NOT NULL,
  PRIMARY KEY (tenant_id, account_id, day, metric_id, key)
);
CREATE TABLE usage_source_day (      -- freshness as of any day
  tenant_id bigint NOT NULL,
  source_id bigint NOT NULL,
  received_on date NOT NULL,
  events integer NOT NULL,
  PRIMARY KEY (tenant_id, source_id, received_on)
);
CREATE TABLE usage_pushed_value (    -- raw pushed values, so that a past run knows when each was received
  tenant_id bigint NOT NULL,
  account_id bigint NOT NULL,
  metric_id bigint NOT NULL,
  day date NOT NULL,
  key text COLLATE "C" NOT NULL DEFAULT '',
  value double precision,            -- NULL: cleared
  received_at timestamptz NOT NULL,
  PRIMARY KEY (tenant_id, account_id, metric_id, day, key)
);
CREATE TABLE usage_identity (        -- alias and identify calls: which contact an anonymous or former id belongs to
  tenant_id bigint NOT NULL,
  user_key text COLLATE "C" NOT NULL,
  contact_id bigint NOT NULL,
  PRIMARY KEY (tenant_id, user_key)
);
"""

ALL_SQL = [INBOX, BATCH, EVENT, EVENT_KEY, ROLLUPS]
# Fenced tables that the serving roles may use; partitions are fenced too but nobody is granted them.
RAW_TABLES = [
    "usage_inbox",
    "usage_batch",
    "usage_event",
    "usage_event_key",
    "usage_day",
    "usage_user_day",
    "usage_dim_day",
    "usage_source_day",
    "usage_pushed_value",
    "usage_identity",
]
DROP_SQL = [f"DROP TABLE IF EXISTS {table}" for table in RAW_TABLES]
FIRST_PARTITIONS = ["usage_event_default", "usage_event_key_g0", "usage_event_key_default"]
