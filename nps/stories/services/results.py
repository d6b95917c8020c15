"""The results of a story: figures that were recorded, with words around them; nobody types a number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from accounts.models import Membership, Tenant
from nps.stories.figures import source_text, value_text
from nps.stories.models import Story, StoryResult
from qbr.figures.registry import SourceGone
from qbr.figures.services import Asked, record_figures
from qbr.models import Figure
from usage.models import Metric

from .keeping import demand_editable, keep_text, locked_story

MOST_RESULTS = 6
FIRST_RESULTS = 4  # of a new story
PERIOD_DAYS = 90
WORTH_PCT = 5.0  # a smaller change is no result
GROWTH = ("reply_rate", "close_rate", "demos_booked", "sends", "active_users")


@dataclass(frozen=True)
class Offer:
    """A figure that a story may show: the query, what is asked of it, the words that come with it."""

    query: str
    metric: str = ""
    title: Any = ""

    @property
    def key(self) -> str:
        """Query and metric as one value of a form."""
        return f"{self.query}:{self.metric}"


OFFERS = (
    Offer("roi_total", "", gettext_lazy("Value from the ROI register")),
    Offer("seats_used", "", gettext_lazy("Seats in use")),
    Offer("active_users", "", gettext_lazy("Active people")),
    Offer("features_adopted", "", gettext_lazy("Features in use")),
    Offer("score_on", "", gettext_lazy("Health score")),
    Offer("ticket_hours", "", gettext_lazy("Hours until a ticket was resolved (median)")),
)


def offers_of(tenant: Tenant) -> list[tuple[str, str]]:
    """What can be added: key and words; metrics as they are, and as a change against the period before."""
    found = [(offer.key, str(offer.title)) for offer in OFFERS]
    for metric in sorted(Metric.objects.filter(tenant=tenant, active=True), key=lambda one: str(one).lower()):
        found.append((f"metric_change:{metric.key}", _("Change of %(metric)s") % {"metric": str(metric)}))
        found.append((f"metric_total:{metric.key}", str(metric)))
        if metric.kind == Metric.Kind.RATIO:
            found.append(
                (f"experiment:{metric.key}", _("Winning variant: %(metric)s") % {"metric": str(metric)})
            )
    return found


def record_results(*, tenant: Tenant, story: Story) -> None:
    """The first results of a new story: what grew by itself, the best first; a figure that says nothing is not kept."""
    today = tenant.today()
    first, last = today - timedelta(days=PERIOD_DAYS), today - timedelta(days=1)
    wanted = [Offer("roi_total")]
    keys = set(
        Metric.objects.filter(tenant=tenant, active=True, key__in=GROWTH).values_list("key", flat=True)
    )
    wanted += [Offer("metric_change", key) for key in GROWTH if key in keys]
    if "reply_rate" in keys:
        wanted.append(Offer("experiment", "reply_rate"))
    asked = [_asked(tenant, story, offer, first, last) for offer in wanted]
    figures = [figure for figure in _recorded(tenant, asked) if figure is not None]
    good = [figure for figure in figures if _is_worth(figure)]
    rest = [figure.pk for figure in figures if figure not in good[:FIRST_RESULTS]]
    Figure.objects.filter(tenant=tenant, pk__in=rest).delete()
    with translation.override(story.language):
        for place, figure in enumerate(good[:FIRST_RESULTS], 1):
            StoryResult.objects.create(
                tenant=tenant,
                story=story,
                position=place,
                figure=figure,
                label=_label(figure)[:120],
                detail=_detail(figure)[:200],
                value=value_text(figure),
                source=source_text(tenant, figure),
            )


def _asked(tenant: Tenant, story: Story, offer: Offer, first: date, last: date) -> Asked:
    parameters: dict[str, Any] = {"first": first.isoformat(), "last": last.isoformat()}
    if offer.query == "roi_total":
        # months count whole: from the first day of the month in which the period begins
        parameters["first"] = first.replace(day=1).isoformat()
        parameters["currency"] = story.account.currency or tenant.currency
    if offer.metric:
        parameters["metric"] = offer.metric
    return Asked(story.account_id, offer.query, parameters)


def _recorded(tenant: Tenant, asked: list[Asked]) -> list[Figure | None]:
    """Each figure; None where its source is gone (a ratio without parts has no variants)."""
    now = timezone.now()
    try:
        return [
            figure for figure, _result in record_figures(tenant=tenant, asked=asked, as_of=now, live=True)
        ]
    except SourceGone:
        if len(asked) == 1:
            return [None]
    return [figure for one in asked for figure in _recorded(tenant, [one])]


def _is_worth(figure: Figure) -> bool:
    return figure.value is not None and figure.value >= (0.01 if figure.query == "roi_total" else WORTH_PCT)


def _label(figure: Figure) -> str:
    match figure.query:
        case "roi_total":
            return _("Measured value")
        case "metric_change":
            return pgettext("label of a figure", "More: %(metric)s") % {"metric": figure.subject}
        case "experiment":
            return _("Better with the winning variant: %(metric)s") % {"metric": figure.subject}
        case "seats_used":
            return _("Seats in use")
        case "active_users":
            return _("Active people")
        case "features_adopted":
            return _("Features in use")
        case "score_on":
            return _("Health score")
        case "ticket_hours":
            return _("Hours until a ticket was resolved (median)")
    return figure.subject or figure.query


def _detail(figure: Figure) -> str:
    if figure.query == "metric_change":
        return _("against the %(days)d days before") % {"days": _days(figure.parameters)}
    if figure.query == "roi_total":
        return _("in %(months)d months") % {"months": _months(figure.parameters)}
    if "first" in figure.parameters:
        return _("in %(days)d days") % {"days": _days(figure.parameters)}
    return ""


def _days(parameters: Mapping[str, Any]) -> int:
    return (date.fromisoformat(parameters["last"]) - date.fromisoformat(parameters["first"])).days + 1


def _months(parameters: Mapping[str, Any]) -> int:
    first, last = (date.fromisoformat(parameters[name]) for name in ("first", "last"))
    return (last.year - first.year) * 12 + last.month - first.month + 1


def add_result(
    *,
    tenant: Tenant,
    story_id: int,
    offer: str,
    first: date,
    last: date,
    label: str = "",
    detail: str = "",
    member: Membership | None = None,
) -> StoryResult:
    """Record a figure over a period and show it; refused where there is no data for it."""
    story = locked_story(tenant, story_id, member)
    demand_editable(story)
    if offer not in dict(offers_of(tenant)):
        raise ValidationError({"offer": _("Choose a figure of the list.")})
    if not first <= last < tenant.today() + timedelta(days=1) or (last - first).days > 1100:
        raise ValidationError({"last": _("Choose a period that is over, of three years at most.")})
    places = StoryResult.objects.filter(tenant=tenant, story=story)
    if places.count() >= MOST_RESULTS:
        raise ValidationError(_("Six results are enough; remove one first."))
    query, _colon, metric = offer.partition(":")
    with translation.override(story.language):
        figure = _one(tenant, _asked(tenant, story, Offer(query, metric), first, last))
        result = StoryResult.objects.create(
            tenant=tenant,
            story=story,
            position=(places.aggregate(most=Max("position"))["most"] or 0) + 1,
            figure=figure,
            label=(label.strip() or _label(figure))[:120],
            detail=(detail.strip() or _detail(figure))[:200],
            value=value_text(figure),
            source=source_text(tenant, figure),
        )
    keep_text(tenant, story, member, "result added")
    return result


def _one(tenant: Tenant, asked: Asked) -> Figure:
    (figure,) = _recorded(tenant, [asked])
    if figure is None or figure.value is None:
        raise ValidationError({"offer": _("There is no data for this figure in this period.")})
    return figure


def change_result(
    *, tenant: Tenant, result_id: int, label: str, detail: str, member: Membership | None = None
) -> StoryResult:
    """Change the words around a figure; the number stays what was recorded."""
    result = StoryResult.objects.get(tenant=tenant, pk=result_id)
    story = locked_story(tenant, result.story_id, member)
    demand_editable(story)
    if not label.strip():
        raise ValidationError({"label": _("Say what the figure is.")})
    result.label, result.detail = label.strip()[:120], detail.strip()[:200]
    result.save()
    keep_text(tenant, story, member, "result changed")
    return result


def refresh_result(*, tenant: Tenant, result_id: int, member: Membership | None = None) -> StoryResult:
    """Record the figure anew with what is known now: an edit, so both approvals are void when it differs."""
    result = StoryResult.objects.select_related("figure").get(tenant=tenant, pk=result_id)
    story = locked_story(tenant, result.story_id, member)
    demand_editable(story)
    old = result.figure
    with translation.override(story.language):
        figure = _one(tenant, Asked(story.account_id, old.query, old.parameters))
        result.figure = figure
        result.value, result.source = value_text(figure), source_text(tenant, figure)
    result.save()
    keep_text(tenant, story, member, "figure recorded anew")
    return result


def remove_result(*, tenant: Tenant, result_id: int, member: Membership | None = None) -> Story:
    """Show it no more; the record of the figure stays."""
    result = StoryResult.objects.get(tenant=tenant, pk=result_id)
    story = locked_story(tenant, result.story_id, member)
    demand_editable(story)
    result.delete()
    keep_text(tenant, story, member, "result removed")
    return story
