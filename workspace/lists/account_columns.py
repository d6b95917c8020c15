"""The columns of the list of accounts: the house's own, the tenant's metrics, its declared fields."""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.custom_fields import declared_fields
from accounts.models import Account, CustomField, Tenant
from accounts.visibility import money_hidden
from usage.models import Metric
from usage.recent import ADDED, place_of
from workspace.bands import HEALTH_BANDS

from . import columns as c
from .columns import Book, Column, sql_text

ACCOUNT = gettext_lazy("Account")
HEALTH = gettext_lazy("Health")
RELATION = gettext_lazy("How it stands with them")
USAGE = gettext_lazy("Usage, as of last night")
FIELDS = gettext_lazy("Custom fields")
BANDS = tuple((band.key, band.word) for band in HEALTH_BANDS)
MOST_METRICS = 60

HOUSE: tuple[Column, ...] = (
    Column("name", gettext_lazy("Account"), c.TEXT, "a.name_search", nullable=False, group=ACCOUNT),
    Column(
        "external_id", gettext_lazy("External id"), c.TEXT, "a.external_id", nullable=False, group=ACCOUNT
    ),
    Column("owner", gettext_lazy("Owner"), c.OWNER, "a.owner_id", group=ACCOUNT),
    Column("segment", gettext_lazy("Segment"), c.ONE, 'a.segment COLLATE "C"', nullable=False, group=ACCOUNT),
    Column("stage", gettext_lazy("Stage"), c.ONE, 'a.stage COLLATE "C"', nullable=False, group=ACCOUNT),
    Column("plan", gettext_lazy("Plan"), c.ONE, 'a.plan COLLATE "C"', nullable=False, group=ACCOUNT),
    Column(
        "plan_kind",
        gettext_lazy("Kind of plan"),
        c.ONE,
        'a.plan_kind COLLATE "C"',
        nullable=False,
        group=ACCOUNT,
        options=tuple(Account.PlanKind.choices),
    ),
    Column(
        "touch_model",
        gettext_lazy("Touch model"),
        c.ONE,
        'a.touch_model COLLATE "C"',
        nullable=False,
        group=ACCOUNT,
        options=tuple(Account.TouchModel.choices),
    ),
    Column("mrr", gettext_lazy("MRR"), c.MONEY, "a.mrr_cents", nullable=False, group=ACCOUNT, secret=True),
    Column(
        "currency", gettext_lazy("Currency"), c.ONE, 'a.currency COLLATE "C"', nullable=False, group=ACCOUNT
    ),
    Column("seats", gettext_lazy("Seats"), c.NUMBER, "a.seats", group=ACCOUNT),
    Column("renewal", gettext_lazy("Renewal"), c.DATE, "a.renewal_on", group=ACCOUNT),
    Column("go_live", gettext_lazy("Go-live"), c.DATE, "a.go_live_on", group=ACCOUNT),
    Column("first_seen", gettext_lazy("First seen"), c.DATE, "a.first_seen_on", group=ACCOUNT),
    Column("tags", gettext_lazy("Tags"), c.WORDS, "a.tags::text[]", group=ACCOUNT),
    Column("score", gettext_lazy("Health score"), c.NUMBER, "s.score", ("s",), group=HEALTH),
    Column(
        "band", gettext_lazy("Health band"), c.BAND, "s.band", ("s",), options=BANDS, group=HEALTH, lacking=0
    ),
    Column("coverage", gettext_lazy("Coverage, %"), c.NUMBER, "s.coverage * 100", ("s",), group=HEALTH),
    Column(
        "change_7",
        gettext_lazy("Score change in 7 days"),
        c.NUMBER,
        "(s.score - s.score_7)",
        ("s",),
        group=HEALTH,
    ),
    Column(
        "change_30",
        gettext_lazy("Score change in 30 days"),
        c.NUMBER,
        "(s.score - s.score_30)",
        ("s",),
        group=HEALTH,
    ),
    Column(
        "alerts",
        gettext_lazy("Open alerts"),
        c.NUMBER,
        "coalesce(alerts.n, 0)",
        ("alerts",),
        False,
        group=RELATION,
        lacking=0,
    ),
    Column("sentiment", gettext_lazy("Sentiment"), c.NUMBER, "mood.value", ("mood",), group=RELATION),
    Column("nps", gettext_lazy("Last NPS answer"), c.NUMBER, "nps.score", ("nps",), group=RELATION),
    Column("touch", gettext_lazy("Last touch"), c.MOMENT, "touch.at", ("touch",), group=RELATION),
)
STATIC = Book({column.key: column for column in HOUSE})
DEFAULT_COLUMNS = ("score", "spark", "owner", "segment", "stage", "plan", "mrr", "renewal")


