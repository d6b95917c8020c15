"""Who may enter a play, who is held out, and what both groups are measured by."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from playbooks.audience import audience
from playbooks.models import Playbook, PlaybookVersion, Run
from playbooks.results import lift_of, outcomes_of
from playbooks.services import RunStart, advance_runs, complete_task, start_many, start_run, stop_run
from playbooks.terms import is_held_out

from .conftest import MONDAY
from .making import band, make_play, scored

EXITS = [{"outcome": "recovered", "days": 0, "conditions": [band("healthy")]}]


def begin(tenant: Tenant, account: Account, key: str, day: date = MONDAY) -> Run:
    return start_run(tenant=tenant, playbook_key=key, account_id=account.pk, started_on=day)


def make_accounts(tenant: Tenant, count: int, **fields: object) -> list[Account]:
    return Account.objects.bulk_create(
        Account(tenant=tenant, external_id=f"a{n}", name=f"A{n}", name_search=f"a{n}", **fields)
        for n in range(count)
    )


def test_only_accounts_that_it_is_for_enter(inside: Tenant, owned: Account, orphan: Account) -> None:
    make_play(
        inside,
        "mine",
        {"title": "Call"},
        entry={"segments": ["smb"], "bands": ["at_risk", "critical"]},
    )
    Account.objects.filter(pk=owned.pk).update(segment="smb")
    scored(inside, owned, MONDAY - timedelta(days=1), "critical")
    with pytest.raises(
        ValidationError, match="segment is smb: it was nothing; health band is at risk: it was unknown"
    ):
        begin(inside, orphan, "mine")
    assert begin(inside, owned, "mine").state == "running"
    found = start_many(
        tenant=inside,
        starts=[RunStart("mine", owned.pk), RunStart("mine", orphan.pk)],
        started_on=MONDAY,
    )
    assert [start.account_id for start in found.runs] == [owned.pk]
    assert {start.account_id: why.code for start, why in found.refused.items()} == {orphan.pk: "entry"}


def test_a_score_from_long_ago_says_nothing(inside: Tenant, owned: Account) -> None:
    make_play(inside, "mine", {"title": "Call"}, entry={"bands": ["critical"]})
    scored(inside, owned, MONDAY - timedelta(days=8), "critical")
    with pytest.raises(ValidationError, match="it was unknown"):
        begin(inside, owned, "mine")


@pytest.mark.parametrize(("days", "message"), [(None, "runs once"), (10, "from 2026-03-14 on")])
def test_a_play_comes_back_only_when_it_may(
    inside: Tenant, owned: Account, days: int | None, message: str
) -> None:
    make_play(inside, "mine", {"title": "Call"}, reentry_days=days)
    run = begin(inside, owned, "mine")
    complete_task(tenant=inside, task_id=run.tasks.get().pk)
    Run.objects.filter(pk=run.pk).update(finished_on=MONDAY + timedelta(days=2))
    with pytest.raises(ValidationError, match=message):
        begin(inside, owned, "mine", MONDAY + timedelta(days=11))
    if days:
        assert begin(inside, owned, "mine", MONDAY + timedelta(days=12)).pk != run.pk


def test_of_a_group_only_one_runs_at_an_account(inside: Tenant, owned: Account, orphan: Account) -> None:
    for key in ("first", "second"):
        make_play(inside, key, {"title": "Call"}, group="growth")
    begin(inside, owned, "first")
    with pytest.raises(ValidationError, match="“First” of the same group"):
        begin(inside, owned, "second")
    starts = [RunStart("first", orphan.pk), RunStart("second", orphan.pk)]
    found = start_many(tenant=inside, starts=starts, started_on=MONDAY)
    assert (list(found.runs), found.refused[starts[1]].code) == ([starts[0]], "group")


def test_held_out_runs_do_nothing_and_are_measured_like_the_others(inside: Tenant, carl: Membership) -> None:
    make_play(inside, "mine", {"title": "Call"}, exits=EXITS, holdout_pct=50, measure_days=7)
    accounts = make_accounts(inside, 60, owner=carl)
    starts = [RunStart("mine", account.pk) for account in accounts]
    start_many(tenant=inside, starts=starts, started_on=MONDAY)
    book = Playbook.objects.get(key="mine")
    held = {run.account_id for run in Run.objects.filter(held_out=True)}
    assert held == {
        account.pk
        for account in accounts
        if is_held_out(
            tenant_id=inside.pk, playbook_key="mine", account_key=account.external_id, holdout_pct=50
        )
    }
    assert 20 <= len(held) <= 40
    assert not Run.objects.filter(held_out=True, tasks__isnull=False).exists()
    assert not TimelineEntry.objects.filter(account_id__in=held).exists()
    # Every played account becomes healthy, and half of those held out.
    better = [each for each in accounts if each.pk not in held or each.pk % 2 == 0]
    for account in accounts:
        scored(inside, account, MONDAY, "healthy" if account in better else "critical")
    advance_runs(tenant=inside, day=MONDAY)
    lifted = lift_of(inside, book)
    assert lifted is not None and (lifted.played.n, lifted.played.good) == (60 - len(held), 60 - len(held))
    assert lifted.open == len([pk for pk in held if pk % 2])
    for offset in range(1, 8):
        advance_runs(tenant=inside, day=MONDAY + timedelta(days=offset))
    lifted = lift_of(inside, book)
    assert lifted is not None and lifted.enough and lifted.open == 0
    assert (lifted.held_out.n, lifted.held_out.good) == (len(held), len([pk for pk in held if pk % 2 == 0]))
    assert lifted.low is not None and lifted.low > 0
    assert not Run.objects.filter(held_out=True, state="running").exists()
    assert outcomes_of(inside, book).held_out == len(held)


def test_what_a_person_says_does_not_change_what_is_measured(inside: Tenant, owned: Account) -> None:
    make_play(inside, "mine", {"title": "Call"}, exits=EXITS, measure_days=7)
    run = begin(inside, owned, "mine")
    stop_run(tenant=inside, run_id=run.pk, outcome="recovered")
    for offset in range(8):
        scored(inside, owned, MONDAY + timedelta(days=offset), "critical")
        advance_runs(tenant=inside, day=MONDAY + timedelta(days=offset))
    run.refresh_from_db()
    assert (run.outcome, run.measured, run.measured_on) == (
        "recovered",
        "no_effect",
        MONDAY + timedelta(days=7),
    )


def test_a_churned_account_counts_as_churned_in_either_group(inside: Tenant, owned: Account) -> None:
    make_play(inside, "mine", {"title": "Call"}, exits=EXITS, holdout_pct=50)
    run = begin(inside, owned, "mine")
    Account.objects.filter(pk=owned.pk).update(churned_on=MONDAY + timedelta(days=3))
    advance_runs(tenant=inside, day=MONDAY + timedelta(days=3))
    run.refresh_from_db()
    assert (run.state, run.measured, run.measured_on) == ("stopped", "churned", MONDAY + timedelta(days=3))


def test_the_audience_is_who_could_start_and_why_the_others_cannot(inside: Tenant, carl: Membership) -> None:
    version = make_play(inside, "mine", {"title": "Call"}, entry={"segments": ["smb"], "bands": ["critical"]})
    for n, account in enumerate(make_accounts(inside, 4, owner=carl, segment="smb")):
        scored(inside, account, MONDAY, "critical" if n < 3 else "healthy")
    other = Account.objects.create(tenant=inside, external_id="z", name="Z", segment="ent")
    first = Account.objects.get(external_id="a0")
    begin(inside, first, "mine")
    version = PlaybookVersion.objects.select_related("playbook").get(pk=version.pk)
    found = audience(inside, version, MONDAY)
    assert (found.matching, [each.external_id for each in found.rows]) == (2, ["a1", "a2"])
    assert dict(found.refused) == {"running": 1, "entry": 1}
    assert (found.looked_at, found.capped) == (4, False)
    assert other.pk not in {each.pk for each in found.rows}
    assert [each.external_id for each in audience(inside, version, MONDAY, search="A2").rows] == ["a2"]


def test_a_manager_starts_it_all_the_same_and_says_why(
    inside: Tenant, owned: Account, carl: Membership, mona: Membership
) -> None:
    make_play(inside, "mine", {"title": "Call"}, entry={"segments": ["smb"]}, reentry_days=30)
    make_play(inside, "open", {"title": "Call"})

    def begin_as(member: Membership | None, reason: str, key: str = "mine") -> Run:
        return start_run(
            tenant=inside,
            playbook_key=key,
            account_id=owned.pk,
            started_on=MONDAY,
            member=member,
            override_reason=reason,
        )

    with pytest.raises(PermissionDenied):  # the account's own CSM may not
        begin_as(carl, "They asked for it.")
    for nothing in ("", " \n\0 "):
        with pytest.raises(ValidationError, match="not for this account"):
            begin_as(mona, nothing)
    assert not Run.objects.exists()

    run = begin_as(mona, "  They asked\nfor it. ")
    assert (run.state, run.started_by, run.log.count()) == ("running", mona, 1)
    audit = AuditEntry.objects.get(action="run.started", target=f"run:{run.pk}")
    assert audit.actor == mona
    assert audit.after is not None
    assert (audit.after["override"], audit.after["not_met"]) == (
        "They asked for it.",
        ["segment is smb: it was nothing"],
    )
    assert TimelineEntry.objects.get(kind="run_started").data["override"] == "They asked for it."
    assert begin_as(mona, "Again.").pk == run.pk  # running already: nothing is waived and nothing noted
    assert AuditEntry.objects.filter(action="run.started").count() == 1

    stop_run(tenant=inside, run_id=run.pk, outcome="no_effect", member=mona)
    with pytest.raises(ValidationError, match="may run again"):  # only the criteria are waived
        begin_as(mona, "And again.")

    usual = begin_as(mona, "Just in case.", "open")  # who could enter anyway was not let in against anything
    audit = AuditEntry.objects.get(target=f"run:{usual.pk}")
    assert audit.after is not None
    assert "override" not in audit.after
