"""`manage backtest SLUG`: replay a version over past dates in this process and print what came out."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.commands import find_tenant
from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Job, Tenant
from scoring.backtest.parameters import (
    ARRIVALS,
    AUTO,
    DEFAULT_HORIZON,
    DEFAULT_STEP,
    OUTCOMES,
    SCALES,
    Refusal,
    Wanted,
)
from scoring.backtest.report import report_lines
from scoring.backtest.words import refusal_words
from scoring.models import Backtest, Version
from scoring.selectors.backtests import backtest as backtest_by_id
from scoring.services import start_backtest


class Command(BaseCommand):
    """Run a backtest through the same code as the page and the workers."""

    help = (
        "Replays a version of a score model over past dates with only what was known then, compares it with what happened "
        "in the days after, and prints figures with 95% intervals. The result is kept with the version."
    )

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Our own --version takes the place of Django's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The version, the dates and the question."""
        parser.add_argument("slug", help="the tenant")
        parser.add_argument("--model", default="plg", help="key of the score model (plg)")
        parser.add_argument("--version", dest="number", type=int, metavar="N", help="(the published one)")
        parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first date")
        parser.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="last date")
        parser.add_argument("--step-days", type=int, default=DEFAULT_STEP, help="between two dates")
        parser.add_argument("--horizon", type=int, default=DEFAULT_HORIZON, help="days after each date")
        parser.add_argument("--outcome", choices=(AUTO, *OUTCOMES), default=AUTO)
        parser.add_argument(
            "--everyone",
            action="store_true",
            help="inactivity: also accounts that had been silent for as long",
        )
        parser.add_argument(
            "--arrival",
            choices=ARRIVALS,
            default=AUTO,
            help="events count from when they were received or occurred",
        )
        parser.add_argument(
            "--scales",
            choices=SCALES,
            default=AUTO,
            help="scales drawn anew on the first date, or as published",
        )
        parser.add_argument("--json", action="store_true", help="figures as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Queue it, work it off, print it."""
        tenant = find_tenant(options["slug"])
        wanted = Wanted(
            first=_day("--from", options["first"]),
            last=_day("--to", options["last"]),
            step_days=options["step_days"],
            horizon_days=options["horizon"],
            outcome=options["outcome"],
            everyone=options["everyone"],
            arrival=options["arrival"],
            scales=options["scales"],
        )
        try:
            with tenant_scope(tenant):
                version = _version(tenant, options["model"], options["number"])
                made = start_backtest(tenant=tenant, version=version, wanted=wanted)
        except Refusal as refusal:
            raise CommandError(refusal_words(refusal.code, refusal.values)) from refusal
        assert made.job_id is not None  # start_backtest has queued it
        job = finish_job(tenant, made.job_id)
        if job.state != Job.State.DONE:
            raise CommandError(f"The backtest has failed: {job.message}")
        with tenant_scope(tenant):
            found = backtest_by_id(tenant, made.pk)
        assert found is not None  # it was made a moment ago
        if found.state == Backtest.State.REFUSED:
            refused = found.refusal or {}
            raise CommandError(refusal_words(refused["code"], refused["values"]))
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(tenant, found), indent=2))
            return
        for line in report_lines(found):
            self.stdout.write(line)


def _as_json(tenant: Tenant, found: Backtest) -> dict[str, Any]:
    return {
        "tenant": tenant.slug,
        "model": found.version.model.key,
        "version": found.version.number,
        "parameters": found.parameters,
        "scales": found.scales,
        "figures": found.figures,
    }


def _version(tenant: Tenant, model: str, number: int | None) -> Version:
    """The version asked for, or a CommandError that names those there are."""
    versions = list(
        Version.objects.filter(tenant=tenant, model__key=model).select_related("model").order_by("number")
    )
    if not versions:
        raise CommandError(f"There is no score model “{model}”.")
    if number is None:
        published = [version for version in versions if version.state == Version.State.PUBLISHED]
        if not published:
            raise CommandError(f"No version of “{model}” is published; name one with --version.")
        return published[-1]
    found = next((version for version in versions if version.number == number), None)
    if found is None:
        known = ", ".join(str(version.number) for version in versions)
        raise CommandError(f"“{model}” has no version {number}. Known: {known}.")
    return found


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise CommandError(f"{option}: “{text}” is not a date; write it as 2025-12-31.") from error
