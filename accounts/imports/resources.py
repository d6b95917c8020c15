"""What can be imported: the fields of each resource, how its rows are stored, what its columns are often called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.upserts import (
    Outcome,
    upsert_accounts,
    upsert_contacts,
    upsert_invoices,
    upsert_subscriptions,
    upsert_tickets,
)
from accounts.upserts.fields import Field
from accounts.upserts.resources import (
    ACCOUNT_FIELDS,
    CONTACT_FIELDS,
    INVOICE_FIELDS,
    SUBSCRIPTION_FIELDS,
    TICKET_FIELDS,
)


@dataclass(frozen=True)
class Resource:
    """One kind of row."""

    key: str
    label: str | Promise
    fields: Sequence[Field]
    upsert: Callable[..., Outcome]
    needed: Sequence[str]  # without one of each of these no row can be stored; `a|b` is either
    identity: str = ""  # names a row: stands in a file once, and other rows may refer to it
    amounts: Mapping[str, str] = field(default_factory=dict)  # an amount in whole units → the field in cents
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)  # field → what people call it
    takes_custom: bool = False


ID_WORDS = (
    "id",
    "external id",
    "account id",
    "customer id",
    "id externo",
    "id de cuenta",
    "id cuenta",
    "id cliente",
    "codigo",
)
ACCOUNT_WORDS = {
    "external_id": ID_WORDS,
    "name": (
        "name",
        "account",
        "account name",
        "company",
        "customer",
        "nombre",
        "cuenta",
        "empresa",
        "cliente",
    ),
    "owner_email": (
        "owner",
        "csm",
        "owner email",
        "account manager",
        "responsable",
        "email responsable",
        "gestor",
    ),
    "segment": ("segment", "tier", "segmento"),
    "stage": ("stage", "lifecycle stage", "status", "etapa", "fase", "estado"),
    "plan": ("plan", "product", "producto"),
    "plan_kind": ("plan kind", "plan type", "tipo de plan"),
    "seats": ("seats", "licences", "licenses", "users", "licencias", "puestos", "asientos", "usuarios"),
    "mrr": ("mrr", "monthly revenue", "ingreso mensual", "cuota mensual", "mrr eur", "mrr usd"),
    "currency": ("currency", "moneda", "divisa"),
    "go_live_on": (
        "go live",
        "go live date",
        "golive",
        "start date",
        "puesta en marcha",
        "fecha de alta",
        "alta",
    ),
    "renewal_on": ("renewal", "renewal date", "renovacion", "fecha de renovacion"),
    "churned_on": ("churned", "churn date", "baja", "fecha de baja"),
    "parent_id": ("parent", "parent account", "cuenta padre", "matriz"),
    "touch_model": ("touch model", "touch", "modelo de atencion"),
    "tags": ("tags", "labels", "etiquetas"),
}
OF_ACCOUNT = {
    "account_id": (
        "account",
        "account id",
        "customer id",
        "company id",
        "cuenta",
        "id de cuenta",
        "id cuenta",
        "id cliente",
    )
}
OWN_ID = {"external_id": ("id", "external id", "id externo", "codigo", "number", "numero")}
MONEY_WORDS = {
    "mrr": ("mrr", "monthly amount", "importe mensual", "cuota mensual"),
    "currency": ("currency", "moneda", "divisa"),
}
_resources: dict[str, Resource] = {}


def register_resource(resource: Resource) -> None:
    """Make a kind of row importable; called from an app's `ready()`."""
    _resources[resource.key] = resource


def resources() -> list[Resource]:
    """Everything that can be imported."""
    return list(_resources.values())


def resource_of(key: str) -> Resource | None:
    """The kind of row of a key."""
    return _resources.get(key)


