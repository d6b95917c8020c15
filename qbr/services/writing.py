"""Contents of packs for many accounts at once: a constant number of statements, whatever there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils import timezone, translation

from accounts.models import Tenant
from qbr.building.asking import Key, Period, period_until, questions
from qbr.building.material import Material, read_material
from qbr.building.sections import Writer
from qbr.content import PackContent
from qbr.figures import Asked, FigureResult, draw_figures, store_figures
from qbr.models import Figure
from qbr.registers.services import roi_currency
from usage.models import Metric


@dataclass(frozen=True)
class Wanted:
    """A pack to write: for which account and review, looking back from which day."""

    account_id: int
    due_on: date
    first: date
    number: int | None = None
    language: str = ""
    pack_id: int | None = None


@dataclass(frozen=True)
class Written:
    """What was written, for which days and as of when."""

    content: PackContent
    period: Period
    as_of: datetime
    language: str


def write_packs(*, tenant: Tenant, wanted: Sequence[Wanted], store: bool = True) -> dict[int, Written]:
    """Account → its pack's content, one pack for each account. Without `store` no figure is kept: for a comparison."""
    if not wanted:
        return {}
    as_of, today = timezone.now(), tenant.today()
    metrics = {metric.key: metric for metric in Metric.objects.filter(tenant=tenant, active=True)}
    material = read_material(
        tenant,
        [one.account_id for one in wanted],
        due_on={one.account_id: one.due_on for one in wanted},
        languages={one.account_id: one.language for one in wanted},
        packs={one.account_id: one.pack_id for one in wanted if one.pack_id is not None},
    )
    wanted = [one for one in wanted if one.account_id in material]
    periods = {one.account_id: period_until(one.first, one.due_on, today) for one in wanted}
    places: list[tuple[int, Key]] = []
    asked: list[Asked] = []
    for one in wanted:
        currency = roi_currency(tenant, material[one.account_id].account)
        for key, question in questions(one.account_id, periods[one.account_id], metrics, currency):
            places.append((one.account_id, key))
            asked.append(question)
    drawn: dict[int, dict[Key, tuple[Figure, FigureResult]]] = {one.account_id: {} for one in wanted}
    answers = draw_figures(tenant=tenant, asked=asked, as_of=as_of, live=True)
    for (account_id, key), answer in zip(places, answers, strict=True):
        drawn[account_id][key] = answer
    writers = {
        pk: Writer(
            material[pk], periods[pk], drawn[pk], metrics, roi_currency(tenant, material[pk].account), today
        )
        for pk in drawn
    }
    contents = {pk: _in_its_language(writer) for pk, writer in writers.items()}
    if store:
        # What was shown is known now; with ids, the same is written again.
        store_figures([drawn[pk][key][0] for pk, writer in writers.items() for key in writer.used])
        contents = {pk: _in_its_language(writer) for pk, writer in writers.items()}
    return {
        pk: Written(content, periods[pk], as_of, material[pk].language) for pk, content in contents.items()
    }


def _in_its_language(writer: Writer) -> PackContent:
    with translation.override(writer.language):
        return writer.write()


def material_of(tenant: Tenant, account_id: int, *, due_on: date, language: str, pack_id: int) -> Material:
    """What is known of one account beside its figures."""
    return read_material(
        tenant,
        [account_id],
        due_on={account_id: due_on},
        languages={account_id: language},
        packs={account_id: pack_id},
    )[account_id]
