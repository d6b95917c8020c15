"""A pack as PDF: its content as data for `qbr/documents/pack.typ`, its charts as shapes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from outreach.documents.charts import alternative
from outreach.documents.drawing import drawing_of
from outreach.documents.pdf import render_pdf
from outreach.documents.text import prose, runs
from qbr.content import Bullets, Chart, Kpis, Section, Table, Text

from .printing import Print, is_drawable, numeric_columns, reason_of, weights_of

TEMPLATE = "qbr/documents/pack.typ"
CHART_SIZE = (481.0, 176.0)  # points: the width between the margins


def pack_pdf(shown: Print, *, at: datetime | None = None) -> bytes:
    """The PDF; the same pack gives the same bytes."""
    content = shown.content
    data = {
        "title": content.title,
        "account": content.account_name,
        "period": content.period_label,
        "summary": prose(content.summary_md),
        "sections": [_section(shown, section) for section in content.shown],
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
    return render_pdf(template=TEMPLATE, data=data, brand=shown.brand, language=content.language, at=at)


def _section(shown: Print, section: Section) -> dict[str, Any]:
    return {
        "key": section.key,
        "title": section.title,
        "intro": prose(section.intro),
        "empty": reason_of(section, shown.words) if section.is_empty else "",
        "blocks": [_block(shown, block) for block in section.blocks],
    }


def _block(shown: Print, block: Any) -> dict[str, Any]:
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
            return _chart(shown, block)
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


def _chart(shown: Print, block: Chart) -> dict[str, Any]:
    spec, language = block.spec, shown.content.language
    drawing = drawing_of(spec, shown.brand, language, *CHART_SIZE).data() if is_drawable(spec) else None
    return {
        "kind": "chart",
        "drawing": drawing,
        "title": spec.title,
        "finding": block.finding,
        "alt": alternative(spec, language),
        "marks": shown.marks(block.figure_ids),
    }
