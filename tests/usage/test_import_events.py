"""`import_events`: the real file, formats, identities, what it says."""

from __future__ import annotations

import csv
import gzip
import random
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.fence.scope import tenant_scope
from accounts.models import Tenant
from tests.usage.conftest import rollups, select
from usage.models import Quarantine
from usage.services import install_starter_metrics, verify_rollups

HEADER = "account_id,user_id,event,occurred_at,plan,size\n"


def run(tenant: Tenant, path: Path, *options: str) -> str:
    """What the command prints."""
    out = StringIO()
    call_command("import_events", tenant.slug, str(path), *options, stdout=out)
    return out.getvalue().strip()


def write(path: Path, *lines: str, header: str = HEADER) -> Path:
    """A CSV file."""
    path.write_text(header + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_the_real_file_is_stored_once_whatever_the_order_of_its_rows(
    shop: Tenant, rival: Tenant, shared_data: Path, tmp_path: Path
) -> None:
    source = shared_data / "data" / "devtool_events.csv.gz"
    rival.timezone = shop.timezone
    rival.save()
    with tenant_scope(rival):
        install_starter_metrics(tenant=rival)
    with gzip.open(source, "rt", newline="") as handle:
        header, *rows = list(csv.reader(handle))
    random.Random(7).shuffle(rows)
    shuffled = tmp_path / "shuffled.csv"
    with shuffled.open("w", newline="") as handle:
        csv.writer(handle).writerows([header, *rows])
    assert run(shop, source) == "read 12185, stored 12185, duplicate 0, quarantined 0, unassigned 0"
    assert run(shop, source) == "read 12185, stored 0, duplicate 12185, quarantined 0, unassigned 0"
    assert run(rival, shuffled) == "read 12185, stored 12185, duplicate 0, quarantined 0, unassigned 0"
    assert select(
        shop, "SELECT count(*), count(DISTINCT account_id) FROM usage_event WHERE tenant_id = %s"
    ) == [(12185, 136)]
    ours, theirs = rollups(shop), rollups(rival)
    assert ours["days"] == theirs["days"]
    assert [row[:5] for row in ours["users"]] == [row[:5] for row in theirs["users"]]
    with tenant_scope(shop):
        assert verify_rollups(tenant=shop).differing == []


def test_rows_without_an_id_are_known_by_content_and_ordinal(shop: Tenant, tmp_path: Path) -> None:
    line = "a1,u1,commit,2026-03-01T10:00:00Z,pro,3"
    path = write(tmp_path / "events.csv", line, line, line.replace("a1", "a2"))
    assert run(shop, path) == "read 3, stored 3, duplicate 0, quarantined 0, unassigned 0"
    assert run(shop, path) == "read 3, stored 0, duplicate 3, quarantined 0, unassigned 0"
    write(path, line.replace("a1", "a2"), line, line, line)
    assert run(shop, path) == "read 4, stored 1, duplicate 3, quarantined 0, unassigned 0"
    assert (
        run(shop, path, "--source", "other") == "read 4, stored 4, duplicate 0, quarantined 0, unassigned 0"
    )
    assert select(
        shop, "SELECT DISTINCT properties->>'plan', properties->>'size' FROM usage_event WHERE tenant_id = %s"
    ) == [("pro", "3")]


def test_bad_rows_go_to_the_quarantine_and_rows_without_an_account_wait(shop: Tenant, tmp_path: Path) -> None:
    path = write(
        tmp_path / "events.csv",
        "a1,u1,commit,2026-03-01T10:00:00Z,,",
        "a1,u1,commit,yesterday,,",
        "a1,u1,,2026-03-01T10:00:00Z,,",
        ",u9,commit,2026-03-01T10:00:00Z,,",
        ",,commit,2026-03-01T10:00:00Z,,",
    )
    assert run(shop, path) == "read 5, stored 2, duplicate 0, quarantined 3, unassigned 1"
    with tenant_scope(shop):
        codes = Quarantine.objects.order_by("-position").values_list("code", flat=True)
        assert list(codes) == ["invalid_timestamp", "invalid_event", "missing_subject"]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_and_a_byte_order_mark_are_understood(
    shop: Tenant, tmp_path: Path, delimiter: str
) -> None:
    path = tmp_path / "events.csv"
    line = "a1,u1,commit,2026-03-01 10:00:00+00:00,,\n"
    path.write_text("\ufeff" + (HEADER + line).replace(",", delimiter), encoding="utf-8")
    assert run(shop, path).startswith("read 1, stored 1,")


def test_parquet_is_read_with_its_types(shop: Tenant, tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "events.parquet"
    pd.DataFrame(
        {
            "account_id": ["a1", "a2"],
            "event": ["commit", "commit"],
            "occurred_at": pd.to_datetime(["2026-03-01T10:00:00Z", "2026-03-02T10:00:00Z"]),
            "amount": [1.5, None],
        }
    ).to_parquet(path)
    assert run(shop, path).startswith("read 2, stored 2,")
    assert run(shop, path).startswith("read 2, stored 0, duplicate 2,")
    assert select(
        shop,
        "SELECT day::text, (properties->>'amount')::float FROM usage_event WHERE tenant_id = %s ORDER BY 1",
    ) == [
        ("2026-03-01", 1.5),
        ("2026-03-02", None),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,2\n", "lacks the columns account_id, event, occurred_at"),
        (b"\x1f\x8bnot gzip", "damaged|Unknown compression"),
        (gzip.compress(b"account_id,event,occurred_at\n" * 9, mtime=0)[:-9], "damaged"),
        (b"PAR1nothing", "parquet file cannot be read"),
        (b"account_id,event,occurred_at\n\xff,x,2026-01-01\n", "not UTF-8"),
    ],
)
def test_a_file_that_is_none_says_what_is_wrong(
    shop: Tenant, tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "events"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        run(shop, path)


def test_a_missing_file_tenant_or_source_is_named(shop: Tenant, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        run(shop, tmp_path / "nowhere.csv")
    with pytest.raises(CommandError, match="no tenant “nobody”"):
        call_command("import_events", "nobody", str(tmp_path))
    with pytest.raises(CommandError, match="--source"):
        run(shop, write(tmp_path / "x.csv"), "--source", " ")
