"""The one house layout: Django fills MJML, mrml makes of it the HTML that mail programs show."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import mrml
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from accounts.brand import BLACK, HEX_COLOUR, LIGHT_SURFACE, WHITE, contrast, readable_on
from accounts.mail import Letter
from accounts.models import Tenant
from outreach.formatting import as_html, plain_html

HOUSE_COLOUR = "#2f5bea"
# By default a named font is fetched from somebody else's server, which then knows who reads what.
NO_FOREIGN_FONTS = mrml.RenderOptions(fonts={})
# What XML 1.0 does not allow; a name with one of them would make the whole mail unreadable.
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


@dataclass(frozen=True)
class Page:
    """What the layout is filled with; `body` is HTML that was made by `formatting.as_html`."""

    subject: str
    body: str
    language: str
    colour: str = ""
    sender: str = ""
    heading: str = ""  # above the body, in mail to members: what a list of mails shows as the subject
    logo: str = ""  # an address, or cid: of a picture that comes along
    action_label: str = ""
    action_url: str = ""
    unsubscribe_url: str = ""
    preview: str = ""
    foot: Sequence[str] = field(default_factory=tuple)


def render(page: Page) -> str:
    """The page as the HTML of a mail."""
    colour = page.colour if HEX_COLOUR.match(page.colour) else HOUSE_COLOUR
    with override(page.language):
        label = _("Stop these mails")
        action = page.action_label or pgettext("a button", "Open")
    source = render_to_string(
        "outreach/mail/layout.mjml",
        {
            "subject": page.subject,
            "preview": page.preview,
            "language": page.language,
            "body": mark_safe(page.body),
            "brand": colour,
            "ink": max((WHITE, BLACK), key=lambda one: contrast(one, colour)),
            "link": readable_on(colour, LIGHT_SURFACE),
            "sender": page.sender,
            "heading": page.heading,
            "logo": page.logo,
            "action_label": action,
            "action_url": page.action_url,
            "unsubscribe_url": page.unsubscribe_url,
            "unsubscribe_label": label,
            "foot": list(page.foot),
        },
    )
    return compiled(NOT_XML.sub("", source))


@lru_cache(maxsize=64)  # a preview and what is sent after it are the same
def compiled(source: str) -> str:
    """MJML as HTML."""
    html: str = mrml.to_html(source, render_options=NO_FOREIGN_FONTS).content
    return html


def dress(letter: Letter, tenant: Tenant | None) -> str:
    """The look of the platform's mail to its own people."""
    with override(letter.language):
        foot = (
            _("You get this because you work with %(name)s here.") % {"name": tenant.name} if tenant else ""
        )
    return render(
        Page(
            subject=letter.subject,
            body=as_html(letter.markup, letter.values)
            if letter.markup
            else plain_html(without_address(letter.text, letter.action_url)),
            language=letter.language,
            colour=tenant.brand_color if tenant else "",
            sender=tenant.name if tenant else "",
            heading=letter.subject,
            action_label=letter.action_label,
            action_url=letter.action_url,
            foot=[foot] if foot else [],
        )
    )


def without_address(text: str, url: str) -> str:
    """The text without the line that is only the address of the button."""
    if not url:
        return text
    return "\n".join(line for line in text.split("\n") if line.strip() != url)
