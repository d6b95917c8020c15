"""Make a tenant."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from accounts.commands import command_error
from accounts.services import create_tenant


class Command(BaseCommand):
    """`create_tenant SLUG --name N --timezone TZ --language es|en`."""

    help = (
        "Makes a tenant with settings, score models, metrics, plays and rules. Exits 1 if the slug is taken."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Slug, name, time zone, language."""
        parser.add_argument("slug", help="short name in addresses: small letters, digits, hyphens")
        parser.add_argument("--name", help="name of the company (default: the slug)")
        parser.add_argument("--timezone", default="UTC", help="IANA name, e.g. Europe/Madrid (default: UTC)")
        parser.add_argument("--language", default="en", choices=["en", "es"], help="default: en")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and say so."""
        name = options["name"] if options["name"] is not None else options["slug"]
        try:
            tenant = create_tenant(
                slug=options["slug"], name=name, timezone=options["timezone"], language=options["language"]
            )
        except ValidationError as error:
            raise command_error(error) from error
        self.stdout.write(f"Made tenant {tenant.slug} ({tenant.name}, {tenant.timezone}, {tenant.language}).")
