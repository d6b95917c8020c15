"""The hand-written tables of scoring: the scores are made by its first migration, the rest by the second."""

from __future__ import annotations

# As the first migration made them.
_COLUMNS = """
  tenant_id bigint NOT NULL,
  kind smallint NOT NULL,            -- 1 health, 2 PQL
  account_id bigint NOT NULL,
  day date NOT NULL,
  version_id bigint NOT NULL,
  score double precision,            -- NULL: nothing was present
  band smallint NOT NULL,            -- 0 unknown, 1 critical or none, 2 at risk or medium, 3 healthy or high
  coverage double precision NOT NULL,
  is_new boolean NOT NULL,           -- under 30 days of history
  is_final boolean NOT NULL,         -- computed after the day had ended: never rewritten
  components double precision[] NOT NULL,
  points double precision[] NOT NULL,
  effective double precision[] NOT NULL,
  raw double precision[] NOT NULL,
  scaled double precision[] NOT NULL,
  targets double precision[],
"""

SCORE = f"""
CREATE TABLE scoring_score ({_COLUMNS}
  PRIMARY KEY (tenant_id, kind, account_id, day)
);
CREATE INDEX scoring_score_by_day ON scoring_score (tenant_id, kind, day);  -- tenant_day, past distributions
"""

CURRENT = f"""
CREATE TABLE scoring_current ({_COLUMNS}
  previous_score double precision,
  previous_band smallint,
  PRIMARY KEY (tenant_id, kind, account_id),
  FOREIGN KEY (tenant_id, account_id) REFERENCES accounts_account (tenant_id, id) ON DELETE CASCADE
) WITH (fillfactor = 80);
CREATE INDEX scoring_current_by_score ON scoring_current (tenant_id, kind, score, account_id);  -- list: sort by score
"""

# Empty where the version does not use it, so that most rows are no longer for them.
_ADDED: tuple[tuple[str, str], ...] = (
    ("exception_id", "bigint"),  # the exception that holds the score down
    ("adjustment", "double precision"),  # points it took away: points + adjustment = score
    ("tenure", "integer"),  # days since go-live
    ("segment", "text"),  # whose peers and targets counted
)

ADD_COLUMNS = [
    f"ALTER TABLE {table} " + ", ".join(f"ADD COLUMN {name} {kind}" for name, kind in _ADDED)
    for table in ("scoring_score", "scoring_current")
]
DROP_COLUMNS = [
    f"ALTER TABLE {table} " + ", ".join(f"DROP COLUMN {name}" for name, _kind in _ADDED)
    for table in ("scoring_score", "scoring_current")
]

REFERENCE = """
CREATE TABLE scoring_reference (
  tenant_id bigint NOT NULL,
  version_id bigint NOT NULL,
  measure_id bigint NOT NULL,
  segment text NOT NULL,             -- empty: the whole tenant
  day date NOT NULL,
  is_final boolean NOT NULL,         -- computed after the day had ended: never rewritten
  peers integer NOT NULL,            -- accounts with a value
  points double precision[] NOT NULL,  -- rising; at most 201 of their values
  PRIMARY KEY (tenant_id, version_id, measure_id, segment, day),
  FOREIGN KEY (tenant_id, version_id) REFERENCES scoring_version (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX scoring_reference_by_day ON scoring_reference (tenant_id, version_id, day);  -- a run reads whole days
"""

# Of the current row alone: what the score was so many days before under the same version. Lists are found and sorted by it;
# looked up in the history for 100,000 accounts it took half a second.
SINCE = (7, 30)
ADD_SINCE = "ALTER TABLE scoring_current " + ", ".join(
    f"ADD COLUMN score_{n} double precision" for n in SINCE
)
DROP_SINCE = "ALTER TABLE scoring_current " + ", ".join(f"DROP COLUMN score_{n}" for n in SINCE)

COLUMNS: tuple[tuple[str, str], ...] = (
    *(
        (
            line.split()[0],
            " ".join(line.split("--")[0].replace("NOT NULL", "").strip().rstrip(",").split()[1:]).rstrip(","),
        )
        for line in _COLUMNS.strip().splitlines()
    ),
    *_ADDED,
)

DROP = "DROP TABLE scoring_current; DROP TABLE scoring_score;"

# Cases of a backtest while it runs, written date by date; the last chunk reads them and deletes them.
BACKTEST_CASE = """
CREATE TABLE scoring_backtest_case (
  tenant_id bigint NOT NULL,
  backtest_id bigint NOT NULL,
  cut_on date NOT NULL,
  account_id bigint NOT NULL,
  score double precision,            -- under the scales of the backtest
  published double precision,        -- under the scales of the version
  band smallint NOT NULL,
  components double precision[] NOT NULL,
  recency double precision,          -- days since the last event known then; NULL: none known
  events double precision,           -- in the 90 days before; NULL: events are not counted
  outcome boolean NOT NULL,
  outcome_on date NOT NULL,
  PRIMARY KEY (tenant_id, backtest_id, cut_on, account_id),
  FOREIGN KEY (tenant_id, backtest_id) REFERENCES scoring_backtest (tenant_id, id) ON DELETE CASCADE
);
"""
DROP_BACKTEST_CASE = "DROP TABLE scoring_backtest_case;"

# No foreign key to the what-if: a check per row would cost more than the row; `forget_moves` cleans up.
MOVE = """
CREATE TABLE scoring_move (
  tenant_id bigint NOT NULL,
  what_if_id bigint NOT NULL,
  account_id bigint NOT NULL,
  score_before double precision,
  score_after double precision,
  band_before smallint NOT NULL,
  band_after smallint NOT NULL,
  mrr_cents bigint NOT NULL,
  PRIMARY KEY (tenant_id, what_if_id, account_id)
);
"""
DROP_MOVE = "DROP TABLE scoring_move;"
