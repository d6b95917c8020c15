"""What the demo's customers answered: two waves over the year and the programme from go-live, with their words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from django.db import connection

from accounts.models import Contact, Membership, Tenant
from nps.surveys.models import Answer, Invitation, Survey, Wave
from nps.surveys.scales import DETRACTOR, PASSIVE, PROMOTER, category_of
from nps.surveys.services import handle_all, push_metrics
from nps.surveys.texts import language_for
from nps.surveys.tokens import new_nonce
from scoring.models import KIND_CODES, StoredScore

WAVE_AGO = (204, 24)  # days
NAMES = {"en": ("First half", "Second half"), "es": ("Primer semestre", "Segundo semestre")}
PEOPLE = 2  # of each account
ANSWERED_SHARE = 46  # of a hundred
WORDS_SHARE = 72  # of a hundred answers
OTHER_LANGUAGE_EVERY = 5  # account
# Answers by the band of the day: mostly what one would think, never quite.
BY_BAND = {
    3: (10, 9, 9, 10, 8, 9, 10, 7, 9, 6),
    2: (8, 7, 9, 6, 8, 7, 5, 9, 8, 7),
    1: (4, 6, 7, 3, 5, 8, 2, 6, 0, 9),
    0: (8, 7, 9, 6, 8, 10, 5, 9, 7, 8),
}
WORDS: dict[str, dict[str, tuple[tuple[str, str], ...]]] = {
    "en": {
        PROMOTER: (
            ("Our replies doubled since we test two variants of everything.", "results"),
            ("Whenever we ask, somebody who knows the product answers the same day.", "support"),
            (
                "The weekly report goes straight to our management. Nobody asks for a deck any more.",
                "reports",
            ),
            ("It paid for itself in the second month.", "results"),
        ),
        PASSIVE: (
            ("Good, but the dashboards take too long with more than ten campaigns.", "speed"),
            ("Does what it should. I would like to see our CRM in it.", "integrations"),
            ("Fine for sales. Marketing does not see what is in it for them yet.", "adoption"),
        ),
        DETRACTOR: (
            ("Nobody answered our ticket about the import for eleven days.", "support"),
            ("The price went up and we still use a third of it.", "price"),
            ("Our champion left and the rest of the team never got a training.", "adoption"),
            ("The e-mail sequences stopped twice without a word.", "reliability"),
        ),
    },
    "es": {
        PROMOTER: (
            ("Las respuestas se han duplicado desde que probamos dos variantes de todo.", "resultados"),
            ("Cuando preguntamos, el mismo día contesta alguien que conoce el producto.", "soporte"),
            ("El informe semanal va directo a dirección. Ya nadie pide una presentación.", "informes"),
            ("Se pagó solo en el segundo mes.", "resultados"),
        ),
        PASSIVE: (
            ("Bien, pero los dashboards tardan demasiado con más de diez campañas.", "velocidad"),
            ("Hace lo que debe. Me gustaría ver nuestro CRM dentro.", "integraciones"),
            ("Bien para ventas. Marketing todavía no ve qué gana.", "adopción"),
        ),
        DETRACTOR: (
            ("Nadie respondió a nuestro ticket sobre la importación en once días.", "soporte"),
            ("Subió el precio y seguimos usando un tercio.", "precio"),
            ("Se fue la persona que lo impulsaba y el resto del equipo nunca tuvo formación.", "adopción"),
            ("Las secuencias de email se pararon dos veces sin aviso.", "fiabilidad"),
        ),
    },
}
CLOSED = {
    "en": (
        "Called, agreed on a date for the import, confirmed by mail.",
        "Training held; they will answer again in spring.",
    ),
    "es": (
        "Llamada hecha, fecha acordada para la importación y confirmada por correo.",
        "Formación impartida; volverán a responder en primavera.",
    ),
}
OTHER_LANGUAGE_SQL = """
UPDATE accounts_account SET custom = custom || jsonb_build_object('language', %(language)s::text)
WHERE tenant_id = %(tenant)s AND id %% %(every)s = 0 AND NOT custom ? 'language'
"""


def _draw(number: int) -> int:
    """0–99, always the same for the same person and wave."""
    return number * 7_873 % 100


def speak_up(tenant: Tenant, last_day: date, colleagues: Sequence[Membership]) -> None:
    """Lay two waves down as they were: who was asked, who answered what, what became of it; push the metric."""
    with connection.cursor() as cursor:
        other = "en" if tenant.language == "es" else "es"
        cursor.execute(
            OTHER_LANGUAGE_SQL, {"tenant": tenant.pk, "language": other, "every": OTHER_LANGUAGE_EVERY}
        )
    survey = Survey.objects.get(tenant=tenant, key="relationship")
    names = NAMES["es" if tenant.language == "es" else "en"]
    touched: set[tuple[int, date]] = set()
    for place, (ago, name) in enumerate(zip(WAVE_AGO, names, strict=True)):
        begins = last_day - timedelta(days=ago)
        wave = Wave.objects.create(
            tenant=tenant,
            survey=survey,
            name=f"{name} {begins.year}",
            starts_on=begins,
            state=Wave.State.STARTED,
        )
        touched |= _lay_down(tenant, survey, wave, begins, last_day, colleagues, is_last=place == 1)
    push_metrics(tenant=tenant, accounts=touched)


def _lay_down(
    tenant: Tenant,
    survey: Survey,
    wave: Wave,
    begins: date,
    last_day: date,
    colleagues: Sequence[Membership],
    *,
    is_last: bool,
) -> set[tuple[int, date]]:
    bands = dict(
        StoredScore.objects.filter(tenant=tenant, kind=KIND_CODES["health"], day=begins).values_list(
            "account_id", "band"
        )
    )
    asked: dict[int, int] = {}
    invitations = []
    people = Contact.objects.filter(tenant=tenant, account__go_live_on__lt=begins).exclude(email="")
    for person in people.select_related("account").order_by("account_id", "id"):
        account = person.account
        if account is None or asked.get(account.pk, 0) >= PEOPLE:
            continue
        if account.churned_on is not None and account.churned_on <= begins:
            continue
        asked[account.pk] = asked.get(account.pk, 0) + 1
        sent = datetime.combine(begins, time(10, person.pk % 60), tenant.tz)
        draw = _draw(person.pk + wave.pk)
        answered = None
        if draw < ANSWERED_SHARE:
            answered = sent + timedelta(days=draw % 9, hours=draw % 7, minutes=draw)
        if answered is not None and answered.date() >= last_day:
            answered = None
        invitations.append(
            Invitation(
                tenant=tenant,
                survey=survey,
                wave=wave.key,
                account=account,
                contact=person,
                language=language_for(account.custom.get("language"), tenant),
                nonce=new_nonce(),
                asked_on=begins,
                send_at=sent,
                closes_on=begins + timedelta(days=survey.open_days),
                lost="" if draw < 97 else "bounced",
                delivered_at=sent if draw < 97 else None,
                opened_at=answered or (sent + timedelta(hours=3) if draw < 64 else None),
                opened_count=1 if draw < 64 else 0,
                answered_at=answered,
            )
        )
    Invitation.objects.bulk_create(invitations)
    wave.asked = len(invitations)
    wave.save(update_fields=["asked"])
    answers = [
        _answer(tenant, survey, one, bands.get(one.account_id, 0), colleagues, is_last=is_last)
        for one in invitations
        if one.answered_at is not None
    ]
    Answer.objects.bulk_create(answers)
    return {(one.account_id, one.answered_at.astimezone(tenant.tz).date()) for one in answers}


def _answer(
    tenant: Tenant,
    survey: Survey,
    invitation: Invitation,
    band: int,
    colleagues: Sequence[Membership],
    *,
    is_last: bool,
) -> Answer:
    draw = _draw(invitation.contact_id * 3 + invitation.account_id)
    score = BY_BAND[band][draw % 10]
    category = category_of(survey.kind, score)
    language = invitation.language
    said, tag = WORDS[language][category][draw // 7 % len(WORDS[language][category])]
    has_words = draw < WORDS_SHARE
    at = invitation.answered_at
    assert at is not None
    # Of the last wave some wait for an answer of ours; the recovery play closes them, or their owner does.
    closes = category == DETRACTOR and (not is_last or draw % 3 == 0)
    closed_at = at + timedelta(days=2 + draw % 9, hours=draw % 5) if closes else None
    return Answer(
        tenant=tenant,
        invitation=invitation,
        survey=survey,
        wave=invitation.wave,
        account_id=invitation.account_id,
        contact_id=invitation.contact_id,
        kind=survey.kind,
        score=score,
        category=category,
        comment=said if has_words else "",
        tags=[tag] if has_words and draw % 2 == 0 else [],
        language=language,
        answered_at=at,
        changed_at=at,
        handled_revision=0 if is_last and category == DETRACTOR and not closes else 1,
        closed_at=closed_at,
        closed_by=colleagues[draw % len(colleagues)] if closes and colleagues else None,
        close_note=CLOSED[language][draw % 2] if closes else "",
    )


def follow_up(tenant: Tenant) -> None:
    """The plays that open detractors start, told as the night does."""
    handle_all(tenant=tenant)