def register_house_resources() -> None:
    """What the ground floor itself stores."""
    register_resource(
        Resource(
            "accounts", _("Accounts"), ACCOUNT_FIELDS, upsert_accounts, ("external_id",), "external_id",
            {"mrr": "mrr_cents"}, ACCOUNT_WORDS, takes_custom=True,
        )
    )  # fmt: skip
    contact_words = {
        **OF_ACCOUNT,
        "user_id": ("user id", "user", "login", "id de usuario", "usuario"),
        "email": ("email", "e mail", "mail", "correo", "correo electronico"),
        "name": ("name", "full name", "contact", "nombre", "contacto", "nombre completo"),
        "roles": ("roles", "role", "position", "rol", "cargo", "puesto"),
    }
    register_resource(
        Resource(
            "contacts",
            _("Contacts"),
            CONTACT_FIELDS,
            upsert_contacts,
            ("user_id|email",),
            words=contact_words,
        )
    )
    subscription_words = {
        **OF_ACCOUNT,
        **OWN_ID,
        **MONEY_WORDS,
        "plan": ("plan", "product", "producto"),
        "seats": ("seats", "quantity", "licencias", "cantidad"),
        "starts_on": ("start", "start date", "starts", "inicio", "fecha de inicio"),
        "renews_on": ("renewal", "renewal date", "renews", "renovacion", "fecha de renovacion"),
        "ends_on": ("end", "end date", "ends", "fin", "fecha de fin"),
    }
    register_resource(
        Resource(
            "subscriptions", _("Subscriptions"), SUBSCRIPTION_FIELDS, upsert_subscriptions,
            ("external_id", "account_id"), amounts={"mrr": "mrr_cents"}, words=subscription_words,
            identity="external_id",
        )
    )  # fmt: skip
    ticket_words = {
        **OF_ACCOUNT,
        **OWN_ID,
        "title": ("title", "subject", "asunto", "titulo"),
        "status": ("status", "estado"),
        "severity": ("severity", "priority", "gravedad", "prioridad"),
        "opened_at": ("opened", "created", "opened at", "created at", "abierto", "creado"),
        "resolved_at": ("resolved", "closed", "resolved at", "closed at", "resuelto", "cerrado"),
        "requester": ("requester", "solicitante"),
        "tags": ("tags", "etiquetas"),
    }
    register_resource(
        Resource(
            "tickets", _("Tickets"), TICKET_FIELDS, upsert_tickets,
            ("external_id", "account_id", "opened_at"), words=ticket_words,
            identity="external_id",
        )
    )  # fmt: skip
    invoice_words = {
        **OF_ACCOUNT,
        **OWN_ID,
        "amount": ("amount", "total", "importe"),
        "currency": ("currency", "moneda", "divisa"),
        "due_on": ("due", "due date", "vencimiento", "fecha de vencimiento"),
        "paid_at": ("paid", "paid at", "pagada", "fecha de pago"),
        "state": ("state", "status", "estado"),
    }
    register_resource(
        Resource(
            "invoices", _("Invoices"), INVOICE_FIELDS, upsert_invoices,
            ("external_id", "account_id"), amounts={"amount": "amount_cents"}, words=invoice_words,
            identity="external_id",
        )
    )  # fmt: skip


def plain_words(text: str) -> str:
    """A column's name without case, accents and punctuation."""
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z0-9]+", bare))


def guess_targets(names: Sequence[str], resource: Resource, declared: Mapping[str, Any]) -> list[str]:
    """For each column the field it probably fills, each field once; unknown ones become custom fields."""
    known = {one.name for one in resource.fields} | set(resource.amounts)
    by_word = {plain_words(name): name for name in known}
    for name, words in resource.words.items():
        for word in words:
            by_word.setdefault(word, name)
    labels = {plain_words(key): key for key in declared}
    for key, field_ in declared.items():
        for label in (field_.label_en, field_.label_es):
            if label:
                labels.setdefault(plain_words(label), key)
    taken: set[str] = set()
    exact = [name if name in known or _is_inside(name) else "" for name in names]
    taken.update(name for name in exact if name)
    found = []
    for name, said in zip(names, exact, strict=True):
        words = plain_words(name)
        guess = said or by_word.get(words, "")
        if not said and guess in taken:
            guess = ""
        if not guess and resource.takes_custom:
            guess = f"custom.{labels.get(words, name)}"
        taken.add(guess)
        found.append(guess)
    return found


def _is_inside(name: str) -> bool:
    top, dot, key = name.partition(".")
    return bool(dot and key and top in ("targets", "custom"))


def missing_fields(targets: Sequence[str], resource: Resource) -> list[str]:
    """Which of the needed fields no column fills."""
    filled = {resource.amounts.get(target, target) for target in targets} | set(targets)
    return [need for need in resource.needed if not filled & set(need.split("|"))]
