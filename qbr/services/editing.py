"""Changing what a pack says: the summary, a section, the language; and bringing its figures up to date."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from qbr.content import Block, Bullets, Kpis, PackContent, Section, Table, Text, from_json, to_json
from qbr.figures import Verdict, verify_figures
from qbr.models import Figure, Pack

from .states import editable_pack
from .writing import Wanted, Written, write_packs

SUMMARY_LENGTH = 6_000
INTRO_LENGTH = 4_000
TITLE_LENGTH = 200
LINE_LENGTH = 1_000
LANGUAGES = ("en", "es")


@dataclass(frozen=True)
class Difference:
    """Something that refreshing would change: where it stands, what it says and what it would say."""

    section: str
    label: str
    was: str
    now: str


def save_summary(
    *, tenant: Tenant, pack_id: int, title: str, summary: str, member: Membership | None = None
) -> Pack:
    """Write the executive summary and the pack's title; Markdown."""
    pack = editable_pack(tenant, pack_id, member)
    content = from_json(pack.content)
    problems = {}
    title, summary = title.strip(), summary.strip()
    if not title:
        problems["title"] = _("A pack needs a title.")
    if len(title) > TITLE_LENGTH:
        problems["title"] = _("Use at most %(most)s characters.") % {"most": TITLE_LENGTH}
    if len(summary) > SUMMARY_LENGTH:
        problems["summary"] = _("Use at most %(most)s characters.") % {"most": SUMMARY_LENGTH}
    if problems:
        raise ValidationError(problems)
    if summary != content.summary_md.strip():
        pack.summary_edited = True
    return _save(tenant, pack, replace(content, title=title, summary_md=summary), member, "summary")


def suggest_summary(*, tenant: Tenant, pack_id: int, member: Membership | None = None) -> Pack:
    """Take the suggested summary again, from what the figures say now."""
    pack = editable_pack(tenant, pack_id, member)
    fresh = _written(tenant, pack, store=False).content
    pack.summary_edited = False
    content = replace(from_json(pack.content), summary_md=fresh.summary_md)
    return _save(tenant, pack, content, member, "summary")


def save_section(
    *,
    tenant: Tenant,
    pack_id: int,
    key: str,
    intro: str,
    hidden: bool,
    texts: Mapping[int, str] | None = None,
    left_out: Sequence[int] = (),
    member: Membership | None = None,
) -> Pack:
    """Write own words before a section, hide it, reword its texts and lists (by place), leave blocks out.

    What was left out comes back when the figures are refreshed. Raises `KeyError` for a section that is not there.
    """
    pack = editable_pack(tenant, pack_id, member)
    content = from_json(pack.content)
    section = content.section(key)
    if len(intro) > INTRO_LENGTH:
        raise ValidationError({"intro": _("Use at most %(most)s characters.") % {"most": INTRO_LENGTH}})
    blocks = [
        _reworded(block, (texts or {}).get(place))
        for place, block in enumerate(section.blocks)
        if place not in left_out
    ]
    kept = tuple(block for block in blocks if block is not None)
    changed = replace(section, intro=intro.strip(), hidden=hidden, blocks=kept)
    if changed.is_empty and not changed.empty_reason:
        changed = replace(changed, empty_reason=_left_out(pack.language))
    return _save(tenant, pack, content.with_section(changed), member, key)


def _left_out(language: str) -> str:
    with translation.override(language):
        return _("Nothing to report on this in this review.")


def _reworded(block: Block, text: str | None) -> Block | None:
    """The block with its new words; None where nothing is left of it."""
    if text is None:
        return block
    if isinstance(block, Text):
        return replace(block, md=text.strip()[:INTRO_LENGTH]) if text.strip() else None
    if isinstance(block, Bullets):
        lines = tuple(line.strip()[:LINE_LENGTH] for line in text.splitlines() if line.strip())
        return replace(block, items=lines) if lines else None
    return block


def change_language(*, tenant: Tenant, pack_id: int, language: str, member: Membership | None = None) -> Pack:
    """Write the pack in the other language; own words stay as they are."""
    pack = editable_pack(tenant, pack_id, member)
    if language not in LANGUAGES:
        raise ValidationError({"language": _("Choose English or Spanish.")})
    pack.language = language
    return _refresh(tenant, pack, member)


