"""A story on paper: the data of the template, the PDF, pictures of its pages, and whether it fits."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.core.cache import cache
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Tenant
from nps.stories.fitting import Fit, fit_of
from nps.stories.models import Story, StoryPicture
from nps.stories.text import StoryText, text_hash
from outreach.documents.brand import Brand, brand_of
from outreach.documents.pdf import query_document, render_pages, render_pdf

TEMPLATE = "nps/documents/story.typ"
FILES = {StoryPicture.Kind.LOGO: "customer.png", StoryPicture.Kind.PERSON: "person.png"}
KEEP_SECONDS = 86_400
PREVIEW_PPI = 110
MEASURED = ("standfirst", "challenge", "solution", "results_intro", "quote", "title")


def pictures_of(story: Story) -> dict[str, bytes]:
    """The pictures by the name under which the template finds them."""
    if story.pk is None:
        return {}
    return {FILES[StoryPicture.Kind(one.kind)]: bytes(one.png) for one in story.pictures.all()}


def story_data(text: StoryText, images: dict[str, bytes]) -> dict[str, Any]:
    """What the template prints; words in the story's language."""
    with translation.override(text.language):
        words = {
            "kind": _("Case study"),
            "challenge": _("The challenge"),
            "solution": _("The solution"),
            "results": _("The results"),
            "sources": _("Where these figures come from"),
            "open": pgettext("opening quotation mark", "“"),
            "close": pgettext("closing quotation mark", "”"),
            "text": _("This text"),
        }
    return {
        "title": text.title or words["kind"],
        "standfirst": text.standfirst,
        "customer": text.customer,
        "industry": text.industry,
        "challenge": text.challenge,
        "solution": text.solution,
        "results_intro": text.results_intro,
        "results": [
            {
                "number": number,
                "value": one.value,
                "label": one.label,
                "detail": one.detail,
                "source": one.source,
            }
            for number, one in enumerate(text.results, 1)
        ],
        "quote": text.quote,
        "person": text.person,
        "role": text.role,
        "logo": FILES[StoryPicture.Kind.LOGO] if FILES[StoryPicture.Kind.LOGO] in images else "",
        "picture": FILES[StoryPicture.Kind.PERSON] if FILES[StoryPicture.Kind.PERSON] in images else "",
        "hash": text_hash(text)[:32],
        "words": words,
    }


def story_pdf(tenant: Tenant, story: Story, text: StoryText) -> bytes:
    """The PDF of exactly this text."""
    images = pictures_of(story)
    return render_pdf(
        template=TEMPLATE,
        data=story_data(text, images),
        brand=brand_of(tenant),
        language=text.language,
        images=images,
    )


def story_pages(tenant: Tenant, story: Story, text: StoryText, ppi: int = PREVIEW_PPI) -> list[bytes]:
    """A PNG of each page, as the editor shows them."""
    images = pictures_of(story)
    return render_pages(
        template=TEMPLATE,
        data=story_data(text, images),
        brand=brand_of(tenant),
        language=text.language,
        images=images,
        ppi=ppi,
    )


def fit_story(tenant: Tenant, story: Story, text: StoryText) -> Fit:
    """Whether it is two pages; kept for a day, since the same text is asked for on every page of the editor."""
    brand, images = brand_of(tenant), pictures_of(story)
    key = f"story-fit:{tenant.pk}:{_digest(text, brand)}"
    found = cache.get(key)
    if found is None:
        found = query_document(
            template=TEMPLATE,
            data=story_data(text, images),
            brand=brand,
            language=text.language,
            images=images,
            selector="<leaf>",
        )
        cache.set(key, found, KEEP_SECONDS)
    lengths = {name: len(getattr(text, name)) for name in MEASURED}
    lengths["results"] = sum(len(one.label) + len(one.detail) for one in text.results)
    return fit_of(found, max(int(leaf["pages"]) for leaf in found), lengths)


def _digest(text: StoryText, brand: Brand) -> str:
    said = json.dumps([text_hash(text), brand.name, brand.colour, brand.footer])
    return hashlib.sha256(said.encode() + (brand.logo or b"")).hexdigest()
