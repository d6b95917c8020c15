"""Customers of the demo who speak for it: a few references in each state, and case studies on their way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils import timezone

from accounts.languages import account_language
from accounts.links import make_link
from accounts.models import Account, Contact, Membership, Tenant
from nps.models import (
    Reference,
    ReferenceAsk,
    ReferenceRequest,
    ReferenceUse,
    Story,
    StoryApproval,
    StoryFile,
)
from nps.references.services import find_references
from nps.references.services.searching import search_text
from nps.stories.reading import hash_of, text_of
from nps.stories.rendering import story_pdf
from nps.stories.services import create_story, edit_story
from nps.stories.services.approving import PURPOSE
from nps.stories.services.results import add_result
from scoring.models import KIND_CODES, CurrentScore
from usage.selectors import metric_values

S = Reference.State
WANTED = (S.ACTIVE, S.CANDIDATE, S.ASKED, S.RESTING, S.DECLINED, S.AGREED, S.ACTIVE, S.CANDIDATE, S.ACTIVE)
SHOWN = ("demos_booked", "active_users", "features_used", "replies", "roi_cents", "nps")
REGIONS = {"en": "United Kingdom", "es": "Spain"}
WORDS = {
    "en": {
        "title": "{name} knows every week which message works",
        "standfirst": "One team, two variants a week, and a dashboard that everybody reads.",
        "challenge": "Before, every message was written by hand. Answers came in, but nobody could say which opening "
        "had earned them, and what worked for one product was tried again for the next by feel.\nReports were put "
        "together at the end of the month, when it was too late to change anything.",
        "solution": "The team agreed on templates for each product and sends two variants every week. After four "
        "weeks the weaker one goes. Replies, demos and closes are read on one dashboard on Monday mornings; what "
        "falls is looked at the same day.",
        "quote": "We stopped guessing. On Mondays we look at one page and know what to change.",
        "role": "Head of sales",
    },
    "es": {
        "title": "{name} sabe cada semana qué mensaje funciona",
        "standfirst": "Un equipo, dos variantes por semana y un dashboard que todos leen.",
        "challenge": "Antes, cada mensaje se escribía a mano. Llegaban respuestas, pero nadie sabía qué apertura las "
        "había ganado, y lo que servía para un producto se probaba en el siguiente por intuición.\nLos informes se "
        "montaban a fin de mes, cuando ya era tarde para cambiar algo.",
        "solution": "El equipo acordó plantillas para cada producto y envía dos variantes por semana. A las cuatro "
        "semanas se retira la más débil. Respuestas, demos y cierres se leen en un dashboard los lunes; lo que baja "
        "se mira el mismo día.",
        "quote": "Dejamos de adivinar. Los lunes miramos una página y sabemos qué cambiar.",
        "role": "Responsable de ventas",
    },
}


def win_advocates(tenant: Tenant, day: date, colleagues: Sequence[Membership]) -> None:
    """References in every state at the healthiest accounts, and four case studies."""
    find_references(tenant=tenant, day=day)
    healthy = CurrentScore.objects.filter(tenant=tenant, kind=KIND_CODES["health"], band=3).order_by("-score")
    scores = dict(healthy.values_list("account_id", "score")[:60])
    accounts = list(
        Account.objects.filter(tenant=tenant, pk__in=list(scores), churned_on=None, plan_kind="contract")
        .select_related("owner")
        .order_by("-mrr_cents", "pk")[: len(WANTED)]
    )
    people: dict[int, Contact] = {}
    for contact in Contact.objects.filter(tenant=tenant, account__in=accounts).order_by("pk"):
        if contact.email and contact.account_id is not None:
            people.setdefault(contact.account_id, contact)
    spoken = [account for account in accounts if account.pk in people]
    references = [
        _reference(tenant, day, account, people[account.pk], state, scores[account.pk])
        for account, state in zip(spoken, WANTED, strict=False)
    ]
    Reference.objects.filter(tenant=tenant, account__in=spoken).delete()
    Reference.objects.bulk_create(references)
    _history(tenant, day, references, colleagues)
    _stories(tenant, day, [one for one in references if one.state in Reference.LISTED], colleagues)


def _reference(
    tenant: Tenant, day: date, account: Account, contact: Contact, state: str, score: float | None
) -> Reference:
    language = account_language(tenant, account)
    agreed = state in (S.AGREED, *Reference.LISTED)
    listed = state in Reference.LISTED
    return Reference(
        tenant=tenant,
        account=account,
        contact=contact if state != S.CANDIDATE else None,
        state=state,
        by_hand=True,
        found_on=day - timedelta(days=40),
        evidence={"score": round(score or 0.0, 1), "scored_on": day.isoformat()},
        types=["call", "quote", "case"] if agreed else [],
        industry=account.segment,
        products=["Outreach"] if listed else [],
        use_cases=["Cold outreach", "Demo booking"] if listed else [],
        region=REGIONS[language] if listed else "",
        language=language if listed else "",
        quote=WORDS[language]["quote"] if listed else "",
        agreed_on=day - timedelta(days=20) if agreed else None,
        rest_until=day + timedelta(days=14) if state == S.RESTING else None,
        ask_again_on=day + timedelta(days=340) if state == S.DECLINED else None,
        search=search_text(account, account.segment, "outreach cold demo booking"),
        updated_at=timezone.now(),
    )


def _history(
    tenant: Tenant, day: date, references: Sequence[Reference], colleagues: Sequence[Membership]
) -> None:
    """Who was asked, for what they were used, and what sales waits for."""
    answers = {S.ASKED: "waiting", S.DECLINED: "declined"}
    asks, uses = [], []
    for place, reference in enumerate(references):
        if reference.state == S.CANDIDATE or reference.contact is None:
            continue
        answer = answers.get(S(reference.state), "agreed")
        asks.append(
            ReferenceAsk(
                tenant=tenant,
                reference=reference,
                account_id=reference.account_id,
                contact=reference.contact,
                asked_on=day - timedelta(days=25 if answer != "waiting" else 3),
                asked_at=timezone.now() - timedelta(days=25 if answer != "waiting" else 3),
                asked_by=reference.account.owner or colleagues[place % len(colleagues)],
                incentive="featured",
                answer=answer,
                answered_on=None if answer == "waiting" else day - timedelta(days=20),
            )
        )
        if reference.state == S.RESTING or place == 0:
            uses.append(
                ReferenceUse(
                    tenant=tenant,
                    reference=reference,
                    used_on=day - timedelta(days=7 if reference.state == S.RESTING else 60),
                    deal="Northwind" if place == 0 else "Contoso",
                    kind="call",
                    outcome="helped" if place == 0 else "planned",
                    used_by=colleagues[place % len(colleagues)],
                )
            )
    ReferenceAsk.objects.bulk_create(asks)
    ReferenceUse.objects.bulk_create(uses)
    listed = next((one for one in references if one.state == S.ACTIVE), None)
    if listed is not None:
        ReferenceRequest.objects.create(
            tenant=tenant, reference=listed, deal="Fabrikam", kind="call", requested_by=colleagues[-1]
        )


def _stories(
    tenant: Tenant, day: date, listed: Sequence[Reference], colleagues: Sequence[Membership]
) -> None:
    """One published, one approved, one with the customer's legal, one draft; the texts are the demo's."""
    stages = (Story.State.PUBLISHED, Story.State.APPROVED, Story.State.LEGAL, Story.State.DRAFT)
    for place, (reference, stage) in enumerate(zip(listed, stages, strict=False)):
        account, now = reference.account, timezone.now()
        story = create_story(tenant=tenant, account_id=account.pk)
        words = WORDS[story.language]
        _show_figures(tenant, day, story)
        fields = words | {"title": words["title"].format(name=account.name), "person": str(reference.contact)}
        story = edit_story(tenant=tenant, story_id=story.pk, fields=fields)
        asked = {
            Story.State.PUBLISHED: ("legal", "communications"),
            Story.State.APPROVED: ("legal", "communications"),
            Story.State.LEGAL: ("legal",),
        }.get(stage, ())
        text = text_of(story)
        for party in asked:
            _approval(tenant, story, reference, party, account.owner or colleagues[place % len(colleagues)])
        if stage != Story.State.LEGAL:
            StoryApproval.objects.filter(tenant=tenant, story=story).update(
                state="approved",
                decided_at=now - timedelta(days=2),
                signer=str(reference.contact),
                text=text.as_dict(),
            )
        if stage == Story.State.PUBLISHED:
            StoryFile.objects.create(
                tenant=tenant, story=story, hash=story.hash, pdf=story_pdf(tenant, story, text)
            )
            story.published, story.published_hash, story.published_at = text.as_dict(), hash_of(story), now
        story.state = stage
        story.save()


def _show_figures(tenant: Tenant, day: date, story: Story) -> None:
    """Figures that there are, where nothing has grown by itself."""
    first, last = day - timedelta(days=90), day
    known = metric_values(tenant, SHOWN, last, 90, [story.account_id])[story.account_id]
    wanted = [key for key in SHOWN if known[key]] if not story.results.exists() else []
    for key in wanted[:3]:
        add_result(tenant=tenant, story_id=story.pk, offer=f"metric_total:{key}", first=first, last=last)


def _approval(tenant: Tenant, story: Story, reference: Reference, party: str, by: Membership) -> None:
    """Somebody at the customer was asked a week ago."""
    approval = StoryApproval.objects.create(
        tenant=tenant,
        story=story,
        party=party,
        contact=reference.contact,
        asked_name=str(reference.contact),
        hash=story.hash,
        asked_by=by,
        asked_at=timezone.now() - timedelta(days=6),
    )
    approval.link, _token = make_link(
        tenant=tenant,
        purpose=PURPOSE,
        object_id=approval.pk,
        account=reference.account,
        contact=reference.contact,
        days=60,
        by=by,
    )
    approval.save()
