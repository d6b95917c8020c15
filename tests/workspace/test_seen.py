"""What was mended after looking at pictures of every page: values in texts, money in forms, months, words about rows."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.password_validation import password_validators_help_texts
from django.core.exceptions import ValidationError
from django.utils import translation
from django.utils.formats import date_format

from reports.shape import loose_title
from workspace.audit_words import written_words
from workspace.reference_forms import CentsField
from workspace.selectors.runs import filled


def test_a_run_says_what_it_knows_of_the_account() -> None:
    values = {"account.name": "Acme", "account.plan": ""}
    assert filled("Half an hour for {{ account.name }}", values) == "Half an hour for Acme"
    assert filled("{{ contact.first_name }}, {{ account.plan|your plan }}", values) == "…, your plan"
    assert filled("{{ not a field }}", values) == "{{ not a field }}"


@pytest.mark.parametrize(
    ("typed", "cents", "shown"), [("5000", 500_000, "5000"), ("0.5", 50, "0.50"), ("0", 0, "0")]
)
def test_money_is_typed_in_units_and_kept_in_cents(typed: str, cents: int, shown: str) -> None:
    field = CentsField(min_value=0, max_digits=8, decimal_places=2)
    assert field.clean(typed) == cents
    assert str(field.prepare_value(cents)) == shown
    assert field.prepare_value("as typed") == "as typed"
    for wrong in ("-1", "0.005", "many"):
        with pytest.raises(ValidationError):
            field.clean(wrong)


def test_spanish_months_are_small() -> None:
    with translation.override("es"):
        assert loose_title("2025-08") == "ago 2025"
        assert date_format(date(2026, 1, 1), "YEAR_MONTH_FORMAT") == "ene 2026"
    with translation.override("en"):
        assert loose_title("2025-08") == "Aug 2025"
    assert loose_title("seats") == "seats"


def test_rules_of_passwords_speak_as_the_house_does() -> None:
    with translation.override("es"):
        texts = [str(text) for text in password_validators_help_texts()]
    assert texts[1] == "Al menos 10 caracteres."
    assert not any(word in f" {text.lower()} " for text in texts for word in (" su ", " usted "))


def test_rows_of_the_audit_log_need_no_gender() -> None:
    tables = {"accounts_user": {"rows": 1, "how": ["changed"], "fields": [], "ids": []}}
    with translation.override("es"):
        assert written_words(tables)[0].words == "Usuario: 1 fila con cambios"
