"""Columns that people are searched by: stored by the database itself, so every way in keeps them.

Behind row-level security an index is used for leakproof operators only, and `lower()` is none; a stored column in byte order
is found by `>= 'ab' AND < 'ac'`. The second column holds what follows the first word, so a search finds a surname, too.
"""

from __future__ import annotations

_REST = "CASE WHEN position(' ' in name) > 0 THEN lower(substr(name, position(' ' in name) + 1)) ELSE '' END"

ADD = f"""
ALTER TABLE accounts_account
  ADD COLUMN name_rest text COLLATE "C" GENERATED ALWAYS AS ({_REST}) STORED;
ALTER TABLE accounts_contact
  ADD COLUMN name_search text COLLATE "C" GENERATED ALWAYS AS (lower(name)) STORED,
  ADD COLUMN name_rest text COLLATE "C" GENERATED ALWAYS AS ({_REST}) STORED,
  ADD COLUMN email_search text COLLATE "C" GENERATED ALWAYS AS (lower(email)) STORED;
CREATE INDEX account_by_rest ON accounts_account (tenant_id, name_rest, id) WHERE name_rest <> '';
CREATE INDEX contact_by_name ON accounts_contact (tenant_id, name_search, id) WHERE name_search <> '';
CREATE INDEX contact_by_rest ON accounts_contact (tenant_id, name_rest, id) WHERE name_rest <> '';
CREATE INDEX contact_by_email ON accounts_contact (tenant_id, email_search, id) WHERE email_search <> '';
"""
DROP = """
ALTER TABLE accounts_account DROP COLUMN name_rest;
ALTER TABLE accounts_contact DROP COLUMN name_search, DROP COLUMN name_rest, DROP COLUMN email_search;
"""
