"""Backtests on real data, the figures of docs/backtests.md: is the shipped model better than counting days?

Not a measurement of speed. The product code names no data set; this script knows what the columns of each file mean.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management import call_command

from accounts.fence.scope import tenant_scope
from accounts.jobs import finish_job
from accounts.models import Account, Tenant
from accounts.services.tenants import create_tenant
from scoring.backtest.parameters import Wanted
from scoring.backtest.report import report_lines
from scoring.models import Backtest, ScoreModel, Version
from scoring.selectors.backtests import backtest as backtest_by_id
from scoring.services import publish_version, save_draft, start_backtest
from usage.models import Metric
from usage.services import create_metric, push_metric_values

DATA = Path(os.environ.get("CS_SHARED", Path(__file__).resolve().parent.parent.parent / "shared")) / "data"
TELCO_DAY = date(2024, 6, 30)
DEVTOOL = {"first": date(2024, 6, 28), "last": date(2025, 9, 30), "step_days": 91}
CDNOW = {"first": date(1997, 3, 31), "last": date(1998, 3, 31), "step_days": 91}


def events_tenant(slug: str, file: str) -> Tenant:
    """A tenant with the events of a file, through the same door as any customer's."""
    tenant = create_tenant(slug=slug, name=slug)
    call_command("import_events", slug, str(DATA / file))
    return tenant


def churn_tenant(slug: str, rows: Sequence[dict[str, str]]) -> Tenant:
    """A snapshot with a churn flag: pushed metrics on one day, churn dates spread over the weeks after it.

    The file has no dates. Where within the 90 days somebody left changes no figure but the lead time.
    """
    tenant = create_tenant(slug=slug, name=slug)
    spread = random.Random(7)
    seen = TELCO_DAY - timedelta(days=400)
    with tenant_scope(tenant):
        Account.objects.bulk_create(
            [
                Account(
                    tenant=tenant,
                    external_id=row["account_id"],
                    name=row["account_id"],
                    name_search=row["account_id"],
                    first_seen_on=seen,
                    churned_on=TELCO_DAY + timedelta(days=spread.randint(1, 90))
                    if row["churn"] == "Yes"
                    else None,
                )
                for row in rows
            ],
            batch_size=2_000,
        )
        for key, words in (("charges", "Monthly charges"), ("tenure_months", "Months as a customer")):
            create_metric(
                tenant=tenant,
                fields={"key": key, "kind": Metric.Kind.PUSHED, "name": {"en": words}, "hold_days": 31},
            )
        items = [
            {"account_id": row["account_id"], "metric": key, "day": day, "value": float(row[column])}
            for row in rows
            for key, column in (("charges", "monthly_charges"), ("tenure_months", "tenure"))
            for day in (TELCO_DAY,)
        ]
        items += [  # what the history begins and ends with
            {
                "account_id": rows[0]["account_id"],
                "metric": "charges",
                "day": TELCO_DAY - timedelta(days=60),
                "value": 0.0,
            }
        ]
        for start in range(0, len(items), 5_000):
            push_metric_values(
                tenant=tenant,
                items=items[start : start + 5_000],
                received_at=datetime.combine(TELCO_DAY + timedelta(days=95), datetime.min.time(), tzinfo=UTC),
            )
    return tenant


TELCO_MODEL = {
    "components": [
        {
            "key": "usage",
            "name": "Usage, taken from charges",
            "weight": 60,
            "measures": [
                {
                    "metric": "charges",
                    "aggregate": "latest",
                    "scale": {"kind": "linear", "worst": 18.0, "best": 119.0},
                }
            ],
        },
        {
            "key": "tenure",
            "name": "Months as a customer",
            "weight": 40,
            "measures": [
                {
                    "metric": "tenure_months",
                    "aggregate": "latest",
                    "scale": {"kind": "linear", "worst": 0.0, "best": 72.0},
                }
            ],
        },
    ]
}


def telco_version(tenant: Tenant) -> Version:
    """A model that takes charges for usage, as a hurried team would."""
    with tenant_scope(tenant):
        model = ScoreModel.objects.create(
            tenant=tenant, key="charges", kind="health", name="Charges", position=1
        )
        version = Version.objects.create(tenant=tenant, model=model, number=1)
        save_draft(tenant=tenant, version=version, definition=TELCO_MODEL)
        return publish_version(tenant=tenant, version=version)


def read_csv(file: str) -> list[dict[str, str]]:
    """The rows of a data file."""
    with gzip.open(DATA / file, "rt", newline="") as handle:
        return list(csv.DictReader(handle))


def run_backtest(tenant: Tenant, version: Version, wanted: Wanted) -> Backtest:
    """One backtest, worked off in this process."""
    with tenant_scope(tenant):
        made = start_backtest(tenant=tenant, version=version, wanted=wanted)
    assert made.job_id is not None
    finish_job(tenant, made.job_id)
    with tenant_scope(tenant):
        found = backtest_by_id(tenant, made.pk)
    assert found is not None
    if found.state != Backtest.State.DONE:
        raise RuntimeError(f"{tenant.slug}: {found.state} {found.refusal}")
    return found


def shipped(tenant: Tenant) -> Version:
    """The version of `plg` that every tenant starts with."""
    with tenant_scope(tenant):
        return Version.objects.select_related("model").get(model__key="plg", number=1)


def show(title: str, found: Backtest, began: float) -> list[str]:
    """One backtest as a section of the docs."""
    print(f"{title} … {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    return [f"### {title}", "", "```", *(line.rstrip() for line in report_lines(found)), "```", ""]


def run(names: Sequence[str] = ("devtool", "cdnow", "telco")) -> str:
    """All of them, as text."""
    lines: list[str] = []
    began = time.monotonic()
    for name in names:
        if name == "telco":
            tenant = churn_tenant("telco", read_csv("telco_wa_churn.csv.gz"))
            wanted = Wanted(first=TELCO_DAY, last=TELCO_DAY, outcome="churn")
            lines += show(
                "telco: charges taken for usage", run_backtest(tenant, telco_version(tenant), wanted), began
            )
            continue
        dates: dict[str, Any] = DEVTOOL if name == "devtool" else CDNOW
        file = "devtool_events.csv.gz" if name == "devtool" else "cdnow_orders.csv.gz"
        tenant = events_tenant(name, file)
        for everyone in (False, True):
            wanted = Wanted(outcome="inactivity", everyone=everyone, **dates)
            words = "every account" if everyone else "accounts active in the 90 days before"
            lines += show(f"{name}: plg, {words}", run_backtest(tenant, shipped(tenant), wanted), began)
    return "\n".join(lines)


def main() -> int:
    """Print the text of docs/backtests.md's figures."""
    print(run(sys.argv[2:] or ("devtool", "cdnow", "telco")))
    return 0
