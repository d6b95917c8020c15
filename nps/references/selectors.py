"""Reads of references: the pipeline, the library, one of them, requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.db.models import Count, QuerySet

from accounts.models import Contact, Tenant
from nps.references.models import Reference, ReferenceAsk, ReferenceRequest, ReferenceType, ReferenceUse

LIST_MAX = 200


@dataclass(frozen=True)
class LibraryFilter:
    """What the library is narrowed to."""

    text: str = ""
    kind: str = ""
    industry: str = ""
    product: str = ""
    use_case: str = ""
    region: str = ""
    language: str = ""
    free: bool = False  # only those that may be used now

    @property
    def is_narrow(self) -> bool:
        """Whether anything is chosen."""
        return any(getattr(self, name) for name in self.__dataclass_fields__)

    def parameters(self) -> dict[str, str]:
        """As parameters of an address."""
        said = {
            "q": self.text,
            "type": self.kind,
            "industry": self.industry,
            "product": self.product,
            "use_case": self.use_case,
            "region": self.region,
            "language": self.language,
            "free": "yes" if self.free else "",
        }
        return {name: value for name, value in said.items() if value}


def read_library_filter(parameters: Mapping[str, str]) -> LibraryFilter:
    """The filter of an address; what cannot be understood is left out."""

    def word(name: str) -> str:
        return parameters.get(name, "").replace("\0", "").strip()[:120]

    kind, language = word("type"), word("language")
    return LibraryFilter(
        text=word("q"),
        kind=kind if kind in ReferenceType.values else "",
        industry=word("industry"),
        product=word("product"),
        use_case=word("use_case"),
        region=word("region"),
        language=language if language in ("en", "es") else "",
        free=word("free") == "yes",
    )


def references(tenant: Tenant, states: Collection[str] = ()) -> QuerySet[Reference]:
    """References with account, owner and person, the newest first."""
    found = Reference.objects.filter(tenant=tenant)
    if states:
        found = found.filter(state__in=list(states))
    return found.select_related("account__owner__user", "contact").order_by("-id")


def library(tenant: Tenant, wanted: LibraryFilter) -> QuerySet[Reference]:
    """Who may be used for what: every word of the search must be there."""
    states = [Reference.State.ACTIVE] if wanted.free else list(Reference.LISTED)
    found = references(tenant, states)
    for word in wanted.text.lower().split():
        found = found.filter(search__contains=word)
    if wanted.kind:
        found = found.filter(types__contains=[wanted.kind])
    if wanted.industry:
        found = found.filter(industry=wanted.industry)
    if wanted.product:
        found = found.filter(products__contains=[wanted.product])
    if wanted.use_case:
        found = found.filter(use_cases__contains=[wanted.use_case])
    if wanted.region:
        found = found.filter(region=wanted.region)
    if wanted.language:
        found = found.filter(language=wanted.language)
    return found


@dataclass(frozen=True)
class Choices:
    """What the library's filters offer: the words that listed references have."""

    industries: list[str] = field(default_factory=list)
    products: list[str] = field(default_factory=list)
    use_cases: list[str] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)


def library_choices(tenant: Tenant) -> Choices:
    """The words of all listed references; one query."""
    rows = list(
        Reference.objects.filter(tenant=tenant, state__in=Reference.LISTED).values_list(
            "industry", "products", "use_cases", "region"
        )
    )
    return Choices(
        sorted({row[0] for row in rows if row[0]}),
        sorted({word for row in rows for word in row[1]}),
        sorted({word for row in rows for word in row[2]}),
        sorted({row[3] for row in rows if row[3]}),
    )


def state_counts(tenant: Tenant) -> dict[str, int]:
    """How many references stand where; one query."""
    return dict(
        Reference.objects.filter(tenant=tenant).order_by().values_list("state").annotate(n=Count("pk"))
    )


def reference(tenant: Tenant, pk: int) -> Reference | None:
    """One reference with everybody its page names."""
    return references(tenant).filter(pk=pk).first()


def reference_of(tenant: Tenant, account_id: int) -> Reference | None:
    """The reference of an account, where it ever was a candidate."""
    return references(tenant).filter(account_id=account_id).first()


def asks_of(tenant: Tenant, reference_id: int) -> list[ReferenceAsk]:
    """Who was asked, the newest first."""
    found = ReferenceAsk.objects.filter(tenant=tenant, reference_id=reference_id)
    return list(
        found.select_related("contact", "asked_by__user", "noted_by__user").order_by("-id")[:LIST_MAX]
    )


def uses_of(tenant: Tenant, reference_id: int) -> list[ReferenceUse]:
    """For what it was used, the newest first."""
    found = ReferenceUse.objects.filter(tenant=tenant, reference_id=reference_id)
    return list(found.select_related("used_by__user").order_by("-used_on", "-id")[:LIST_MAX])


def requests(tenant: Tenant, *, state: str = "") -> QuerySet[ReferenceRequest]:
    """Requests of sales, the newest first."""
    found = ReferenceRequest.objects.filter(tenant=tenant)
    if state:
        found = found.filter(state=state)
    return found.select_related(
        "reference__account__owner__user", "requested_by__user", "decided_by__user"
    ).order_by("-id")


def people_to_ask(tenant: Tenant, account_id: int) -> list[Contact]:
    """The people of an account who can be written to, those with a role first."""
    found = Contact.objects.filter(tenant=tenant, account_id=account_id, merged_into=None)
    people = list(found.order_by("name", "pk")[:LIST_MAX])
    return sorted(people, key=lambda one: (not one.email, not one.roles, one.name))
