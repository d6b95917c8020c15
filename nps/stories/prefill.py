"""The first words of a story, from what is known of the account; a person writes on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.utils import formats, translation
from django.utils.translation import gettext as _

from accounts.models import Account, Tenant
from nps.references.models import Reference
from usage.models import Feature


@dataclass(frozen=True)
class Prefilled:
    """Texts by field."""

    title: str
    standfirst: str
    challenge: str
    solution: str
    results_intro: str
    quote: str = ""
    person: str = ""
    role: str = ""

    def fields(self) -> dict[str, str]:
        """For the model."""
        return asdict(self)


def prefill(*, tenant: Tenant, account: Account, reference: Reference | None, language: str) -> Prefilled:
    """Sentences that are true of this account, in the story's language; nothing is invented."""
    with translation.override(language):
        values = {"customer": account.name, "tenant": tenant.name}
        key_features = Feature.objects.filter(tenant=tenant, active=True, is_key=True).order_by("name")
        features = list(key_features.values_list("name", flat=True)[:3])
        since = formats.date_format(account.go_live_on, "YEAR_MONTH_FORMAT") if account.go_live_on else ""
        solution = [_("%(customer)s works with %(tenant)s.") % values]
        if since:
            solution = [
                _("%(customer)s has worked with %(tenant)s since %(since)s.") % {**values, "since": since}
            ]
        if features:
            solution.append(_("At the core: %(features)s.") % {"features": ", ".join(features)})
        contact = reference.contact if reference is not None else None
        return Prefilled(
            title=(_("How %(customer)s works with %(tenant)s") % values)[:160],
            standfirst="",
            challenge="",
            solution=" ".join(solution),
            results_intro=_("These results were measured in the product; each can be checked."),
            quote=reference.quote if reference is not None else "",
            person=str(contact)[:120] if contact is not None else "",
            role=", ".join(contact.roles)[:160] if contact is not None else "",
        )
