"""What is wrong with a row of an import, in the member's language, and how to mend it.

The upserts say it in the API's English; these are the same sentences with their places, so that each is said in Spanish.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = tuple[re.Pattern[str], Promise, Promise]
_AS_IS = _("Correct the cell, then import the file again: rows that are stored already stay as they are.")


def _said(pattern: str, text: Promise, mend: Promise = _AS_IS) -> Words:
    return re.compile(pattern), text, mend


_SENTENCES: tuple[Words, ...] = (
    _said(r"must be text", _("must be text")),
    _said(r"must not be (?:null|empty)", _("must not be empty"), _("Fill the cell in.")),
    _said(
        r"may have (?P<most>\d+) characters, has (?P<has>\d+)",
        _("may have %(most)s characters, has %(has)s"),
        _("Shorten it."),
    ),
    _said(r"must be an e-mail address", _("must be an e-mail address"), _("Write it like name@company.com.")),
    _said(
        r"must be one of (?P<options>.+)", _("must be one of: %(options)s"), _("Write one of these words.")
    ),
    _said(
        r"must be a list of some of (?P<options>.+)",
        _("must be some of: %(options)s"),
        _("Separate them with semicolons."),
    ),
    _said(
        r"must be a whole number",
        _("must be a whole number"),
        _("Leave out decimals, currency signs and units."),
    ),
    _said(r"must be from (?P<low>-?\d+) to (?P<high>-?\d+)", _("must be from %(low)s to %(high)s")),
    _said(
        r"must be three letters, e\.g\. EUR", _("must be a currency of three letters"), _("Write EUR, USD…")
    ),
    _said(
        r"must be a date like .+",
        _("must be a date like 2026-01-31"),
        _("Write it like that, or choose another order of dates before you try the file."),
    ),
    _said(r"must be a time like .+", _("must be a time like 2026-01-31T12:00:00Z")),
    _said(r"must be a number", _("must be a number")),
    _said(r"must be an amount.*", _("must be an amount such as 1234.50")),
    _said(r"must be true or false", _("must be yes or no")),
    _said(r"must be an address that begins.*", _("must be an address that begins with https:// or http://")),
    _said(
        r"must be the e-mail address of an active member",
        _("must be the e-mail address of an active member"),
        _("Invite the person first, or leave the cell empty."),
    ),
    _said(
        r"must be filled in and cannot be cleared",
        _("must be filled in and cannot be cleared"),
        _("Fill the cell in."),
    ),
    _said(r"is required", _("is required"), _("Fill the cell in; without it nobody knows what the row is.")),
    _said(
        r"“(?P<who>.+)” is not an active member",
        _("“%(who)s” is not an active member"),
        _("Invite the person first, or leave the cell empty."),
    ),
    _said(
        r"there is no account “(?P<who>.+)”",
        _("there is no account “%(who)s”"),
        _("Import the accounts first, or correct the id."),
    ),
    _said(
        r"its parent “(?P<who>.+)” in line (?P<line>\d+) is refused",
        _("its parent “%(who)s” in line %(line)s is refused"),
        _("Mend the line of the parent; this row then comes along."),
    ),
    _said(
        r"There is no account with this account_id\.",
        _("there is no such account"),
        _("Import the accounts first, or correct the id."),
    ),
    _said(
        r"There is no pushed metric with this key\.",
        _("there is no pushed metric with this key"),
        _("An admin makes it in the settings; its kind is “Pushed value”."),
    ),
    _said(
        r"the account would be its own ancestor",
        _("the account would be above itself"),
        _("Correct the parent."),
    ),
    _said(
        r"user_id, or account_id and email, must say who it is",
        _("a user id, or account and e-mail address, must say who it is"),
        _("Fill one of them in."),
    ),
    _said(r"day is a date that is not in the future\.", _("must not be in the future")),
    _said(r"day is a date such as .+", _("must be a date like 2026-01-31")),
    _said(r"may have (?P<most>\d+) entries, has (?P<has>\d+)", _("may have %(most)s entries, has %(has)s")),
    _said(r"each entry may have 50 characters", _("each entry may have 50 characters"), _("Shorten it.")),
    _said(r"must be an object", _("must be an object as JSON")),
    _said(
        r"stands in line (?P<line>\d+) already",
        _("stands in line %(line)s already"),
        _("Keep one of the two rows, or give one of them another id."),
    ),
    _said(
        r"has (?P<cells>\d+) cells, the header has (?P<width>\d+)",
        _("has %(cells)s cells, the header has %(width)s"),
        _("Look for a separator too many or too few, or for a quotation mark that is not closed."),
    ),
    _said(r"has more than (?P<most>\d+) cells", _("has more than %(most)s cells"), _("Leave columns out.")),
    _said(
        r"has a cell with more than (?P<most>\d+) characters",
        _("has a cell with more than %(most)s characters"),
        _("Shorten it."),
    ),
    _said(
        r"not readable: field larger than field limit \((?P<most>\d+)\)",
        _("has a cell with more than %(most)s characters"),
        _("Shorten it, or close the quotation mark that was left open."),
    ),
    _said(r"not readable: (?P<reason>.+)", _("not readable: %(reason)s")),
    _said(
        r"contains NUL",
        _("contains characters that are no text (NUL)"),
        _("Save the file anew as CSV (UTF-8)."),
    ),
)


def fault_words(reason: str) -> tuple[str, str]:
    """A reason in the active language, and how to mend it; what nobody has put in words here stays as it was said."""
    for pattern, text, mend in _SENTENCES:
        found = pattern.fullmatch(reason)
        if found is not None:
            said = str(text)
            return (said % found.groupdict() if found.groupdict() else said), str(mend)
    return reason, str(_AS_IS)


FIELD_WORDS: dict[str, Promise] = {
    "external_id": _("External id"),
    "name": _("Name"),
    "owner_email": _("Owner, by e-mail address"),
    "segment": _("Segment"),
    "stage": _("Stage"),
    "plan": _("Plan"),
    "plan_kind": _("Kind of plan"),
    "seats": _("Seats"),
    "volume_limit": _("Volume limit"),
    "mrr": _("MRR"),
    "mrr_cents": _("MRR in cents"),
    "currency": _("Currency"),
    "go_live_on": _("Go-live"),
    "renewal_on": _("Renewal"),
    "churned_on": _("Churned"),
    "parent_id": _("Parent account, by its external id"),
    "touch_model": _("Touch model"),
    "tags": _("Tags"),
    "targets": _("Targets, as JSON"),
    "custom": _("Custom fields, as JSON"),
    "account_id": _("Account, by its external id"),
    "user_id": _("User id"),
    "email": _("E-mail address"),
    "roles": _("Roles"),
    "starts_on": _("Starts"),
    "renews_on": _("Renews"),
    "ends_on": _("Ends"),
    "title": _("Title"),
    "status": _("Status"),
    "severity": _("Severity"),
    "opened_at": _("Opened"),
    "resolved_at": _("Resolved"),
    "requester": _("Who asked"),
    "amount": _("Amount"),
    "amount_cents": _("Amount in cents"),
    "due_on": _("Due"),
    "paid_at": _("Paid"),
    "state": _("State"),
    "metric": _("Metric, by its key"),
    "day": _("Day"),
    "value": _("Value"),
    "key": _("Value of the dimension"),
}


def field_words(name: str) -> str:
    """A field as people see it."""
    return str(FIELD_WORDS.get(name, name))


LEFT_WORDS: dict[str, Promise] = {
    "changed": _("somebody changed it since"),
    "partly": _("somebody changed some of it since; the rest is as it was"),
    "used": _("something has come to hang on it since"),
    "gone": _("it is there no more"),
}


def left_words(left: Mapping[str, int]) -> list[tuple[str, int]]:
    """Why rows stayed when an import was taken back, and how many of each."""
    return [(str(words), left[why]) for why, words in LEFT_WORDS.items() if left.get(why)]
