"""A pack as PDF: its content as data for `qbr/documents/pack.typ`, its charts as SVG."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from outreach.documents.charts import alternative, svg_of
from outreach.documents.pdf import render_pdf
from outreach.documents.text import prose, runs
from qbr.content import Bullets, Chart, Kpis, Section, Table, Text

from .printing import Print, is_drawable, numeric_columns, reason_of, weights_of

TEMPLATE = "qbr/documents/pack.typ"
CHART_SIZE = (640, 240)


def pack_pdf(shown: Print, *, at: datetime | None = None) -> bytes:
    """The PDF; the same pack gives the same bytes."""
    images: dict[str, bytes] = {}
    content = shown.content
    data = {
        "title": content.title,
        "account": content.account_name,
        "period": content.period_label,
        "summary": prose(content.summary_md),
        "sections": [_section(shown, section, images) for section in content.shown],
        "sources": [
            {
                "number": number,
                "title": fact.title,
                "query": fact.query,
                "period": fact.period,
                "as_of": fact.as_of,
                "value": fact.value,
                "rows": str(fact.rows),
                "hash": fact.hash,
            }
            for number, fact in shown.sources
        ],
        "words": dict(shown.words),
    }
    return render_pdf(
        template=TEMPLATE, data=data, brand=shown.brand, language=content.language, images=images, at=at
    )


def _section(shown: Print, section: Section, images: dict[str, bytes]) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "intro": prose(section.intro),
        "empty": reason_of(section, shown.words) if section.is_empty else "",
        "blocks": [_block(shown, block, images) for block in section.blocks],
    }


def _block(shown: Print, block: Any, images: dict[str, bytes]) -> dict[str, Any]:
    match block:
        case Kpis():
            items = [
                {
                    "label": item.label,
                    "value": item.value_text,
                    "unit": item.unit,
                    "change": item.change_text,
                    "mark": shown.mark(item) or 0,
                }
                for item in block.items
            ]
            return {"kind": "kpis", "items": items}
        case Chart():
            return _chart(shown, block, images)
        case Table():
            return {
                "kind": "table",
                "headers": list(block.headers),
                "rows": [list(row) for row in block.rows],
                "weights": weights_of(block),
                "numeric": numeric_columns(block),
                "marks": shown.marks(block.figure_ids),
            }
        case Text():
            return {"kind": "text", "prose": prose(block.md), "marks": shown.marks(block.figure_ids)}
        case Bullets():
            lines = [runs(item) for item in block.items]
            return {"kind": "bullets", "lines": lines, "marks": shown.marks(block.figure_ids)}
    raise TypeError(f"A pack has no block like {block!r}.")


def _chart(shown: Print, block: Chart, images: dict[str, bytes]) -> dict[str, Any]:
    spec, language = block.spec, shown.content.language
    drawn = is_drawable(spec)
    name = f"chart{len(images) + 1}.svg"
    if drawn:
        images[name] = svg_of(spec, shown.brand, language, *CHART_SIZE)
    return {
        "kind": "chart",
        "image": name if drawn else "",
        "title": spec.title,
        "finding": block.finding,
        "alt": alternative(spec, language),
        "marks": shown.marks(block.figure_ids),
    }
