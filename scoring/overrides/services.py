"""Setting and ending overrides, and noting sentiment. The computed score is never touched."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.access import has_role, may_work_on
from accounts.models import Account, Membership, Role, Tenant, TimelineEntry
from accounts.services import record_audit, record_timeline
from scoring.bands import BAND_NAMES, UNKNOWN, Bands
from scoring.models import KIND_CODES, CurrentScore, Override, Sentiment
from scoring.models.judgement import BEST_SENTIMENT, WORST_SENTIMENT
from scoring.overrides import timeline
from usage.models import Metric, Source
from usage.services import install_starter_metrics, push_metric_values

EXPIRY_DAYS = (7, 14, 30, 60, 90)
DEFAULT_DAYS = 30
REASON_LENGTH = 1000
SENTIMENT_METRIC = "sentiment"
SENTIMENT_SOURCE = "team"
NEVER_QUIET_HOURS = (
    24 * 365 * 100
)  # people are no feed: that nobody noted anything is not a source gone quiet
COUNTS_AGAIN = gettext_noop("The computed score counts again")
TEAM_NOTES = gettext_noop("What the team notes")
NOTED = gettext_noop("%(value)s of 5")
BANDS = {name: code for code, name in enumerate(BAND_NAMES["health"]) if code != UNKNOWN}


def may_override(member: Membership | None, account: Account) -> bool:
    """Managers every account, a CSM the own ones; `None` is the system or an API key with the right to write."""
    if member is None or has_role(member, Role.MANAGER):
        return True
    return has_role(member, Role.CSM) and account.owner_id == member.pk


def set_override(
    *,
    tenant: Tenant,
    account_id: int,
    reason: str,
    days: int = DEFAULT_DAYS,
    band: str = "",
    score: float | None = None,
    member: Membership | None = None,
) -> Override:
    """Override an account's health; an override that stands is ended by the new one.

    Raises `Account.DoesNotExist`, `PermissionDenied`, and `ValidationError` that says what is missing.
    """
    account = _locked(tenant, account_id)
    if not may_override(member, account):
        raise PermissionDenied
    today = tenant.today()
    current = _current(tenant, account_id)
    code = _checked(account, today, current, reason=reason, days=days, band=band, score=score)
    before = _end_standing(tenant, account_id, today, member)
    made = Override.objects.create(
        tenant=tenant,
        account=account,
        band=code,
        score=score,
        reason=reason.strip(),
        computed_score=current.score if current else None,
        computed_band=current.band if current else UNKNOWN,
        starts_on=today,
        until=today + timedelta(days=days),
        created_by=member,
    )
    _journal(tenant, account, member, "override.set", [_plain(one) for one in before] or None, _plain(made))
    record_timeline(
        tenant=tenant,
        account_id=account_id,
        kind=timeline.OVERRIDE_SET,
        at=timezone.now(),
        title=_set_title(tenant, made),
        data={"text": made.reason},
        actor=member,
    )
    return made


def _locked(tenant: Tenant, account_id: int) -> Account:
    """The account, locked: two overrides at once must not both stand."""
    return Account.objects.select_for_update().get(tenant=tenant, pk=account_id)


def _current(tenant: Tenant, account_id: int) -> CurrentScore | None:
    rows = CurrentScore.objects.filter(tenant=tenant, kind=KIND_CODES["health"], account_id=account_id)
    return rows.select_related("version").first()


def _checked(
    account: Account,
    today: date,
    current: CurrentScore | None,
    *,
    reason: str,
    days: int,
    band: str,
    score: float | None,
) -> int:
    """The code of the band that is meant; raises `ValidationError` that names every fault."""
    problems: dict[str, str] = {}
    if not reason.strip():
        problems["reason"] = _("Say why. Without a reason nobody can judge the override later.")
    elif len(reason.strip()) > REASON_LENGTH:
        problems["reason"] = _("Use at most %(most)s characters.") % {"most": REASON_LENGTH}
    if days not in EXPIRY_DAYS:
        problems["days"] = _("An override ends after 7, 14, 30, 60 or 90 days; choose one of them.")
    if band and band not in BANDS:
        problems["band"] = _("Choose healthy, at risk or critical.")
    if score is not None and not (math.isfinite(score) and 0 <= score <= 100):
        problems["score"] = _("Enter a score between 0 and 100.")
    if not band and score is None:
        problems["band"] = _("Say which band or which score the account should have.")
    if account.churned_on and account.churned_on <= today:
        problems["__all__"] = _("The account has churned; there is no health to override.")
    code = BANDS.get(band, UNKNOWN)
    if not problems and score is not None:
        meant = _band_of_score(score, current)
        if band and meant != code:
            problems["score"] = _("This score is in another band. Leave one of the two empty.")
        code = meant
    if problems:
        raise ValidationError(problems)
    return code


def _band_of_score(score: float, current: CurrentScore | None) -> int:
    """The band of a score under the thresholds that the account's model has today."""
    bands = Bands()
    if current is not None:
        bands = Bands("health", current.version.healthy_above, current.version.critical_below)
    return 3 if score > bands.above else 1 if score < bands.below else 2


