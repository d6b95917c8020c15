"""Small parts of pages as tags: icons, bands, scores, times, money.

Tags and not components, because a list draws hundreds of them.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django import forms, template
from django.conf import settings
from django.forms import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import get_script_prefix, reverse
from django.utils import formats, timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from accounts.models import Job, Tenant, User
from accounts.progress import Within, progress_of
from scoring.selectors.trends import Trend
from workspace import formatting
from workspace.bands import band_of
from workspace.navigation import navigation_of, same_words, section_of
from workspace.timeline_kinds import Kind, kind_of

register = template.Library()
TENANT_PREFIX = re.compile(r"/t/[^/]+/\Z")
SPARK_WIDTH, SPARK_HEIGHT = 72.0, 18.0


@register.simple_tag
@lru_cache(maxsize=1024)  # a list draws hundreds of a few
def icon(name: str, classes: str = "") -> SafeString:
    """An outline icon of the sprite; decoration, the words beside it carry the meaning."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        classes,
        static("vendor/icons.svg"),
        name,
    )


@register.simple_tag(takes_context=True)
def navigation(context: dict[str, Any]) -> SafeString:
    """The left navigation of this member on this page."""
    request = context["request"]
    match = request.resolver_match
    return _navigation(
        "_navigation", request.member.role, section_of(match.view_name if match else ""), *same_words()
    )


@register.simple_tag(takes_context=True)
def navigation_keys(context: dict[str, Any]) -> SafeString:
    """The keys that open what is in the navigation, for the list of keys."""
    return _navigation("_navigation_keys", context["request"].member.role, "", *same_words())


@lru_cache(maxsize=1024)  # of every page, and the same on most of them
def _navigation(
    template: str, role: str, section: str, _prefix: str, _language: str, _word: str
) -> SafeString:
    return render_to_string(f"workspace/{template}.html", {"groups": navigation_of(role, section)})


@register.simple_tag
def public_url(name: str) -> str:
    """The path of a page outside the tenant, from inside one."""
    prefix = get_script_prefix()
    path = reverse(name, urlconf=settings.ROOT_URLCONF)
    return TENANT_PREFIX.sub("/", prefix) + path[len(prefix) :]


@register.simple_tag
def tenant_home(tenant: Tenant) -> str:
    """The path of another tenant's first page."""
    return f"{TENANT_PREFIX.sub('/', get_script_prefix())}t/{tenant.slug}/"


@register.simple_tag
def avatar(person: User | Any) -> SafeString:
    """A person's initials."""
    words = [w for w in re.split(r"[\s@.]+", str(person)) if w]
    return format_html(
        '<span class="avatar-s" aria-hidden="true">{}</span>', "".join(w[0] for w in words[:2]).upper()
    )


@register.simple_tag
def plain(value: float | int | str | None) -> str:
    """A number for an attribute: a point, no separators, whatever the language."""
    return "0" if value in (None, "") else f"{float(str(value)):.1f}".removesuffix(".0")


@register.filter
def undo_address(tags: str) -> str:
    """The address a toast's undo posts to."""
    return next((tag.removeprefix("undo:") for tag in tags.split() if tag.startswith("undo:")), "")


@register.simple_tag
def band(value: int | str | None) -> SafeString:
    """The band as icon and word on its colour."""
    found = band_of(value)
    return format_html('<span class="band band-{}">{}{}</span>', found.key, icon(found.icon), found.word)


@register.simple_tag
def score(
    value: float | None, band_code: int | str | None, coverage: float | None = None, decimals: int = 0
) -> SafeString:
    """A score with its band, and its coverage when something was missing."""
    note: SafeString | str = ""
    if coverage is not None and value is not None and coverage < 1:
        note = format_html(
            '<span class="meta" title="{}">{}</span>',
            _("share of the score that had data"),
            formatting.percent(coverage * 100),
        )
    return format_html(
        '<span class="score"><span class="score-figure">{}</span>{}{}</span>',
        formatting.number(value, decimals),
        band(band_code),
        note,
    )


