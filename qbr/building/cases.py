"""Real cases of other customers: apps above offer them, a pack shows them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.utils.module_loading import import_string

from accounts.models import Tenant

Cases = Mapping[int, Sequence[str]]
_sources: list[str] = []


def register_case_source(service: str) -> None:
    """Name a selector `(*, tenant, account_ids, language_of) -> {account id: sentences}` by its dotted path.

    `language_of` says in which language each account reads. Called from an app's `ready()`.
    """
    if service not in _sources:
        _sources.append(service)


def cases_for(
    *, tenant: Tenant, account_ids: Sequence[int], language_of: Mapping[int, str]
) -> dict[int, list[str]]:
    """What all sources offer for these accounts."""
    out: dict[int, list[str]] = {pk: [] for pk in account_ids}
    for path in _sources:
        offer: Callable[..., Any] = import_string(path)
        found: Cases = offer(tenant=tenant, account_ids=account_ids, language_of=language_of)
        for pk, sentences in found.items():
            out[pk] += sentences
    return out
