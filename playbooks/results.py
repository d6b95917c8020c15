"""What plays achieve: outcomes counted, and the lift over the accounts for which nothing was done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from accounts.models import Tenant

from .lift import Arm, Lift, lift
from .models import Playbook, Run
from .terms import GOOD_OUTCOMES

# Of each account its first run, so that no account counts twice: the interval takes runs to be independent of each other.
FIRST_RUNS_SQL = """
SELECT held_out, measured, count(*) FROM (
  SELECT DISTINCT ON (r.account_id) r.held_out, r.measured FROM playbooks_run r
  JOIN playbooks_playbookversion v ON v.tenant_id = r.tenant_id AND v.id = r.version_id
  WHERE r.tenant_id = %(tenant)s AND r.playbook_id = %(playbook)s AND v.holdout_pct > 0 AND r.measure_until IS NOT NULL
  ORDER BY r.account_id, r.started_on, r.id
) AS first_runs GROUP BY held_out, measured
"""


def lift_of(tenant: Tenant, playbook: Playbook) -> Lift | None:
    """The play against doing nothing, over the versions that held accounts out; None when none did. One query."""
    with connection.cursor() as cursor:
        cursor.execute(FIRST_RUNS_SQL, {"tenant": tenant.pk, "playbook": playbook.pk})
        rows = cursor.fetchall()
    if not rows:
        return None
    return lift(_arm(rows, False), _arm(rows, True), sum(n for _held, measured, n in rows if not measured))


def _arm(rows: Iterable[tuple[bool, str, int]], held_out: bool) -> Arm:
    mine = [(measured, n) for held, measured, n in rows if held is held_out and measured]
    return Arm(sum(n for _m, n in mine), sum(n for measured, n in mine if measured in GOOD_OUTCOMES))


@dataclass(frozen=True)
class Outcomes:
    """How the runs of a play ended."""

    running: int
    ended: int
    by_outcome: list[tuple[str, int]]
    held_out: int


def outcomes_of(tenant: Tenant, playbook: Playbook) -> Outcomes:
    """Runs by what came of them, held-out ones apart; one query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, outcome, held_out, count(*) FROM playbooks_run WHERE tenant_id = %s AND playbook_id = %s "
            "GROUP BY state, outcome, held_out",
            [tenant.pk, playbook.pk],
        )
        rows = cursor.fetchall()
    counts: dict[str, int] = {}
    for state, outcome, held_out, n in rows:
        if state != Run.State.RUNNING and not held_out:
            counts[outcome] = counts.get(outcome, 0) + n
    return Outcomes(
        running=sum(n for state, _o, held, n in rows if state == Run.State.RUNNING and not held),
        ended=sum(counts.values()),
        by_outcome=[(value, counts[value]) for value in (*Run.Outcome.values, "") if counts.get(value)],
        held_out=sum(n for _s, _o, held, n in rows if held),
    )