@register.simple_tag
def health(
    value: float | None,
    band_code: int | str | None,
    coverage: float | None = None,
    override: Any = None,
    moved: Trend | None = None,
    decimals: int = 0,
) -> SafeString:
    """An account's health and where it goes; or what it was overridden with, and all that is computed beside it."""
    if override is None:
        return format_html("{} {}", score(value, band_code, coverage, decimals), trend(moved))
    said: SafeString | str = ""
    if override.score is not None:
        said = format_html(
            '<span class="score-figure">{}</span>', formatting.number(override.score, decimals)
        )
    words = _("overridden until %(until)s, computed %(score)s") % {
        "until": formatting.short_date(override.until),
        "score": formatting.number(value, decimals),
    }
    return format_html(
        '<span class="score">{}{}</span> <span class="overridden">{}<span>{} {} {}</span></span>',
        said,
        band(override.band),
        icon("pencil", "icon-s"),
        words,
        band_of(band_code).word,
        trend(moved),
    )


SENTIMENT_ICONS = {1: "mood-cry", 2: "mood-sad", 3: "mood-neutral", 4: "mood-smile", 5: "mood-happy"}


@register.simple_tag
def sentiment(value: int) -> SafeString:
    """How the team sees an account: a face and the number."""
    words = _("%(value)s of 5") % {"value": value}
    return format_html(
        '<span class="inline nowrap" title="{}">{}{}</span>',
        _("Sentiment"),
        icon(SENTIMENT_ICONS[value]),
        words,
    )


@register.simple_tag
def trend(found: Trend | None) -> SafeString:
    """How the score moved in a week under one version, or since its version began; nothing across versions."""
    if found is None or found.change is None or round(found.change) == 0:
        return mark_safe("")
    if found.version is None:
        period = format_html('<span class="visually-hidden">{}</span>', _("in 7 days"))
    else:
        period = format_html("{}", _("since version %(number)s") % {"number": found.version})
    return delta(found.change, period)


@register.simple_tag
def delta(value: float | None, period: str = "", decimals: int = 0) -> SafeString:
    """A signed difference with its period; the sign and the arrow say it without the colour."""
    if value is None:
        return mark_safe("")
    rounded = round(value, decimals)
    shown = formatting.number(abs(rounded), decimals)
    if rounded == 0:
        return format_html('<span class="delta">±0 {}</span>', period) if period else mark_safe("")
    way, sign, arrow = ("up", "+", "arrow-narrow-up") if rounded > 0 else ("down", "−", "arrow-narrow-down")
    return format_html('<span class="delta delta-{}">{}{}{} {}</span>', way, icon(arrow), sign, shown, period)


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """A moment in words, the exact time on hover."""
    if at is None:
        return format_html('<span class="muted">{}</span>', _("never"))
    local = timezone.localtime(at)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        at.isoformat(),
        formats.date_format(local, "DATETIME_FORMAT"),
        formatting.relative_time(at, timezone.now()),
    )


@register.simple_tag(takes_context=True)
def day(context: dict[str, Any], value: date | None) -> SafeString:
    """A day in words, the date on hover; today is the tenant's today."""
    if value is None:
        return mark_safe(formatting.NO_VALUE)
    tenant = context.get("tenant")
    return _day(value, tenant.today() if tenant else timezone.localdate(), *same_words()[1:])


@lru_cache(maxsize=4096)  # a list says the same few days over and over
def _day(value: date, today: date, _language: str, _word: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        formats.date_format(value),
        formatting.relative_day(value, today),
    )


@register.simple_tag
def calendar_day(value: date | None) -> str:
    """A day as a short date."""
    return formatting.NO_VALUE if value is None else formatting.short_date(value)


@register.simple_tag
def money(cents: int | None, currency: str = "") -> str:
    """An amount with its currency."""
    return formatting.money(cents, currency)


@register.simple_tag
def short_money(cents: int | None, currency: str = "") -> str:
    """An amount rounded for a tile."""
    return formatting.short_money(cents, currency)


@register.simple_tag
def number(value: float | int | None, decimals: int | None = None) -> str:
    """A number with the member's separators."""
    return formatting.number(value, decimals)


@register.simple_tag
def percent(value: float | None, decimals: int = 0) -> str:
    """A 0–100 figure with its sign."""
    return formatting.percent(value, decimals)


