"""`import_accounts`: every row is stored or named with its line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.fence.scope import tenant_scope
from accounts.models import Account, Membership, Tenant

pytestmark = pytest.mark.django_db


def run(file: Path, text: str | bytes) -> tuple[str, str, str]:
    """What the command says on stdout and stderr, and its error."""
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("import_accounts", "acme", str(file), stdout=out, stderr=err)
    except CommandError as error:
        return out.getvalue(), err.getvalue(), str(error)
    return out.getvalue(), err.getvalue(), ""


def rows(tenant: Tenant, *fields: str) -> list[tuple[object, ...]]:
    with tenant_scope(tenant):
        return list(Account.objects.order_by("external_id").values_list(*fields))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_are_the_fields_of_the_api(
    acme: Tenant, carl: Membership, tmp_path: Path, separator: str
) -> None:
    head = [
        "external_id",
        "name",
        "seats",
        "owner_email",
        "tags",
        "targets.sends",
        "custom.size",
        "Region",
        "custom",
    ]
    cells = [
        "a",
        '"Alpha, Ltd; SL"',
        "12",
        "carl@acme.example",
        '"x;y"',
        "2.5",
        "L",
        "north",
        '"{""old"": true}"',
    ]
    out, err, error = run(
        tmp_path / "a.csv", "\ufeff" + separator.join(head) + "\r\n" + separator.join(cells) + "\r\n"
    )
    assert (err, error) == ("", "")
    assert out.splitlines() == ["Stored as custom fields: Region", "created 1, updated 0, rejected 0"]
    assert rows(acme, "name", "seats", "owner", "tags", "targets") == [
        ("Alpha, Ltd; SL", 12, carl.pk, ["x", "y"], {"sends": 2.5})
    ]
    assert rows(acme, "custom")[0][0] == {"size": "L", "Region": "north", "old": True}


def test_rows_with_faults_are_named_by_their_line_and_the_others_stored(acme: Tenant, tmp_path: Path) -> None:
    text = 'external_id,name,seats\na,"two\nlines",1\n\nb,B,many\nc,C\n,D,1\ne,E,5\n'
    out, err, error = run(tmp_path / "a.csv", text)
    assert err.splitlines() == [
        "line 5: seats: must be a whole number",
        "line 6: has 2 cells, the header has 3",
        "line 7: external_id: is required",
    ]
    assert out.splitlines() == ["created 2, updated 0, rejected 3"]
    assert error == "3 rows were not stored; the others were."
    assert rows(acme, "external_id", "name") == [("a", "two\nlines"), ("e", "E")]


def test_an_empty_cell_leaves_and_null_clears(acme: Tenant, tmp_path: Path) -> None:
    run(tmp_path / "a.csv", "external_id,name,seats,plan\na,A,5,pro\n")
    out, _err, error = run(tmp_path / "b.csv", "external_id,name,seats,plan\na,,null,basic\n")
    assert (out, error) == ("created 0, updated 1, rejected 0\n", "")
    assert rows(acme, "name", "seats", "plan") == [("A", None, "basic")]


def test_more_rows_than_one_request_holds(acme: Tenant, tmp_path: Path) -> None:
    lines = "".join(f"a{n:05},N{n}\n" for n in range(2500))
    assert run(tmp_path / "a.csv", "external_id,name\n" + lines)[0] == "created 2500, updated 0, rejected 0\n"
    assert len(rows(acme, "id")) == 2500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,seats\nA,1\n", "The first line must name the columns, external_id among them."),
        ("", "The file is empty."),
        ("external_id,seats,seats\n", "A column is named twice: seats."),
        ("external_id,,seats\n", "Column 2 has no name."),
        (b"external_id,name\na,\xff\n", "is not UTF-8 text"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(
    acme: Tenant, tmp_path: Path, text: str | bytes, words: str
) -> None:
    assert words in run(tmp_path / "a.csv", text)[2]
    assert rows(acme, "id") == []


def test_a_file_or_tenant_that_is_not_there_is_named(acme: Tenant, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"none\.csv cannot be read: No such file or directory"):
        call_command("import_accounts", "acme", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="There is no tenant “other”"):
        call_command("import_accounts", "other", str(tmp_path / "none.csv"))
