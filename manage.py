#!/usr/bin/env python
"""Django's command line."""

import os
import sys

MIGRATE_COMMANDS = {"migrate", "maintain", "makemigrations", "sqlmigrate", "showmigrations", "dbshell"}


def main() -> None:
    """Run a management command with the database role that it needs."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cs_platform.settings")
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("CS_PROCESS", "migrate" if command in MIGRATE_COMMANDS else "command")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
