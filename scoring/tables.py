"""The two hand-written tables of scoring, made by its first migration."""

from __future__ import annotations

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

COLUMNS: tuple[tuple[str, str], ...] = tuple(
    (
        line.split()[0],
        " ".join(line.split("--")[0].replace("NOT NULL", "").strip().rstrip(",").split()[1:]).rstrip(","),
    )
    for line in _COLUMNS.strip().splitlines()
)

DROP = "DROP TABLE scoring_current; DROP TABLE scoring_score;"
