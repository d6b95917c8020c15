"""Bodies that break naive servers: never a 5xx, the documented code, and the rest of the batch is stored."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from tests.usage.sending import EVENTS, SEGMENT, basic, bearer, error_of, raw_key, rows, send, stored_names
from usage.drain import drain_tenant
from usage.models import Metric
from usage.wire.shapes import MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_EVENTS

pytestmark = pytest.mark.django_db
STORED = "stored"
Doors = dict[str, tuple[str, dict[str, str]]]


@pytest.fixture
def doors(acme: Tenant) -> Doors:
    """Path and key of both doors."""
    key = raw_key(acme)
    return {"api": (EVENTS, bearer(key)), "segment": (SEGMENT, basic(key))}


def nested(depth: int) -> str:
    """A value that is this many lists deep."""
    return "[" * depth + "]" * depth


def moment(**ahead: int) -> str:
    return json.dumps((datetime.now(UTC) + timedelta(**ahead)).isoformat())


# Each is the JSON text of one field of an otherwise good event, and what becomes of the event.
PROPERTIES = {
    "NUL in a value": (r'{"k": "\u0000"}', "invalid_text"),
    "NUL in a key": (r'{"\u0000": 1}', "invalid_text"),
    "half a surrogate pair in a value": (r'{"k": "\ud800"}', "invalid_text"),
    "half a surrogate pair in a key": (r'{"\udfff": 1}', "invalid_text"),
    "a whole surrogate pair": (r'{"k": "\ud83d\ude00"}', STORED),
    "an escaped backslash before u0000": (r'{"k": "\\u0000"}', STORED),
    "NaN": ('{"k": NaN}', "invalid_number"),
    "infinity": ('{"k": Infinity}', "invalid_number"),
    "minus infinity": ('{"k": -Infinity}', "invalid_number"),
    "1e400": ('{"k": 1e400}', "invalid_number"),
    "a whole number of 5000 digits": ('{"k": ' + "9" * 5000 + "}", "invalid_number"),
    "a whole number of 4300 digits": ('{"k": ' + "9" * 4300 + "}", STORED),
    "a whole number of 4301 digits": ('{"k": ' + "9" * 4301 + "}", "invalid_number"),
    "a whole number of 20 digits": ('{"k": ' + "9" * 20 + "}", STORED),
    "a whole number of 300 digits": ('{"k": ' + "9" * 300 + "}", STORED),
    "depth 8": ('{"k": ' + nested(6) + "}", STORED),
    "depth 20": ('{"k": ' + nested(19) + "}", STORED),
    "depth 21": ('{"k": ' + nested(20) + "}", "too_deep"),
    "depth 64": ('{"k": ' + nested(64) + "}", "too_deep"),
    "10,000 keys": (json.dumps({f"{n}": 0 for n in range(3000)}), STORED),
    "the same key twice": ('{"k": 1, "k": 2}', STORED),
    "the keys of a JavaScript object": ('{"__proto__": {"admin": true}, "constructor": 1}', STORED),
    "a list": ("[1]", "invalid_event"),
    "a text": ('"x"', "invalid_event"),
    "a number": ("5", "invalid_event"),
    "null": ("null", STORED),
    "control characters as escapes": (r'{"k": "\u0001\u001f\t\n\r\\"}', STORED),
    "tabs and line ends between tokens": ('{\n\t"k"\r\n:\t1 }', STORED),
}
TIMES = {
    "year 0": ('"0000-01-01T00:00:00Z"', "invalid_timestamp"),
    "year 1": ('"0001-01-01T00:00:00+14:00"', "invalid_timestamp"),
    "year 9999": ('"9999-12-31T23:59:59Z"', "future_timestamp"),
    "past the end of 9999": ('"9999-12-31T23:59:59-12:00"', "invalid_timestamp"),
    "1969": ('"1969-12-31T23:59:59Z"', "invalid_timestamp"),
    "a negative number": ("-1", "invalid_timestamp"),
    "an enormous number": ("1e300", "invalid_timestamp"),
    "a whole number of 300 digits": ("9" * 300, "invalid_timestamp"),
    "NaN": ("NaN", "invalid_number"),
    "the text NaN": ('"NaN"', "invalid_timestamp"),
    "no time": ('"yesterday"', "invalid_timestamp"),
    "the 30th of February": ('"2026-02-30T00:00:00Z"', "invalid_timestamp"),
    "a list": ("[]", "invalid_timestamp"),
    "an object": ("{}", "invalid_timestamp"),
    "true": ("true", "invalid_timestamp"),
    "an empty text": ('""', STORED),
    "null": ("null", STORED),
    "no offset": ('"2026-01-05T10:00:00"', STORED),
    "seconds": ("1767600000", STORED),
    "milliseconds": ("1767600000000", STORED),
    "a leap second": ('"2016-12-31T23:59:60Z"', "invalid_timestamp"),
}
NAMES = {
    "empty": ('""', "invalid_event"),
    "null": ("null", "invalid_event"),
    "true": ("true", "invalid_event"),
    "an object": ("{}", "invalid_event"),
    "201 characters": (json.dumps("n" * 201), "invalid_event"),
    "200 characters": (json.dumps("n" * 200), STORED),
    "NUL": (r'"\u0000"', "invalid_text"),
    "tab, quotes and a backslash": (json.dumps("\t\"'\\N{}"), STORED),
    "letters beyond ASCII": ('"Señal 🚀"', STORED),
}
USERS = {
    "an object": ("{}", "invalid_event"),
    "a list": ('["u"]', "invalid_event"),
    "true": ("true", "invalid_event"),
    "a fraction": ("1.5", "invalid_event"),
    "too large a number": (str(2**60), "invalid_event"),
    "201 characters": (json.dumps("u" * 201), "invalid_event"),
    "a number": ("42", STORED),
    "braces, commas, quotes": (json.dumps('{"a,b"}\\'), STORED),
    "empty": ('""', "missing_subject"),
    "null": ("null", "missing_subject"),
}
ITEMS = {
    "null": ("null", "invalid_event"),
    "a text": ('"x"', "invalid_event"),
    "a number": ("1", "invalid_event"),
    "a list": ("[]", "invalid_event"),
    "an empty object": ("{}", "invalid_event"),
}


def one_event(door: str, **fields: str) -> str:
    """The JSON text of an event; fields are `name`, `user`, `time`, `properties` as JSON texts."""
    written = {"name": '"good"', "user": '"u1"', "properties": "{}"} | fields
    keys = {
        "api": {"name": "event", "user": "user_id", "time": "occurred_at", "properties": "properties"},
        "segment": {"name": "event", "user": "userId", "time": "timestamp", "properties": "properties"},
    }[door]
    inside = ", ".join(f'"{keys[field]}": {text}' for field, text in written.items())
    return "{" + ('"type": "track", ' if door == "segment" else "") + inside + "}"


def one_body(door: str, items: list[str]) -> bytes:
    return ('{"%s": [%s]}' % ("events" if door == "api" else "batch", ", ".join(items))).encode()  # noqa: UP031


def hostile_items(door: str) -> dict[str, tuple[str, str]]:
    """Every hostile event, and what becomes of it."""
    found = {f"{name} as item": (text, outcome) for name, (text, outcome) in ITEMS.items()}
    if door == "segment":
        found["an empty object as item"] = ("{}", "invalid_event")
        found["an unknown type"] = ('{"type": "x", "userId": "u"}', "unknown_type")
    for field, table in (("name", NAMES), ("user", USERS), ("time", TIMES), ("properties", PROPERTIES)):
        for name, (text, outcome) in table.items():
            found[f"{name} as {field}"] = (one_event(door, **{field: text}), outcome)
    found["25 hours ahead"] = (one_event(door, time=moment(hours=25)), "future_timestamp")
    found["23 hours ahead"] = (one_event(door, time=moment(hours=23)), STORED)
    return found


@pytest.mark.parametrize("door", ["api", "segment"])
def test_a_hostile_event_is_judged_alone(acme: Tenant, doors: Doors, door: str) -> None:
    path, headers = doors[door]
    with tenant_scope(acme):  # the numbers are added up as well
        for slot, kind in enumerate(("sum", "max", "last"), 1):
            Metric.objects.create(
                key=kind, name=kind, kind=kind, events=["good"], property="k", slot=slot, dimension="k"
            )
    expected, outcomes, stored_with = {}, {}, 0
    for name, (item, outcome) in hostile_items(door).items():
        good = one_event(door, name='"before"'), one_event(door, name='"after"')
        answer = send(path, headers, one_body(door, [good[0], item, good[1]]))
        assert answer.status_code == 200, (name, answer.content)
        expected[name] = outcome
        stored_with += outcome == STORED
        if door == "api":
            body = answer.json()
            outcomes[name] = body["rejected"][0]["code"] if body["rejected"] else STORED
            assert body["accepted"] + len(body["rejected"]) == 3
        else:
            assert answer.json() == {"success": True}
    result = drain_tenant(acme)
    assert not result.failed
    assert (result.stored, result.quarantined) == (
        2 * len(expected) + stored_with,
        len(expected) - stored_with,
    )
    names = stored_names(acme)
    assert (names.count("before"), names.count("after")) == (len(expected), len(expected))
    if door == "segment":  # the sender is not told; the quarantine is
        found = rows(acme, "SELECT code FROM usage_quarantine WHERE tenant_id = %(tenant)s ORDER BY batch")
        codes = [row[0] for row in found]
        assert codes == [outcome for outcome in expected.values() if outcome != STORED]
    else:
        assert outcomes == expected


@pytest.mark.parametrize("door", ["api", "segment"])
def test_what_was_refused_is_in_the_quarantine_as_it_came(acme: Tenant, doors: Doors, door: str) -> None:
    path, headers = doors[door]
    send(
        path,
        headers,
        one_body(door, [one_event(door), one_event(door, properties=r'{"k": "\u0000", "n": NaN}')]),
    )
    drain_tenant(acme)
    [(code, position, payload)] = rows(
        acme, "SELECT code, position, payload FROM usage_quarantine WHERE tenant_id = %(tenant)s"
    )
    assert (code, position) == ("invalid_text", -2)
    assert json.loads(payload)["properties"]["k"] == "\x00"


WHOLE = {
    "nothing": (b"", 400, "invalid_json"),
    "a list": (b"[]", 400, "invalid_shape"),
    "a text": (b'"x"', 400, "invalid_shape"),
    "null": (b"null", 400, "invalid_shape"),
    "a number": (b"7", 400, "invalid_shape"),
    "an empty object": (b"{}", 400, "invalid_shape"),
    "an object for the list": (b'{"events": {}, "batch": {}}', 400, "invalid_shape"),
    "null for the list": (b'{"events": null, "batch": null}', 400, "invalid_shape"),
    "half a document": (b'{"events": [{"event": ', 400, "invalid_json"),
    "two documents": (b"{} {}", 400, "invalid_json"),
    "a form": (b"data=eyJ9&verbose=1", 400, "invalid_json"),
    "bad UTF-8": (b'{"events": ["\xff\xfe"], "batch": ["\xc3\x28"]}', 400, "invalid_utf8"),
    "UTF-16": ('{"events": []}'.encode("utf-16"), 400, "invalid_utf8"),
    "nesting of 5,000": (b'{"events": ' + nested(5_000).encode() + b"}", 400, "too_deep"),
    "nesting of 100,000": (b'{"events": ' + nested(100_000).encode() + b"}", 400, "too_deep"),
    "objects nested 100,000 deep": (b'{"a":' * 100_000, 400, "too_deep"),
    "not gzip": (b"\x1f\x8b\x08\x00garbage", 400, "invalid_gzip"),
    "half a gzip": (gzip.compress(b'{"events": [], "batch": []}' * 50)[:-20], 400, "invalid_gzip"),
    "a bomb of gzip": (gzip.compress(b" " * 50_000_000), 413, "too_large"),
    "one byte too many": (b" " * (MAX_BODY_BYTES + 1), 413, "too_large"),
    "more than Django reads": (b" " * (7 * 1024 * 1024), 413, "too_large"),
}


@pytest.mark.parametrize("door", ["api", "segment"])
def test_a_body_that_is_no_batch_has_its_code(acme: Tenant, doors: Doors, door: str) -> None:
    path, headers = doors[door]
    assert {name: error_of(send(path, headers, body)) for name, (body, _, _) in WHOLE.items()} == {
        name: (status, code) for name, (_, status, code) in WHOLE.items()
    }
    assert rows(acme, "SELECT count(*) FROM usage_inbox WHERE tenant_id = %(tenant)s") == [(0,)]


@pytest.mark.parametrize("door", ["api", "segment"])
def test_a_bomb_costs_little_memory(doors: Doors, door: str) -> None:
    path, headers = doors[door]
    bomb = gzip.compress(b" " * 100_000_000)
    tracemalloc.start()
    try:
        assert send(path, headers, bomb).status_code == 413
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 20 * 1024 * 1024


@pytest.mark.parametrize("door", ["api", "segment"])
def test_gzip_and_a_byte_order_mark_are_recognised_by_their_bytes(
    acme: Tenant, doors: Doors, door: str
) -> None:
    path, headers = doors[door]
    plain = one_body(door, [one_event(door)])
    for body in (gzip.compress(plain), b"\xef\xbb\xbf" + plain, gzip.compress(b"\xef\xbb\xbf" + plain)):
        assert send(path, headers, body, content_type="application/x-www-form-urlencoded").status_code == 200
    assert drain_tenant(acme).stored == 3


# ── limits ──────────────────────────────────────────────────────────────────────────────────────────────────────


def event_of_size(door: str, size: int) -> str:
    """An event of exactly so many bytes."""
    written = json.loads(one_event(door)) | {"properties": {"pad": ""}}
    bare = len(json.dumps(written, separators=(",", ":")))
    written["properties"]["pad"] = "x" * (size - bare)
    return json.dumps(written, separators=(",", ":"))


@pytest.mark.parametrize("door", ["api", "segment"])
@pytest.mark.parametrize(("over", "outcome"), [(-1, (2, 0)), (0, (2, 0)), (1, (1, 1))])
def test_an_event_may_have_32_kilobytes(
    acme: Tenant, doors: Doors, door: str, over: int, outcome: tuple[int, int]
) -> None:
    path, headers = doors[door]
    item = event_of_size(door, MAX_EVENT_BYTES + over)
    assert len(item) == MAX_EVENT_BYTES + over
    answer = send(path, headers, one_body(door, [one_event(door), item]))
    assert answer.status_code == 200
    result = drain_tenant(acme)
    assert (result.stored, result.quarantined) == outcome


def test_a_batch_may_have_2000_events(acme: Tenant, doors: Doors) -> None:
    path, headers = doors["api"]
    assert (
        send(path, headers, one_body("api", [one_event("api")] * MAX_EVENTS)).json()["accepted"] == MAX_EVENTS
    )
    assert error_of(send(path, headers, one_body("api", [one_event("api")] * (MAX_EVENTS + 1)))) == (
        413,
        "too_many_events",
    )


@pytest.mark.parametrize("door", ["api", "segment"])
def test_a_body_may_have_five_megabytes(acme: Tenant, doors: Doors, door: str) -> None:
    path, headers = doors[door]
    body = one_body(door, [one_event(door)])
    assert send(path, headers, body + b" " * (MAX_BODY_BYTES - len(body))).status_code == 200
    assert send(path, headers, body + b" " * (MAX_BODY_BYTES - len(body) + 1)).status_code == 413
    assert send(path, headers, gzip.compress(body + b" " * (MAX_BODY_BYTES - len(body)))).status_code == 200


# ── what people say of themselves ───────────────────────────────────────────────────────────────────────────────

TRAITS: list[Any] = [
    {"name": {"a": 1}, "email": 5, "role": ["x"], "firstName": [], "lastName": False},
    {"name": "n" * 5000, "email": "e" * 5000, "role": "r" * 5000},
    {"mrr": 1e308, "plan": {"a": []}, "name": None},
    {"mrr": -1, "plan": "p" * 5000, "name": "\t\\N{}\"'"},
    {"mrr": "1,000", "plan": 3, "name": ""},
    {f"k{n}": n for n in range(1000)},
    {"": "", "__proto__": {}, " ": [[[]]]},
]


def test_strange_traits_never_stop_a_batch(acme: Tenant, doors: Doors) -> None:
    path, headers = doors["segment"]
    calls: list[dict[str, Any]] = []
    for n, traits in enumerate(TRAITS):
        calls.append({"type": "identify", "userId": f"u{n}", "traits": traits})
        calls.append({"type": "group", "userId": f"u{n}", "groupId": f"g{n}", "traits": traits})
        calls.append({"type": "track", "userId": f"u{n}", "event": "x", "properties": traits})
    assert send(path, headers, {"batch": calls}).status_code == 200
    result = drain_tenant(acme)
    assert (result.failed, result.stored, result.quarantined) == (False, len(calls), 0)
    assert rows(acme, "SELECT count(*) FROM accounts_account WHERE tenant_id = %(tenant)s") == [
        (len(TRAITS),)
    ]
