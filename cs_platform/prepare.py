"""Brings the schema up to date and makes the partitions ahead; run with CS_PROCESS=migrate."""

from __future__ import annotations

import os

import django
from django.core.management import call_command


def main() -> None:
    """Migrate, then maintain once."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
    django.setup()
    call_command("migrate", interactive=False, verbosity=1)
    call_command("maintain", once=True)


if __name__ == "__main__":
    main()