def refresh_pack(*, tenant: Tenant, pack_id: int, member: Membership | None = None) -> Pack:
    """Ask for all figures again and write the sections anew; own words and what is hidden stay."""
    return _refresh(tenant, editable_pack(tenant, pack_id, member), member)


def _refresh(tenant: Tenant, pack: Pack, member: Membership | None) -> Pack:
    written = _written(tenant, pack, store=True)
    pack.as_of, pack.period_first, pack.period_last = (
        written.as_of,
        written.period.first,
        written.period.last,
    )
    merged = merge(from_json(pack.content), written.content, keep_summary=pack.summary_edited)
    return _save(tenant, pack, merged, member, "refresh")


def _written(tenant: Tenant, pack: Pack, *, store: bool) -> Written:
    wanted = Wanted(pack.account_id, pack.due_on, pack.period_first, pack.number, pack.language, pack.pk)
    return write_packs(tenant=tenant, wanted=[wanted], store=store)[pack.account_id]


def merge(old: PackContent, fresh: PackContent, *, keep_summary: bool) -> PackContent:
    """The fresh content with the words that people wrote into the old one."""
    own = {section.key: section for section in old.sections}
    sections = tuple(
        replace(section, intro=own[section.key].intro, hidden=own[section.key].hidden)
        if section.key in own
        else section
        for section in fresh.sections
    )
    summary = old.summary_md if keep_summary else fresh.summary_md
    same = old.language == fresh.language
    return replace(fresh, sections=sections, summary_md=summary, title=old.title if same else fresh.title)


def preview_refresh(*, tenant: Tenant, pack: Pack) -> list[Difference]:
    """What refreshing would change, without changing anything."""
    fresh = _written(tenant, pack, store=False).content
    return differences(from_json(pack.content), fresh)


def differences(old: PackContent, fresh: PackContent) -> list[Difference]:
    """Each value that differs between two contents of a pack, by section and label."""
    found = []
    before = {section.key: _facts(section) for section in old.sections}
    for section in fresh.sections:
        was, now = before.get(section.key, {}), _facts(section)
        for label in dict.fromkeys([*was, *now]):
            if was.get(label, "") != now.get(label, ""):
                found.append(Difference(section.title, label, was.get(label, ""), now.get(label, "")))
    return found


def _facts(section: Section) -> dict[str, str]:
    """What a section states, by label."""
    facts: dict[str, str] = {}
    for place, block in enumerate(section.blocks, 1):
        if isinstance(block, Kpis):
            for kpi in block.items:
                facts[kpi.label] = " ".join(filter(None, (kpi.value_text, kpi.unit, kpi.change_text)))
        elif isinstance(block, Table):
            for row in block.rows:
                facts[row[0]] = " · ".join(row[1:])
        elif isinstance(block, Bullets):
            facts |= {item: item for item in block.items}
        elif isinstance(block, Text):
            facts[f"{section.title} {place}"] = block.md
        else:
            facts[block.spec.title] = block.finding
    return facts


def verify_pack(*, tenant: Tenant, pack: Pack) -> dict[int, Verdict]:
    """Verify every figure of a pack; the verdicts are noted beside the figures."""
    ids = from_json(pack.content).figure_ids if pack.content else ()
    figures = list(Figure.objects.filter(tenant=tenant, pk__in=ids))
    return verify_figures(tenant=tenant, figures=figures)


def rewrite_actions(tenant: Tenant, pack: Pack, blocks: Sequence[Block], empty_reason: str) -> None:
    """Put the current actions into a pack that can still be changed; the caller holds its row."""
    content = from_json(pack.content)
    section = content.section("actions")
    changed = replace(section, blocks=tuple(blocks), empty_reason="" if blocks else empty_reason)
    pack.content = to_json(content.with_section(changed))
    pack.save(update_fields=["content"])


def _save(tenant: Tenant, pack: Pack, content: PackContent, member: Membership | None, what: str) -> Pack:
    pack.content = to_json(content)
    pack.edited_at, pack.edited_by = timezone.now(), member
    pack.save()
    after: dict[str, Any] = {"part": what, "language": pack.language}
    record_audit(tenant=tenant, actor=member, action="qbr.edit", target=f"pack:{pack.pk}", after=after)
    return pack