def _end_standing(tenant: Tenant, account_id: int, today: date, member: Membership | None) -> list[Override]:
    standing = list(
        Override.objects.filter(tenant=tenant, account_id=account_id, ended_on=None, until__gt=today)
    )
    Override.objects.filter(tenant=tenant, pk__in=[one.pk for one in standing]).update(
        ended_on=today, ended_by=member
    )
    return standing


def end_override(
    *, tenant: Tenant, override_id: int, account_id: int | None = None, member: Membership | None = None
) -> Override:
    """End an override before its time; the computed score shows again at once.

    Raises `Override.DoesNotExist`, `PermissionDenied`, and `ValidationError` when it has ended already.
    """
    rows = Override.objects.filter(tenant=tenant, pk=override_id)
    if account_id is not None:
        rows = rows.filter(account_id=account_id)
    account = _locked(tenant, rows.get().account_id)
    if not may_override(member, account):
        raise PermissionDenied
    override = rows.select_related("account").get()
    today = tenant.today()
    if override.ended_on is not None or override.until <= today:
        raise ValidationError(_("This override has ended already."), code="ended")
    before = _plain(override)
    override.ended_on, override.ended_by = today, member
    override.save(update_fields=["ended_on", "ended_by"])
    _journal(tenant, account, member, "override.ended", before, _plain(override))
    record_timeline(
        tenant=tenant,
        account_id=account.pk,
        kind=timeline.OVERRIDE_ENDED,
        at=timezone.now(),
        title=_in_its_language(tenant, COUNTS_AGAIN),
        actor=member,
    )
    return override


def note_expired_overrides(*, tenant: Tenant) -> int:
    """Put overrides that ran out on the timeline, each once; they had stopped counting by themselves."""
    today = tenant.today()
    gone = list(
        Override.objects.select_for_update()
        .filter(tenant=tenant, ended_on=None, until__lte=today, expiry_noted=False)
        .order_by("pk")
    )
    title = _in_its_language(tenant, COUNTS_AGAIN)
    TimelineEntry.objects.bulk_create(
        TimelineEntry(
            tenant=tenant,
            account_id=override.account_id,
            kind=timeline.OVERRIDE_EXPIRED,
            at=datetime.combine(override.until, time.min, tzinfo=tenant.tz),
            title=title,
        )
        for override in gone
    )
    Override.objects.filter(tenant=tenant, pk__in=_ids(gone)).update(expiry_noted=True)
    return len(gone)


def _ids(overrides: Iterable[Override]) -> list[int]:
    return [override.pk for override in overrides]


def set_sentiment(
    *, tenant: Tenant, account_id: int, value: int, note: str = "", member: Membership | None = None
) -> Sentiment:
    """Note how an account is seen, 1 to 5. It is kept beside the score and never mixed into it by itself.

    The value is pushed as the metric `sentiment`, so that a model or a rule may read it where an admin says so.
    """
    account = Account.objects.get(tenant=tenant, pk=account_id)
    if member is not None and not may_work_on(member, account):
        raise PermissionDenied
    problems = {}
    if isinstance(value, bool) or not WORST_SENTIMENT <= value <= BEST_SENTIMENT:
        problems["value"] = _("Choose a sentiment from 1 to 5.")
    if len(note) > REASON_LENGTH:
        problems["note"] = _("Use at most %(most)s characters.") % {"most": REASON_LENGTH}
    if problems:
        raise ValidationError(problems)
    today = tenant.today()
    made = Sentiment.objects.create(
        tenant=tenant, account=account, value=value, note=note.strip(), day=today, created_by=member
    )
    _push_sentiment(tenant, account, today, value)
    record_timeline(
        tenant=tenant,
        account_id=account_id,
        kind=timeline.SENTIMENT_SET,
        at=timezone.now(),
        title=_in_its_language(tenant, NOTED) % {"value": value},
        data={"text": made.note} if made.note else {},
        actor=member,
    )
    return made


