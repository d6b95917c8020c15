"""Reviews in the demo: registers that somebody kept, and packs in every state, made by the services."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from accounts.models import Account, Membership, Tenant
from qbr.cadence import add_months, next_due
from qbr.models import Pack
from qbr.registers.months import month_of
from qbr.registers.services import quarter_of, save_entry
from qbr.services import (
    add_action,
    close_drafting,
    draft_due_packs,
    draft_packs,
    hold_pack,
    mark_ready,
    send_pack,
    skip_review,
)
from qbr.services.writing import Wanted

CAST = 5  # accounts with registers and packs of their own
WORDS: dict[str, dict[str, str]] = {
    "en": {
        "roi": "Deals from e-mail sequences",
        "source": "Customer's CRM, report of won deals",
        "evidence": "Their head of sales sent the report after the last review.",
        "saved": "Hours saved on writing variants",
        "survey": "Survey among their team",
        "risk": "The champion moves to another team",
        "mitigation": "Win a second sponsor before the next quarter.",
        "risk_two": "Data of the CRM arrives late",
        "roadmap": "Sequences for the partner team",
        "audience": "Sales and partners",
        "highlight": "Best week of replies since the start",
        "learning": "Short hooks win in three of four tests",
        "example": "Their spring campaign was written with our variants in two days",
        "action": "Train the two new colleagues",
        "skip": "The customer is closing its year; the next review counts.",
    },
    "es": {
        "roi": "Ventas de las secuencias de correo",
        "source": "CRM del cliente, informe de ventas ganadas",
        "evidence": "Su directora de ventas envió el informe tras la última revisión.",
        "saved": "Horas ahorradas al escribir variantes",
        "survey": "Encuesta entre su equipo",
        "risk": "La persona impulsora cambia de equipo",
        "mitigation": "Ganar un segundo patrocinador antes del próximo trimestre.",
        "risk_two": "Los datos del CRM llegan tarde",
        "roadmap": "Secuencias para el equipo de partners",
        "audience": "Ventas y partners",
        "highlight": "La mejor semana de respuestas desde el inicio",
        "learning": "Los hooks cortos ganan en tres de cuatro pruebas",
        "example": "Escribieron su campaña de primavera con nuestras variantes en dos días",
        "action": "Formar a las dos personas nuevas",
        "skip": "El cliente está cerrando el año; cuenta la próxima revisión.",
    },
}


def keep_reviews(tenant: Tenant, day: date) -> None:
    """Registers and packs of a few accounts, then what the cadence drafts for all."""
    words = WORDS["es" if tenant.language == "es" else "en"]
    old = Account.objects.filter(
        tenant=tenant, churned_on=None, owner__isnull=False, go_live_on__lt=day - timedelta(days=200)
    )
    cast = list(old.select_related("owner__user").order_by("-mrr_cents", "id")[:CAST])
    for place, account in enumerate(cast):
        _registers(tenant, account, day, words, place)
    _packs(tenant, cast, day, words)
    draft_due_packs(tenant=tenant, day=day)
    close_drafting(tenant=tenant, day=day)


def _registers(tenant: Tenant, account: Account, day: date, words: dict[str, str], place: int) -> None:
    month = month_of(day)
    lines: list[tuple[str, dict[str, Any]]] = [
        (
            "roi",
            {
                "title": words["roi"],
                "source": words["source"],
                "evidence": words["evidence"],
                "amount_cents": (3 + place) * 640_000,
                "currency": tenant.currency,
                "first_month": add_months(month, -4),
                "last_month": month,
            },
        ),
        (
            "roi",
            {
                "title": words["saved"],
                "kind": "time",
                "source": words["survey"],
                "amount_cents": 180_000 + place * 25_000,
                "currency": tenant.currency,
                "first_month": add_months(month, -1),
                "last_month": add_months(month, -1),
            },
        ),
        (
            "risk",
            {
                "title": words["risk"] if place % 2 == 0 else words["risk_two"],
                "severity": 3 - place % 2,
                "likelihood": 2 + (place == 0),
                "owner": account.owner_id,
                "mitigation": words["mitigation"],
                "due_on": day + timedelta(days=30),
            },
        ),
        (
            "roadmap",
            {
                "title": words["roadmap"],
                "audience": words["audience"],
                "quarter_on": add_months(quarter_of(day), 3),
            },
        ),
        *[
            (
                "highlight",
                {"title": words[kind], "kind": kind, "happened_on": day - timedelta(days=9 + 6 * at)},
            )
            for at, kind in enumerate(("highlight", "learning", "example"))
        ],
    ]
    for register, values in lines:
        save_entry(tenant=tenant, register=register, account_id=account.pk, values=values)


def _packs(tenant: Tenant, cast: list[Account], day: date, words: dict[str, str]) -> None:
    """Held and sent ones of the last weeks, one that is ready, one that was left out."""
    dates = (day - timedelta(days=40), day - timedelta(days=3), day + timedelta(days=4))
    made: dict[int, Pack] = {
        pack.account_id: pack
        for pack in draft_packs(
            tenant=tenant,
            wanted=[
                Wanted(account.pk, on, on - timedelta(days=91))
                for account, on in zip(cast, dates, strict=False)
            ],
        )
    }
    for account, on in zip(cast, dates, strict=False):
        owner: Membership | None = account.owner
        pack = made[account.pk]
        if on < day:
            add_action(
                tenant=tenant,
                pack_id=pack.pk,
                title=words["action"],
                due_on=day + timedelta(days=10),
                member=owner,
            )
        if on < day - timedelta(days=14):
            hold_pack(tenant=tenant, pack_id=pack.pk, held_on=on, member=owner)
        elif on < day:
            send_pack(tenant=tenant, pack_id=pack.pk, member=owner)
        else:
            mark_ready(tenant=tenant, pack_id=pack.pk, member=owner)
    for account in cast[3:4]:
        if account.go_live_on is not None:
            skip_review(
                tenant=tenant,
                account_id=account.pk,
                due_on=next_due(account.go_live_on, day).on,
                reason=words["skip"],
                member=account.owner,
            )
