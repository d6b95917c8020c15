"""Let a person into a tenant."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from accounts.commands import command_error, find_tenant
from accounts.fence.scope import tenant_scope
from accounts.models import Role, User
from accounts.services import add_member


class Command(BaseCommand):
    """`create_member SLUG EMAIL --role R --password P`."""

    help = "Adds a member to a tenant. A login that exists already joins with the password it has."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Tenant, address, role, password."""
        parser.add_argument("slug", help="the tenant")
        parser.add_argument("email", help="the login")
        parser.add_argument("--role", required=True, choices=Role.values)
        parser.add_argument("--password", required=True, help="of a new login")
        parser.add_argument("--name", default="", help="the person's name")

    def handle(self, *args: Any, **options: Any) -> None:
        """Add the member and say so."""
        tenant = find_tenant(options["slug"])
        if not options["password"]:
            raise CommandError("password: must not be empty.")
        existed = User.objects.filter(email=options["email"].strip().lower()).exists()
        try:
            with tenant_scope(tenant):
                member = add_member(
                    tenant=tenant,
                    email=options["email"],
                    role=options["role"],
                    password=options["password"],
                    name=options["name"],
                )
        except ValidationError as error:
            raise command_error(error) from error
        self.stdout.write(f"{member.user.email} is now {member.role} of {tenant.slug}.")
        if existed:
            self.stdout.write("The login existed before; its password was not changed.")