def end_sentiments(*, tenant: Tenant, account_ids: Sequence[int]) -> dict[int, list[int]]:
    """Nobody's view counts for these accounts any more, for who looks after them has changed; what ended, by account.

    The metric is cleared as well. What was said stays to be read.
    """
    today = tenant.today()
    standing = Sentiment.objects.select_for_update().filter(
        tenant=tenant, account_id__in=account_ids, ended_on=None
    )
    ended: dict[int, list[int]] = {}
    for pk, account_id in standing.values_list("pk", "account_id"):
        ended.setdefault(account_id, []).append(pk)
    Sentiment.objects.filter(tenant=tenant, pk__in=[pk for ids in ended.values() for pk in ids]).update(
        ended_on=today
    )
    _push_sentiments(tenant, dict.fromkeys(ended), today)
    return ended


def restore_sentiments(*, tenant: Tenant, ended: Mapping[int, Sequence[int]]) -> None:
    """What ended counts again, where nobody has said anything since."""
    since = set(
        Sentiment.objects.filter(tenant=tenant, account_id__in=list(ended), ended_on=None).values_list(
            "account_id", flat=True
        )
    )
    ids = [pk for account_id, own in ended.items() if account_id not in since for pk in own]
    Sentiment.objects.filter(tenant=tenant, pk__in=ids).update(ended_on=None)
    newest = (
        Sentiment.objects.filter(tenant=tenant, pk__in=ids)
        .order_by("account_id", "-id")
        .distinct("account_id")
    )
    _push_sentiments(tenant, {row.account_id: row.value for row in newest}, tenant.today())


def _push_sentiments(tenant: Tenant, values: Mapping[int, int | None], day: date) -> None:
    """Push the metric for many accounts; None clears it."""
    if not values or not Metric.objects.filter(tenant=tenant, key=SENTIMENT_METRIC).exists():
        return
    names = dict(Account.objects.filter(tenant=tenant, pk__in=list(values)).values_list("pk", "external_id"))
    push_by_team(
        tenant=tenant,
        items=[
            {"account_id": names[pk], "metric": SENTIMENT_METRIC, "day": day, "value": value}
            for pk, value in values.items()
            if pk in names
        ],
    )


def _push_sentiment(tenant: Tenant, account: Account, day: date, value: int) -> None:
    """The way every pushed value goes; a tenant that switched the metric off keeps the sentiment all the same."""
    if not Metric.objects.filter(tenant=tenant, key=SENTIMENT_METRIC).exists():
        install_starter_metrics(tenant=tenant)  # a tenant from before there was this metric
    item: dict[str, Any] = {
        "account_id": account.external_id,
        "metric": SENTIMENT_METRIC,
        "day": day,
        "value": value,
    }
    push_by_team(tenant=tenant, items=[item])


def push_by_team(*, tenant: Tenant, items: Sequence[Mapping[str, Any]]) -> None:
    """Push values that people, or the platform for them, have noted: their source never counts as quiet."""
    push_metric_values(tenant=tenant, items=items, source=SENTIMENT_SOURCE)
    Source.objects.filter(tenant=tenant, key=SENTIMENT_SOURCE).exclude(fresh_hours=NEVER_QUIET_HOURS).update(
        name=_in_its_language(tenant, TEAM_NOTES), fresh_hours=NEVER_QUIET_HOURS
    )


def _journal(
    tenant: Tenant,
    account: Account,
    member: Membership | None,
    action: str,
    before: Any,
    after: dict[str, Any],
) -> None:
    record_audit(
        tenant=tenant,
        actor=member,
        action=action,
        target=account.external_id,
        before={"overrides": before} if isinstance(before, list) else before,
        after=after,
    )


def _plain(override: Override) -> dict[str, Any]:
    return {
        "id": override.pk,
        "band": BAND_NAMES["health"][override.band],
        "score": override.score,
        "reason": override.reason,
        "computed_score": override.computed_score,
        "until": override.until.isoformat(),
        "ended_on": override.ended_on.isoformat() if override.ended_on else None,
    }


def _in_its_language(tenant: Tenant, text: str) -> str:
    """What stays written is written in the company's language, whoever did it."""
    with translation.override(tenant.language):
        return _(text)


def _set_title(tenant: Tenant, override: Override) -> str:
    with translation.override(tenant.language):
        words = {
            "band": str(CurrentScore.Band(override.band).label),
            "score": "" if override.score is None else f"{override.score:g}",
            "until": date_format(override.until, "SHORT_DATE_FORMAT"),
        }
        if override.score is None:
            return _("%(band)s until %(until)s") % words
        return _("%(score)s, %(band)s, until %(until)s") % words
