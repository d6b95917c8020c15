"""Write a score model as YAML."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.commands import find_tenant
from accounts.fence.scope import tenant_scope
from scoring.models import ScoreModel, Version
from scoring.services import export_version


def find_model(key: str) -> ScoreModel:
    """A model of the scope's tenant, or a CommandError that names the ones there are."""
    model = ScoreModel.objects.filter(key=key).first()
    if model is None:
        known = ", ".join(ScoreModel.objects.order_by("key").values_list("key", flat=True))
        raise CommandError(f"There is no model “{key}”. Known: {known or 'none'}.")
    return model


class Command(BaseCommand):
    """`export_model SLUG KEY [--number N]`."""

    help = "Prints a version of a score model as YAML: the published one, or the one that --number names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant, model, version."""
        parser.add_argument("slug", help="the tenant")
        parser.add_argument("key", help="the model, such as plg")
        parser.add_argument(
            "--number", type=int, help="the number of the version; without it the published one"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it."""
        tenant = find_tenant(options["slug"])
        with tenant_scope(tenant):
            versions = Version.objects.filter(model=find_model(options["key"])).select_related("model")
            number = options["number"]
            wanted = (
                versions.filter(state=Version.State.PUBLISHED)
                if number is None
                else versions.filter(number=number)
            )
            version = wanted.order_by("-number").first()
            if version is None:
                known = ", ".join(map(str, versions.order_by("number").values_list("number", flat=True)))
                raise CommandError(
                    "The model has no published version."
                    if number is None
                    else f"There is no version {number}. Known: {known or 'none'}."
                )
            self.stdout.write(export_version(version), ending="")
