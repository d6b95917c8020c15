"""Make an API key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from accounts.commands import find_tenant
from accounts.fence.scope import tenant_scope
from accounts.keys import make_key
from accounts.models import ApiKey
from accounts.services import record_audit


class Command(BaseCommand):
    """`create_api_key SLUG --scope ingest|read|write`."""

    help = "Makes an API key and prints it, alone on the last line; it cannot be shown again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant, scope, name."""
        parser.add_argument("slug", help="the tenant")
        parser.add_argument(
            "--scope", required=True, choices=ApiKey.Scope.values, help="write includes read and ingest"
        )
        parser.add_argument("--name", default="command line", help="what the key is for")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it and print it."""
        tenant = find_tenant(options["slug"])
        with tenant_scope(tenant):
            key, raw = make_key(tenant=tenant, name=options["name"][:100], scope=options["scope"])
            record_audit(
                tenant=tenant,
                actor=None,
                action="api_key.made",
                target=key.prefix,
                after={"name": key.name, "scope": key.scope},
            )
        self.stdout.write(f"Key “{key.name}” of {tenant.slug}, scope {key.scope}. It is shown only now:")
        self.stdout.write(raw)
