"""Spanish is complete: every message of code and templates has a translation, and none is left over or broken."""

from __future__ import annotations

import re
from pathlib import Path

import polib
from django.apps import apps
from django.conf import settings
from django.utils import dates, translation
from django.utils.functional import Promise

from accounts.percent import with_percent
from qbr.numbers import percent
from tests.house.messages import CHECKOUT, Message, all_messages, of_python, of_template

PLACEHOLDER = re.compile(r"%(?:\((\w+)\))?[sd]|\{(\w*)\}")

FIGURE = r"(?:\d|\)[sd])"  # a digit or the place of a number
BLOCK = re.compile(r"\{% blocktranslate.*?endblocktranslate %\}", re.DOTALL)


def catalogues() -> list[polib.POFile]:
    return [polib.pofile(str(path)) for path in sorted(CHECKOUT.glob("*/locale/es/LC_MESSAGES/django.po"))]


def known() -> dict[Message, polib.POEntry]:
    return {(e.msgctxt, e.msgid): e for file in catalogues() for e in file if not e.obsolete and not e.fuzzy}


def test_every_message_has_a_spanish_translation() -> None:
    entries = known()
    missing = []
    with translation.override("es"):
        for (context, text), place in sorted(all_messages().items(), key=lambda item: item[1]):
            entry = entries.get((context, text))
            if entry is not None and (
                entry.msgstr or (all(entry.msgstr_plural.values()) and entry.msgstr_plural)
            ):
                continue
            # Some of our words are Django's too, and it has them in Spanish.
            if context is None and translation.gettext(text) != text:
                continue
            missing.append(f"{place}: {text!r}")
    assert not missing, f"{len(missing)} messages without Spanish:\n" + "\n".join(missing[:400])


def test_translations_keep_their_placeholders() -> None:
    broken = []
    for entry in known().values():
        wanted = sorted(PLACEHOLDER.findall(entry.msgid))
        plural = sorted(PLACEHOLDER.findall(entry.msgid_plural or entry.msgid))
        for text in [entry.msgstr, *entry.msgstr_plural.values()]:
            if text and sorted(PLACEHOLDER.findall(text)) not in (wanted, plural):
                broken.append((entry.msgid, text))
    assert broken == []


def test_percentages_are_written_as_each_language_writes_them() -> None:
    """50% in English, and in Spanish with a space that does not break; `accounts.percent` writes bare figures."""
    parted, joined = re.compile(rf"{FIGURE}\s%(?!\()"), re.compile(rf"{FIGURE} ?%(?![(\w])")
    faults, seen = [], 0
    for entry in known().values():
        english = [entry.msgid, entry.msgid_plural]
        spanish = [entry.msgstr, *entry.msgstr_plural.values()]
        faults += [text for text in english if parted.search(text)]
        faults += [text for text in spanish if joined.search(text)]
        seen += sum(bool(re.search(rf"{FIGURE}\N{{NO-BREAK SPACE}}%", text)) for text in spanish)
    assert faults == []
    assert seen > 25
    for path in sorted(CHECKOUT.glob("templates/**/*.html")):
        bare = BLOCK.sub("", path.read_text(encoding="utf-8"))
        assert not re.search(r"\}\}\s*%(?!\})", bare), f"{path}: say {{% percent … %}}"
    with translation.override("es"):
        assert with_percent("12,5") == percent(12.5, "es") == "12,5\N{NO-BREAK SPACE}%"
    with translation.override("en"):
        assert with_percent("12.5") == percent(12.5, "en") == "12.5%"


def test_labels_of_the_entrance_are_written_as_ours() -> None:
    with translation.override("en"):
        said = [translation.gettext(text) for text in ("Remember Me", "Current Password", "New Password")]
    assert said == ["Remember me", "Current password", "New password"]


def test_every_table_has_a_name_in_both_languages() -> None:
    """The audit log and the Django admin say what a request wrote by these names."""
    bare = [
        model._meta.label
        for model in apps.get_models()
        if model._meta.app_label in settings.HOUSE_APPS and not isinstance(model._meta.verbose_name, Promise)
    ]
    assert bare == []


def test_no_translation_is_left_over() -> None:
    used = set(all_messages())
    assert [key[1] for key in known() if key not in used] == []


def test_months_and_weekdays_stay_django_s() -> None:
    """A word of ours that is also a month ("may") would stand in every date."""
    names = [*dates.MONTHS.values(), *dates.MONTHS_3.values(), *dates.WEEKDAYS.values()]
    names += [*dates.WEEKDAYS_ABBR.values()]
    with translation.override("en"):
        words = {str(name) for name in names}
    assert [key for key in known() if key[0] is None and key[1] in words] == []


def test_the_search_for_messages_finds_each_form(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text(
        '_("one")\ngettext("t" "wo")\nngettext("a day", "%d days", n)\npgettext("verb", "open")\n'
    )
    page = tmp_path / "page.html"
    page.write_text(
        "{% load i18n %}{% translate 'it''s' as x %}{% translate \"three\" %}"
        "{% blocktranslate trimmed with n=m %}\n  four\n  {{ n }}\n{% endblocktranslate %}{{ _('five') }}"
        "{% blocktranslate count c=n %}one{% plural %}many{% endblocktranslate %}"
    )
    assert of_python(code) == {(None, "one"), (None, "two"), (None, "a day"), ("verb", "open")}
    assert {(None, "three"), (None, "four %(n)s"), (None, "one")} <= of_template(page)