@register.simple_tag
def spark(values: list[float | None], label: str = "") -> SafeString:
    """A sparkline drawn on the server."""
    path = formatting.spark_path(values, SPARK_WIDTH, SPARK_HEIGHT)
    if not path:
        return format_html('<span class="muted">{}</span>', formatting.NO_VALUE)
    last_x, last_y = path.split("M")[-1].split("L")[-1].split()
    return mark_safe(  # a list draws fifty; the path is figures of ours
        f'<svg class="spark" width="{SPARK_WIDTH:.0f}" height="{SPARK_HEIGHT:.0f}" role="img" '
        f'aria-label="{escape(label)}"><path d="{path}"></path><circle cx="{last_x}" cy="{last_y}" r="2"></circle></svg>'
    )


@register.filter
def is_checkbox(field: BoundField) -> bool:
    """Whether the control is a tick box, whose label stands behind it."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.filter
def dressed(field: BoundField) -> SafeString:
    """The control with the look of its kind, tied to its hint and error for screen readers."""
    widget = field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        look = "form-check-input"
    elif isinstance(widget, forms.CheckboxSelectMultiple):
        look = "choices"  # of the frame and of each box in it
    elif isinstance(widget, forms.Select):
        look = "form-select"
    else:
        look = "form-control"
    attrs: dict[str, str | bool] = {"class": f"{look} invalid" if field.errors else look}
    described = [f"{field.auto_id}_helptext"] if field.help_text else []
    if field.errors:
        described.append(f"{field.auto_id}_error")
        attrs["aria-invalid"] = "true"
    if described:
        attrs["aria-describedby"] = " ".join(described)
    if not widget.attrs.get("rows") and isinstance(widget, forms.Textarea):
        attrs["rows"] = "3"
    return field.as_widget(attrs=attrs)


STAGES = {
    "onboarding": gettext_lazy("Onboarding"),
    "active": gettext_lazy("Active"),
    "renewal": gettext_lazy("Renewal"),
    "churned": gettext_lazy("Churned"),
    "trial": gettext_lazy("Trial"),
}


@register.filter
def stage_word(stage: str) -> str:
    """A lifecycle stage in the member's language; a tenant's own stages as they are."""
    return str(STAGES.get(stage, stage)) or formatting.NO_VALUE


@register.simple_tag
def sort_head(link: dict[str, str], title: str, classes: str = "") -> SafeString:
    """The head of a column that sorts the list."""
    state = format_html(' aria-sort="{}"', link["state"]) if link["state"] else ""
    arrow = (
        icon("chevron-down" if link["state"] == "descending" else "chevron-up", "icon-s")
        if link["state"]
        else ""
    )
    return format_html(
        '<th scope="col" class="{}"{}><a href="{}">{}{}</a></th>', classes, state, link["url"], title, arrow
    )


@register.filter
def entry_kind(key: str) -> Kind:
    """Word and icon of a kind of timeline entry."""
    return kind_of(key)


@register.filter
def job_percent(job: Job) -> int:
    """How far a job is, 0–100; the chunk that runs counts as far as it says it is."""
    within = progress_of(job)
    return int(100 * (job.done + (within.share if within else 0)) / job.total) if job.total else 0


@register.filter
def job_within(job: Job) -> Within | None:
    """How many rows of the chunk that runs are done."""
    return progress_of(job)


SEVERITIES = {
    "high": (pgettext_lazy("severity", "High"), "alert-hexagon", "severity-critical"),
    "medium": (pgettext_lazy("severity", "Medium"), "alert-triangle", "severity-warning"),
    "low": (pgettext_lazy("severity", "Low"), "info-circle", "soft"),
}


@register.simple_tag
def severity(key: str) -> SafeString:
    """How bad a finding is, as icon and word."""
    word, name, tone = SEVERITIES[key]
    return format_html('<span class="inline nowrap {}">{}{}</span>', tone, icon(name, "icon-s"), word)


@register.simple_tag
def share(value: float | None, decimals: int = 0) -> str:
    """A 0–1 share as percent."""
    return formatting.percent(None if value is None else value * 100, decimals)


@register.simple_tag
def severity_mark(key: str) -> SafeString:
    """How bad a finding is, as an icon for narrow lists; the word is there for screen readers and on hover."""
    word, name, tone = SEVERITIES[key]
    return format_html(
        '<span class="{}" title="{}">{}<span class="visually-hidden">{}</span></span>',
        tone,
        word,
        icon(name),
        word,
    )
