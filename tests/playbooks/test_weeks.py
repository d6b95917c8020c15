"""A play with a branch, waits and an exit criterion over simulated weeks: exactly as drawn, whoever looks how often.

                    ┌─ critical ──▶ Call the sponsor ─┐
Write ─▶ wait 3 ─▶ ?                                  ├─▶ wait until healthy, at most 10 ─┬─ came ──▶ Thank them
                    └─ else ──────▶ Send tips ────────┘                                   └─ in vain ▶ Escalate
leaves as recovered once the band was healthy for 4 days
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant
from playbooks.models import PlaybookVersion, Run, Task
from playbooks.services import advance_runs, complete_task, draft_from_published, publish_version, start_run

from .making import at, band, make_play, scored

MONDAY = date(2026, 3, 2)
STEPS = (
    {"title": "Write", "due_in_days": 1},
    {"kind": "wait", "title": "Three days", "due_in_days": 3},
    {
        "kind": "branch",
        "title": "How bad is it?",
        "next_label": "sponsor",
        "config": {"when": [band("critical")], "otherwise": "tips"},
    },
    {"title": "Call the sponsor", "label": "sponsor", "next_label": "hope", "due_in_days": 2, "priority": 1},
    {"title": "Send tips", "label": "tips", "due_in_days": 2},
    {
        "kind": "wait",
        "title": "Until healthy",
        "label": "hope",
        "due_in_days": 10,
        "next_label": "thanks",
        "config": {"until": [band("healthy")], "otherwise": "escalate"},
    },
    {"title": "Thank them", "label": "thanks", "next_label": "end", "due_in_days": 1},
    {"title": "Escalate", "label": "escalate", "due_in_days": 1, "owner_rule": "manager_pool"},
)
EXITS = [{"outcome": "recovered", "days": 4, "conditions": [band("healthy")]}]


def day(offset: int) -> date:
    return MONDAY + timedelta(days=offset)


def titles(run: Run) -> list[tuple[str, date, str]]:
    return list(run.tasks.order_by("id").values_list("title", "due_on", "state"))


def begin(tenant: Tenant, account: Account) -> Run:
    make_play(tenant, "rescue", *STEPS, exits=EXITS)
    return start_run(tenant=tenant, playbook_key="rescue", account_id=account.pk, started_on=MONDAY)


def nights(
    tenant: Tenant, account: Account, first: int, bands: list[str], beats: int = 1, skip: tuple[int, ...] = ()
) -> None:
    """Nights for the days from `first` on, each with its band; some nights nobody comes."""
    for offset, word in enumerate(bands, start=first):
        scored(tenant, account, day(offset), word)
        if offset not in skip:
            with time_machine.travel(at(tenant, day(offset + 1)), tick=False):
                for _ in range(beats):
                    advance_runs(tenant=tenant, day=day(offset))


def as_drawn(run: Run) -> list[tuple[str, int, str, date, date | None]]:
    rows = run.log.select_related("step").order_by("reached_on", "id")
    return [(row.step.title, row.visit, row.state, row.reached_on, row.left_on) for row in rows]


@pytest.mark.parametrize("beats", [1, 2])
def test_the_sad_way_goes_as_drawn(inside: Tenant, owned: Account, carl: Membership, beats: int) -> None:
    run = begin(inside, owned)
    nights(inside, owned, 0, ["critical"] * 18, beats)
    run.refresh_from_db()
    assert titles(run) == [
        ("Write", date(2026, 3, 3), "open"),
        ("Call the sponsor", date(2026, 3, 9), "open"),
        ("Escalate", date(2026, 3, 20), "open"),
    ]
    assert as_drawn(run) == [
        ("Write", 1, "done", MONDAY, MONDAY),
        ("Three days", 1, "done", MONDAY, date(2026, 3, 5)),
        ("How bad is it?", 1, "done", date(2026, 3, 5), date(2026, 3, 5)),
        ("Call the sponsor", 1, "done", date(2026, 3, 5), date(2026, 3, 5)),
        ("Until healthy", 1, "done", date(2026, 3, 5), date(2026, 3, 19)),
        ("Escalate", 1, "done", date(2026, 3, 19), date(2026, 3, 19)),
    ]
    branch = run.log.get(step__title="How bad is it?")
    assert [(why["observed"], why["holds"]) for why in branch.why] == [("critical", True)]
    assert run.log.get(step__title="Until healthy").result == {"note": "in_vain"}
    assert run.tasks.get(title="Escalate").pool == "manager"
    for task in run.tasks.all():
        complete_task(tenant=inside, task_id=task.pk)
    run.refresh_from_db()
    assert (run.state, run.outcome, run.measured) == ("done", "", "")


@pytest.mark.parametrize("beats", [1, 2])
def test_the_good_way_ends_by_its_exit_criterion(inside: Tenant, owned: Account, beats: int) -> None:
    run = begin(inside, owned)
    nights(inside, owned, 0, ["at_risk"] * 6 + ["healthy"] * 6, beats)
    run.refresh_from_db()
    # healthy from day 6 (a Sunday) on: the wait ends that night, and the run leaves on day 10
    assert titles(run) == [
        ("Write", date(2026, 3, 3), "cancelled"),
        ("Send tips", date(2026, 3, 9), "cancelled"),
        ("Thank them", date(2026, 3, 9), "cancelled"),
    ]
    assert (run.state, run.outcome, run.measured, run.finished_on) == (
        "done",
        "recovered",
        "recovered",
        day(10),
    )
    assert run.exit_reason["seen"][0]["observed"] == "healthy"
    assert run.log.get(step__title="Until healthy").left_on == day(6)


def test_a_relapse_starts_the_days_of_the_criterion_anew(inside: Tenant, owned: Account) -> None:
    run = begin(inside, owned)
    nights(inside, owned, 0, ["healthy"] * 3 + ["at_risk"] + ["healthy"] * 4)
    run.refresh_from_db()
    assert (run.state, run.streaks["since"]) == ("running", {"0": day(4).isoformat()})
    nights(inside, owned, 8, ["healthy"])
    run.refresh_from_db()
    assert (run.state, run.outcome, run.finished_on) == ("done", "recovered", day(8))


def test_a_late_beat_gives_the_dates_of_a_punctual_one(
    inside: Tenant, owned: Account, orphan: Account
) -> None:
    run = begin(inside, owned)
    nights(inside, owned, 0, ["critical"] * 18, skip=(3, 4, 5, 6, 16, 17))
    late = [(title, due) for title, due, _state in titles(run)]
    assert late == [("Write", date(2026, 3, 3)), ("Call the sponsor", date(2026, 3, 9))]
    nights(inside, owned, 18, ["critical"] * 3)
    assert titles(run)[-1][:2] == ("Escalate", date(2026, 3, 20))
    assert run.log.get(step__title="Escalate").reached_on == date(2026, 3, 19)


def test_editing_the_play_changes_no_running_run(inside: Tenant, owned: Account, orphan: Account) -> None:
    run = begin(inside, owned)
    nights(inside, owned, 0, ["critical"] * 2)
    draft = draft_from_published(tenant=inside, playbook_id=run.playbook_id)
    draft.steps.filter(title="Three days").update(due_in_days=30)
    draft.steps.filter(title="Call the sponsor").update(title="Send flowers")
    PlaybookVersion.objects.filter(pk=draft.pk).update(exits=[], holdout_pct=0)
    publish_version(tenant=inside, version_id=draft.pk)
    nights(inside, owned, 2, ["critical"] * 2 + ["healthy"] * 6)
    run.refresh_from_db()
    assert [title for title, _due, _state in titles(run)] == ["Write", "Call the sponsor", "Thank them"]
    assert (run.version.number, run.outcome) == (1, "recovered")
    other = start_run(tenant=inside, playbook_key="rescue", account_id=orphan.pk, started_on=day(10))
    assert (other.version.number, other.wait_until, other.measure_until) == (2, date(2026, 4, 23), None)


def test_a_paused_run_stands_still_and_nothing_is_lost(
    inside: Tenant, owned: Account, carl: Membership
) -> None:
    from playbooks.services import pause_run, resume_run

    run = begin(inside, owned)
    with time_machine.travel(at(inside, day(1), 12), tick=False):
        pause_run(tenant=inside, run_id=run.pk, reason="Holiday", member=carl)
    nights(inside, owned, 1, ["critical"] * 6)
    assert len(titles(run)) == 1
    with time_machine.travel(at(inside, day(8), 12), tick=False):  # five working days later
        resumed = resume_run(tenant=inside, run_id=run.pk, member=carl)
    assert (resumed.paused_on, resumed.wait_until) == (None, date(2026, 3, 12))
    assert titles(run)[0][1] == date(2026, 3, 10)


@pytest.mark.parametrize(
    ("zone", "start", "wait_until"),
    [
        # 29 March 2026, 02:00 → 03:00 in Madrid; 25 October, 03:00 → 02:00; 29 February 2028
        ("Europe/Madrid", date(2026, 3, 26), date(2026, 3, 31)),
        ("Europe/Madrid", date(2026, 10, 22), date(2026, 10, 27)),
        ("Europe/Madrid", date(2028, 2, 25), date(2028, 3, 1)),
        ("America/Los_Angeles", date(2026, 3, 5), date(2026, 3, 10)),
        ("Pacific/Apia", date(2026, 3, 5), date(2026, 3, 10)),
    ],
)
@pytest.mark.django_db
def test_every_night_of_the_tenants_zone_counts_once(
    zone: str, start: date, wait_until: date, make_inside: Callable[[str], tuple[Tenant, Account]]
) -> None:
    tenant, account = make_inside(zone)
    with tenant_scope(tenant):
        make_play(tenant, "pause", {"kind": "wait", "due_in_days": 3}, {"title": "After", "due_in_days": 0})
        with time_machine.travel(at(tenant, start, 23, 30), tick=False):
            assert tenant.today() == start
            run = start_run(
                tenant=tenant, playbook_key="pause", account_id=account.pk, started_on=tenant.today()
            )
        assert run.wait_until == wait_until
        seen = []
        clock = at(tenant, start + timedelta(days=1), 0, 30)
        for _beat in range(6 * 6):
            with time_machine.travel(clock, tick=False):
                advance_runs(tenant=tenant, day=tenant.today() - timedelta(days=1))
                if not seen and Task.objects.filter(run=run).exists():
                    seen.append(tenant.today())
            clock += timedelta(hours=4)
        assert seen == [wait_until + timedelta(days=1)]  # the night after the day, whatever the clocks do
        assert list(Task.objects.filter(run=run).values_list("title", "due_on")) == [("After", wait_until)]
