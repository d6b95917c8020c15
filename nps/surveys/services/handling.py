"""What follows from answers: the play of the category, the owner's notice, the timeline, other systems, the metrics.

Each revision of an answer is handled once, by the answer's own job or by the next night, whichever comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db import connection
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Tenant, TimelineEntry
from nps.surveys import timeline
from nps.surveys.events import CSAT_ANSWERED, NOTICE, NPS_ANSWERED
from nps.surveys.models import Answer, Survey, category_word
from nps.surveys.scales import DETRACTOR
from outreach.models import Endpoint
from outreach.services import notify_members, publish_event
from playbooks.models import Playbook, Run
from playbooks.services import RunStart, start_many
from playbooks.services.starts import refusal_words

from .metrics import push_metrics

PER_TURN = 500


@dataclass
class Handled:
    """What a turn did."""

    answers: int = 0
    plays: int = 0
    closed: int = 0


def handle_answers(
    *, tenant: Tenant, answer_ids: Collection[int] | None = None, day: date | None = None
) -> Handled:
    """Handle what is new among the answers, at most a turn's worth; `day` is the day on which plays start (today)."""
    found = Answer.objects.select_for_update(of=("self",), skip_locked=answer_ids is None).filter(
        tenant=tenant, handled_revision__lt=F("revision")
    )
    if answer_ids is not None:
        found = found.filter(pk__in=answer_ids)
    answers = list(
        found.select_related("survey", "account__owner__user", "contact").order_by("id")[:PER_TURN]
    )
    if not answers:
        return Handled()
    done = Handled(answers=len(answers))
    done.plays = _start_plays(tenant, answers, day or tenant.today())
    _write_timeline(tenant, answers)
    _tell(tenant, answers)
    push_metrics(
        tenant=tenant,
        accounts={(one.account_id, one.answered_at.astimezone(tenant.tz).date()) for one in answers},
    )
    for one in answers:
        one.handled_revision = one.revision
    Answer.objects.bulk_update(answers, ["handled_revision", "run", "flow_note"])
    return done


def handle_all(*, tenant: Tenant, day: date | None = None) -> Handled:
    """The night's turn: whatever no job has handled, and loops whose play has ended."""
    done = Handled(closed=close_finished(tenant=tenant))
    while True:
        turn = handle_answers(tenant=tenant, day=day)
        done.answers += turn.answers
        done.plays += turn.plays
        if turn.answers < PER_TURN:
            return done


def _start_plays(tenant: Tenant, answers: Sequence[Answer], day: date) -> int:
    """Start the play that the survey names for the category, or say why it does not start."""
    wishes = {
        one.pk: RunStart(key, one.account_id) for one in answers if (key := one.survey.play_for(one.category))
    }
    names = dict(
        Playbook.objects.filter(tenant=tenant, key__in={w.playbook_key for w in wishes.values()}).values_list(
            "key", "name"
        )
    )
    started = start_many(tenant=tenant, starts=list(dict.fromkeys(wishes.values())), started_on=day)
    with translation.override(tenant.language):
        for one in answers:
            wish = wishes.get(one.pk)
            run = started.runs.get(wish) if wish else None
            one.flow_note = ""
            if run is not None:
                one.run = run
            elif wish is not None:
                said = refusal_words(started.refused[wish], wish.playbook_key)
                one.flow_note = f"{names.get(wish.playbook_key, wish.playbook_key)}: {said}"[:300]
    return len(started.fresh)


def _write_timeline(tenant: Tenant, answers: Iterable[Answer]) -> None:
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=one.account_id,
            kind=timeline.SURVEY_CHANGED if one.handled_revision else timeline.SURVEY_ANSWERED,
            at=one.changed_at,
            title=title_of(one, tenant.language)[:300],
            data={
                "answer": one.pk,
                "survey": one.survey.key,
                "score": one.score,
                "category": one.category,
                "contact": one.contact_id,
            },
        )
        for one in answers
    )


def title_of(answer: Answer, language: str) -> str:
    """An answer in one line: the number, what it means, who said it and why."""
    with translation.override(language):
        words = _("%(score)s of %(most)s, %(category)s") % {
            "score": answer.score,
            "most": answer.survey.scores[-1],
            "category": category_word(answer.kind, answer.category).lower(),
        }
    who = str(answer.contact) if answer.contact else ""
    said = f": {' '.join(answer.comment.split())}" if answer.comment else ""
    return f"{words} ({who}){said}" if who else words + said


def _tell(tenant: Tenant, answers: Iterable[Answer]) -> None:
    """Owners by the bell, other systems by webhook: once per revision."""
    anybody_listens = Endpoint.objects.filter(tenant=tenant).exclude(state=Endpoint.State.DISABLED).exists()
    for one in answers:
        key = f"survey-{one.pk}-{one.revision}"
        if anybody_listens:
            publish_event(
                tenant=tenant,
                event_type=NPS_ANSWERED if one.kind == Survey.Kind.NPS else CSAT_ANSWERED,
                data=event_data(one),
                account=one.account,
                dedupe_key=key,
            )
        owner = one.account.owner
        if owner is None or not owner.is_active or not _wants(one):
            continue
        language = owner.user.language or tenant.language
        with translation.override(language):
            title = _("%(account)s answered: %(answer)s") % {
                "account": one.account.name,
                "answer": title_of(one, language),
            }
        notify_members(
            tenant=tenant,
            members=[owner],
            kind=NOTICE,
            title=title[:200],
            body=one.comment[:1000],
            url=f"/nps/answers/{one.pk}/",
            account=one.account,
            dedupe_key=key,
        )


def _wants(answer: Answer) -> bool:
    if answer.survey.notify == Survey.Notify.ALL:
        return True
    return answer.survey.notify == Survey.Notify.DETRACTORS and answer.category == DETRACTOR


def event_data(answer: Answer) -> dict[str, Any]:
    """An answer as other systems get it."""
    return {
        "answer_id": answer.pk,
        "survey": answer.survey.key,
        "kind": answer.kind,
        "wave": answer.wave,
        "account_id": answer.account.external_id,
        "contact": {
            "user_id": answer.contact.user_id if answer.contact else None,
            "email": answer.contact.email if answer.contact else None,
        },
        "score": answer.score,
        "category": answer.category,
        "comment": answer.comment,
        "answered_at": answer.answered_at.isoformat(),
        "revision": answer.revision,
    }


# A loop is closed with the play that repairs it; by hand where there is none.
_CLOSE = """
UPDATE nps_answer a SET closed_at = CASE
    WHEN (r.finished_on::timestamp AT TIME ZONE %(zone)s) < a.answered_at THEN a.answered_at
    ELSE least(r.finished_on::timestamp AT TIME ZONE %(zone)s + interval '12 hours', now()) END
FROM playbooks_run r
WHERE a.tenant_id = %(tenant)s AND r.tenant_id = a.tenant_id AND r.id = a.run_id AND a.category = 'detractor'
  AND a.closed_at IS NULL AND r.state <> %(running)s AND r.finished_on IS NOT NULL
  AND r.finished_on >= (a.answered_at AT TIME ZONE %(zone)s)::date AND NOT r.held_out
"""


def close_finished(*, tenant: Tenant) -> int:
    """Close the detractors whose recovery play has ended; returns how many. Nobody closes those who were held out."""
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE, {"tenant": tenant.pk, "zone": tenant.timezone, "running": Run.State.RUNNING})
        return int(cursor.rowcount)
