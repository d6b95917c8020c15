"""Hand-offs with their summaries, settings of intervention, training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import translation

from accounts.fence.scope import tenant_scope
from accounts.models import Account, AuditEntry, Membership, Tenant, TimelineEntry
from outreach.models import Notification
from playbooks.intervention.selectors import intervention_settings, learners_of, modules_of
from playbooks.intervention.services import (
    complete_training,
    hand_off,
    restore_module,
    save_intervention,
    save_module,
)
from playbooks.intervention.shipped import shipped_modules
from playbooks.intervention.text import parts_of
from playbooks.models import Task
from tests.conftest import make_member

SUMMARY: dict[str, Any] = {
    "case": "critical",
    "situation": "Usage fell by half since the champion left.",
    "tried": "Two mails and a tour.",
    "next_step": "Find out who decides now.",
}


@pytest.fixture
def inside(acme: Tenant) -> Iterator[Tenant]:
    """Acme, with its scope open."""
    with tenant_scope(acme):
        yield acme


@pytest.fixture
def tech(inside: Tenant) -> Account:
    """An account that nobody but automation looks after."""
    return Account.objects.create(tenant=inside, external_id="t", name="Tech", touch_model="tech")


def test_a_csm_takes_over_with_a_task_a_notice_and_the_summary(
    inside: Tenant, tech: Account, carl: Membership, mona: Membership
) -> None:
    made = hand_off(
        tenant=inside, account_id=tech.pk, way="to_csm", to_member_id=carl.pk, member=mona, **SUMMARY
    )
    tech.refresh_from_db()
    assert (tech.owner_id, tech.touch_model) == (carl.pk, "named")
    task = Task.objects.get(pk=made.task_id)
    assert (task.assignee_id, task.priority) == (carl.pk, 1)
    assert "Two mails and a tour." in task.body
    assert (
        TimelineEntry.objects.get(account=tech, kind="handoff_made").data["next_step"] == SUMMARY["next_step"]
    )
    assert Notification.objects.get(member=carl).url == f"/accounts/{tech.pk}/work/"
    entry = AuditEntry.objects.get(action="handoff.made")
    assert entry.before == {"owner": None, "touch_model": "tech"}


@pytest.mark.parametrize("missing", ["situation", "tried", "next_step", "case", "to", "way"])
def test_the_summary_is_required(inside: Tenant, tech: Account, carl: Membership, missing: str) -> None:
    given: dict[str, Any] = {"way": "to_csm", "to_member_id": carl.pk, **SUMMARY}
    given["to_member_id" if missing == "to" else missing] = None if missing == "to" else ""
    with pytest.raises(ValidationError) as refused:
        hand_off(tenant=inside, account_id=tech.pk, **given)
    assert missing in refused.value.message_dict
    assert not Task.objects.exists()


def test_too_short_a_situation_is_none(inside: Tenant, tech: Account, carl: Membership) -> None:
    given = SUMMARY | {"situation": "see ticket"}
    with pytest.raises(ValidationError, match="what happened"):
        hand_off(tenant=inside, account_id=tech.pk, way="to_csm", to_member_id=carl.pk, **given)


def test_sales_may_be_outside_and_the_sender_keeps_watch(
    inside: Tenant, tech: Account, mona: Membership
) -> None:
    made = hand_off(
        tenant=inside, account_id=tech.pk, way="to_sales", outside="Field team", member=mona, **SUMMARY
    )
    assert Task.objects.get(pk=made.task_id).assignee_id == mona.pk
    tech.refresh_from_db()
    assert tech.owner_id is None
    with pytest.raises(ValidationError) as refused:
        hand_off(tenant=inside, account_id=tech.pk, way="to_sales", member=mona, **SUMMARY)
    assert "to" in refused.value.message_dict


def test_an_account_goes_back_to_automation(inside: Tenant, carl: Membership) -> None:
    mine = Account.objects.create(
        tenant=inside, external_id="m", name="Mine", owner=carl, touch_model="named"
    )
    made = hand_off(
        tenant=inside, account_id=mine.pk, way="to_automation", case="settled",
        situation="Healthy for a month.", member=carl,
    )  # fmt: skip
    mine.refresh_from_db()
    assert (mine.touch_model, mine.owner_id, made.task_id) == ("tech", carl.pk, None)


def test_a_colleagues_account_is_not_handed_over(inside: Tenant, carl: Membership) -> None:
    other = make_member(inside, "other", "csm")
    theirs = Account.objects.create(tenant=inside, external_id="o", name="Theirs", owner=other)
    with pytest.raises(PermissionDenied):
        hand_off(
            tenant=inside, account_id=theirs.pk, way="to_csm", to_member_id=carl.pk, member=carl, **SUMMARY
        )


def test_saving_the_settings_says_that_it_was_decided(inside: Tenant, alice: Membership) -> None:
    assert intervention_settings(inside).confirmed_at is None
    save_intervention(tenant=inside, values={"back_after_days": 21, "to_csm_process": "Call"}, member=alice)
    row = intervention_settings(inside)
    assert (row.back_after_days, row.confirmed_by_id, row.named_most) == (21, alice.pk, 50)
    assert row.confirmed_at is not None
    with pytest.raises(ValidationError) as refused:
        save_intervention(tenant=inside, values={"named_least": 60}, member=alice)
    assert "named_most" in refused.value.message_dict


def test_six_modules_ship_in_both_languages(inside: Tenant) -> None:
    assert [module.key for module in shipped_modules()] == [
        "health_score", "pql", "plays", "intervention", "expansion", "qbr"
    ]  # fmt: skip
    with translation.override("es"):
        spanish = modules_of(inside)
    english = modules_of(inside, "en")
    assert all(
        a.title != b.title and len(b.parts) > 3 for a, b in zip(english, spanish, strict=True) if a.key != "x"
    )


def test_training_is_done_per_member_and_again_when_it_was_rewritten(
    inside: Tenant, carl: Membership, vera: Membership, alice: Membership
) -> None:
    complete_training(tenant=inside, member=carl, key="plays")

    def of_carl() -> set[str]:
        found = {learner.member.pk: learner for learner in learners_of(inside, modules_of(inside))}
        assert vera.pk not in found
        return set(found[carl.pk].done)

    assert of_carl() == {"plays"}
    save_module(tenant=inside, key="plays", title="Our plays", body="Short.", member=alice)
    assert of_carl() == {"plays"}
    save_module(tenant=inside, key="plays", title="Our plays", body="Other.", read_again=True, member=alice)
    assert of_carl() == set()
    complete_training(tenant=inside, member=carl, key="plays")
    assert of_carl() == {"plays"}
    complete_training(tenant=inside, member=carl, key="plays", done=False)
    assert of_carl() == set()
    restore_module(tenant=inside, key="plays", member=alice)
    assert {m.key: m.is_own for m in modules_of(inside)}["plays"] is False


def test_a_tenant_adds_a_module(inside: Tenant, alice: Membership) -> None:
    with pytest.raises(ValidationError) as refused:
        save_module(tenant=inside, title=" ", body="", member=alice)
    assert set(refused.value.message_dict) == {"title", "body"}
    added = save_module(tenant=inside, title="Our tone", body="# Be brief", member=alice)
    assert modules_of(inside)[-1].key == added.key


def test_training_texts_are_drawn_without_html() -> None:
    parts = parts_of("# One\nTwo **bold** <b>x</b>\nthree\n\n- a\n- b\n\nEnd")
    assert [part.kind for part in parts] == ["heading", "paragraph", "list", "paragraph"]
    assert parts[1].lines[0][:3] == [("Two ", False), ("bold", True), (" <b>x</b>", False)]
    assert [line[0][0] for line in parts[2].lines] == ["a", "b"]
    assert parts_of("") == []
