"""What was agreed, as blocks of a pack."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from qbr import numbers
from qbr.content import Block, Table, Text

from .material import Material, is_done


def action_blocks(material: Material, language: str) -> list[Block]:
    """Both lists of actions, with what is done."""
    blocks: list[Block] = []
    if material.agreed and material.previous is not None:
        done = sum(map(is_done, material.agreed))
        intro = ngettext(
            "%(done)d of %(all)d action from the review of %(day)s is done.",
            "%(done)d of %(all)d actions from the review of %(day)s are done.",
            len(material.agreed),
        ) % {
            "done": done,
            "all": len(material.agreed),
            "day": numbers.day_text(material.previous.due_on, language),
        }
        blocks += [Text(intro), _action_table(material, language, last=True)]
    if material.actions:
        blocks += [Text(_("Agreed at this review:")), _action_table(material, language, last=False)]
    return blocks


def _action_table(material: Material, language: str, *, last: bool) -> Table:
    actions = material.agreed if last else material.actions
    return Table(
        (_("Action"), _("Who"), _("Due"), _("State")),
        tuple(
            (
                action.title,
                action.customer_owner or (str(action.owner) if action.owner else numbers.NO_VALUE),
                numbers.day_text(action.due_on, language),
                _("Done") if is_done(action) else _("Open"),
            )
            for action in actions
        ),
    )
