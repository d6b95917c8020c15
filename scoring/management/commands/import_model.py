"""Read a score model from YAML into its draft."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.commands import find_tenant
from accounts.fence.scope import tenant_scope
from scoring.management.commands.export_model import find_model
from scoring.services import DefinitionError, FileRefused, import_file, publish_version


class Command(BaseCommand):
    """`import_model SLUG KEY FILE [--publish]`."""

    help = (
        "Makes the draft of a score model say what a YAML file says; a draft that is there is replaced. With --publish it "
        "scores from today on. A file with faults changes nothing: each is named by its line, and the exit code is 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant, model, file."""
        parser.add_argument("slug", help="the tenant")
        parser.add_argument("key", help="the model, such as plg")
        parser.add_argument("file", type=Path, help="YAML, UTF-8, as export_model prints it")
        parser.add_argument("--publish", action="store_true", help="publish it at once")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import, and publish if asked."""
        tenant = find_tenant(options["slug"])
        try:
            text = options["file"].read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read as UTF-8 text: {error}") from error
        with tenant_scope(tenant):
            try:
                version = import_file(tenant=tenant, model=find_model(options["key"]), text=text)
                if options["publish"]:
                    version = publish_version(tenant=tenant, version=version)
            except (FileRefused, DefinitionError) as error:
                raise CommandError(str(error)) from error
        state = "published" if options["publish"] else "saved as a draft"
        self.stdout.write(f"{options['key']} version {version.number} is {state}.")
