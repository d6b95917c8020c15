"""What tables give to whom unless they say otherwise; knows no Django, the supervisor reads it too."""

from __future__ import annotations


def default_privileges_sql() -> list[str]:
    """What tables made later by cs_migrate give to whom; run inside each database, as cs_migrate or superuser."""
    grant = "ALTER DEFAULT PRIVILEGES FOR ROLE cs_migrate IN SCHEMA public GRANT"
    return [
        f"{grant} SELECT, INSERT, UPDATE, DELETE ON TABLES TO cs_web, cs_worker",
        f"{grant} USAGE ON SEQUENCES TO cs_web, cs_worker",
        f"{grant} SELECT ON TABLES TO cs_backup",
        f"{grant} SELECT ON SEQUENCES TO cs_backup",
    ]
