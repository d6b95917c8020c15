"""The glossary: every word of the product in the member's language, by alphabet."""

from __future__ import annotations

import unicodedata

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.requests import TenantRequest
from workspace.access import member_only
from workspace.glossary import TERMS, Term


def _plain(word: str) -> str:
    """A word without accents, for sorting."""
    return "".join(
        sign for sign in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(sign)
    )


@require_safe
@member_only
def glossary(request: TenantRequest) -> HttpResponse:
    """All words at once; each has an anchor that the help of a page points to."""
    by_letter: dict[str, list[Term]] = {}
    for term in sorted(TERMS, key=lambda term: _plain(str(term.word))):
        by_letter.setdefault(_plain(str(term.word))[0].upper(), []).append(term)
    return render(request, "workspace/glossary.html", {"letters": by_letter, "count": len(TERMS)})
