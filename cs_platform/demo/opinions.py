"""What the demo's people think of the accounts: sentiments, overrides that stand, and some of the past to be judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from accounts.models import Account, Membership, Tenant
from scoring.models import KIND_CODES, CurrentScore, Override, StoredScore
from scoring.overrides.services import set_override, set_sentiment

SENTIMENT_SHARE = 28  # of a hundred accounts
CONTRARY = 9  # every so many of them are seen otherwise than the score sees them
PAST_STARTS = (170, 140, 110, 80)  # days ago
PAST_MOVED, PAST_STILL, MONTH = 4, 2, 30
FELT = {3: 5, 2: 3, 1: 2, 0: 3}
FELT_OTHERWISE = {3: 2, 2: 4, 1: 4, 0: 3}
STANDING = (
    (3, "critical", None, 30, "The sponsor leaves at the end of the month and nobody has taken over."),
    (1, "", 71.0, 14, "Migration weekend: usage comes back on Monday."),
    (2, "healthy", None, 60, "Two more teams signed; their users start next month."),
)
PAST_REASON = "Talked to them; the numbers are not the whole story."


def _draw(number: int) -> int:
    """0–99, always the same for the same account."""
    return number * 4_831 % 100


def say_opinions(tenant: Tenant, last_day: date, colleagues: Sequence[Membership]) -> None:
    """Note sentiments, set the overrides that stand, and lay down past ones with what was computed then.

    Only owners speak: accounts of nobody have nobody who knows them.
    """
    owners = dict(
        Account.objects.filter(tenant=tenant, owner__in=list(colleagues), churned_on=None).values_list(
            "pk", "owner_id"
        )
    )
    people = {member.pk: member for member in colleagues}
    rows = list(
        CurrentScore.objects.filter(
            tenant=tenant, kind=KIND_CODES["health"], account_id__in=list(owners), band__gt=0
        )
        .order_by("account_id")
        .values_list("account_id", "band")
    )
    felt = [row for row in rows if _draw(row[0]) < SENTIMENT_SHARE]
    for place, (pk, band) in enumerate(felt):
        value = (FELT_OTHERWISE if place % CONTRARY == CONTRARY // 2 else FELT)[band]
        set_sentiment(tenant=tenant, account_id=pk, value=value, member=people[owners[pk]])
    quiet = [row for row in rows if _draw(row[0]) >= SENTIMENT_SHARE]
    for band, said, score, days, reason in STANDING:
        found = next((pk for pk, computed in quiet if computed == band), None)
        if found is not None:
            set_override(
                tenant=tenant,
                account_id=found,
                band=said,
                score=score,
                days=days,
                reason=reason,
                member=people[owners[found]],
            )
    _lay_down_past(tenant, last_day, [pk for pk, _band in rows], owners)


def _lay_down_past(
    tenant: Tenant, last_day: date, account_ids: Sequence[int], owners: Mapping[int, int | None]
) -> None:
    """Overrides of a month that ended at least a month ago: some said what came, some did not."""
    made = []
    for ago in PAST_STARTS:
        start = last_day - timedelta(days=ago)
        bands: dict[int, dict[date, tuple[int, float | None]]] = {}
        days = (start, start + timedelta(days=2 * MONTH))
        for pk, day, band, score in StoredScore.objects.filter(
            tenant=tenant,
            kind=KIND_CODES["health"],
            account_id__in=list(account_ids),
            day__in=days,
            band__gt=0,
        ).values_list("account_id", "day", "band", "score"):
            bands.setdefault(pk, {})[day] = (band, score)
        both = [(pk, found) for pk, found in sorted(bands.items()) if len(found) == len(days)]
        moved = [one for one in both if one[1][days[0]][0] != one[1][days[1]][0]]
        still = [one for one in both if one not in moved]
        for place, (pk, found) in enumerate([*moved[:PAST_MOVED], *still[ago % 7 :: 11][:PAST_STILL]]):
            computed, score = found[days[0]]
            said = found[days[1]][0] if place < PAST_MOVED and len(moved) > place else 1 + computed % 3
            made.append(
                Override(
                    tenant=tenant,
                    account_id=pk,
                    band=said,
                    reason=PAST_REASON,
                    computed_score=score,
                    computed_band=computed,
                    starts_on=start,
                    until=start + timedelta(days=MONTH),
                    created_by_id=owners[pk],
                    expiry_noted=True,
                )
            )
    Override.objects.bulk_create(made)