def account_book(tenant: Tenant) -> Book:
    """Every column that the tenant's list of accounts offers to whoever asks; two queries."""
    found = {column.key: column for column in HOUSE}
    metrics = list(Metric.objects.filter(tenant=tenant, active=True).order_by("name", "key"))
    for column in _metric_columns(metrics):
        found[column.key] = column
    declared = declared_fields(tenant).fields.values()
    for field in declared:
        column = field_column(field)
        found[column.key] = column
    if money_hidden():
        found = {key: column for key, column in found.items() if not column.secret}
    return Book(found, tuple(declared))


def _metric_columns(metrics: Iterable[Metric]) -> Iterable[Column]:
    """Two columns for each metric that `usage_recent` holds: the last 7 and the last 28 days."""
    known = {metric.key: metric for metric in metrics}
    offered = [m for m in known.values() if _metric_sql(m, known, "week") is not None][:MOST_METRICS]
    windows = (("week", 7, _("%(metric)s, 7 days")), ("month", 28, _("%(metric)s, 28 days")))
    for metric in offered:
        for name, days, words in windows:
            sql = _metric_sql(metric, known, name)
            if sql is not None:
                yield Column(
                    f"m{days}.{metric.key}",
                    words % {"metric": str(metric)},
                    c.NUMBER,
                    sql,
                    ("w",),
                    group=USAGE,
                    unit=metric.unit,
                )


def _metric_sql(metric: Metric, known: dict[str, Metric], name: str) -> str | None:
    if metric.kind == Metric.Kind.RATIO:
        parts = [known.get(metric.numerator), known.get(metric.denominator)]
        if not all(part is not None and part.kind in ADDED and place_of(part) for part in parts):
            return None
        top, below = (f"w.{name}[{place_of(part)}]" for part in parts if part is not None)
        return f"({top} / nullif({below}, 0))"
    place = place_of(metric)
    return None if place is None else f"w.{name}[{place}]"


def field_column(field: CustomField) -> Column:
    """The column of a declared field. A value that does not fit the kind counts as empty."""
    kinds = CustomField.Kind
    value = f"a.custom ->> {sql_text(field.key)}"
    place = f"a.custom -> {sql_text(field.key)}"
    text = f"(CASE WHEN jsonb_typeof({place}) = 'string' THEN {value} END) COLLATE \"C\""
    number = f"CASE WHEN jsonb_typeof({place}) = 'number' THEN ({value})::double precision END"
    day = f"({value}) ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}$' AND pg_input_is_valid({value}, 'date')"
    sql, kind = {
        kinds.TEXT: (text, c.TEXT),
        kinds.LINK: (text, c.LINK),
        kinds.CHOICE: (text, c.ONE),
        kinds.MEMBER: (text, c.ONE),
        kinds.NUMBER: (f"({number})", c.NUMBER),
        kinds.MONEY: (f"({number})::bigint", c.MONEY),
        kinds.DATE: (f"(CASE WHEN {day} THEN ({value})::date END)", c.DATE),
        kinds.BOOL: (f"(CASE WHEN jsonb_typeof({place}) = 'boolean' THEN ({place})::boolean END)", c.BOOL),
        kinds.CHOICES: (
            f"(CASE WHEN jsonb_typeof({place}) = 'array' "
            f"THEN ARRAY(SELECT jsonb_array_elements_text({place})) END)",
            c.WORDS,
        ),
    }[kinds(field.kind)]
    return Column(
        f"f.{field.key}",
        str(field),
        kind,
        sql,
        group=FIELDS,
        options=tuple((one, one) for one in field.options),
        secret=field.kind == kinds.MONEY,
        field_key=field.key,
    )
