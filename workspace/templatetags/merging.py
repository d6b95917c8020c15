"""What a merge of accounts shows: values of fields, and tables in words."""

from __future__ import annotations

from datetime import date
from typing import Any

from django import template
from django.apps import apps
from django.db.models import Model
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from workspace import formatting
from workspace.templatetags.shell import stage_word

register = template.Library()
# Tables without a model, or whose model has no name that people know.
WORDS = {
    "usage_event": _("Events"),
    "scoring_score": _("Scores of past days"),
    "scoring_current": _("Current scores"),
    "accounts_account": _("Accounts below it"),
    "contacts_joined": _("Contacts with the same address, joined"),
    "accounts_timelineentry": _("Entries of the timeline"),
    "accounts_contactmembership": _("Who belonged to it since when"),
    "accounts_notecontact": _("Who took part in notes"),
    "accounts_accountalias": _("Former ids"),
    "alerts_match": _("Conditions being watched"),
    "pql_standing": _("Standing as a lead"),
    "pql_contactscore": _("Scores of people"),
    "pql_accountmonth": _("Months of conversion"),
    "alerts_champion": _("Champions over time"),
    "expansion_holding": _("What it has bought"),
    "nps_referenceask": _("Times it was asked for a reference"),
}


@register.simple_tag
def table_word(table: str) -> str:
    """A table in words."""
    if table in WORDS:
        return str(WORDS[table])
    named = (model for model in apps.get_models() if "verbose_name_plural" in model._meta.original_attrs)
    names = {model._meta.db_table: _plural(model) for model in named}
    return capfirst(str(names.get(table, _("Other records"))))


def _plural(model: type[Model]) -> str:
    return str(model._meta.verbose_name_plural)


@register.simple_tag
def merged_value(field: str, value: Any) -> str:
    """A value of an account as its page shows it."""
    if field == "mrr":
        return formatting.money(*value)
    if value in (None, ""):
        return formatting.NO_VALUE
    if isinstance(value, date):
        return formatting.short_date(value)
    if field == "stage":
        return str(stage_word(value))
    if field == "touch_model":
        return str(Account.TouchModel(value).label) if value in Account.TouchModel.values else str(value)
    return formatting.number(value) if isinstance(value, int) else str(value)
