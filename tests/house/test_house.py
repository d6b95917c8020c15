"""The house rules that no tool keeps: file sizes, rooms, documented settings."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
FLOORS = {
    "accounts": 0,
    "usage": 1,
    "outreach": 2,
    "scoring": 3,
    "playbooks": 4,
    "health": 5,
    "pql": 5,
    "alerts": 5,
    "expansion": 6,
    "qbr": 7,
    "nps": 8,
    "reports": 9,
    "workspace": 10,
    "cs_platform": 11,
}
MOST_LINES = 420
BANNED_ROOMS = {"utils", "common", "helpers", "mixins"}


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", *patterns], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    return [CHECKOUT / name for name in listed.stdout.splitlines() if (CHECKOUT / name).exists()]


def test_no_file_outgrows_a_room() -> None:
    sizes = {
        path: len(path.read_text().splitlines()) for path in tracked("*.py") if "migrations" not in path.parts
    }
    assert len(sizes) > 50
    assert {
        str(path.relative_to(CHECKOUT)): lines for path, lines in sizes.items() if lines > MOST_LINES
    } == {}


def test_no_attic() -> None:
    assert [
        path for path in tracked("*.py") if path.stem in BANNED_ROOMS or BANNED_ROOMS & set(path.parts)
    ] == []


def test_foreign_keys_point_down() -> None:
    from django.apps import apps

    upward = [
        f"{model._meta.label} → {field.related_model._meta.label}"
        for model in apps.get_models()
        if model._meta.app_label in FLOORS
        for field in model._meta.local_fields
        if field.is_relation and field.related_model is not None
        and FLOORS.get(field.related_model._meta.app_label, -1) > FLOORS[model._meta.app_label]
    ]  # fmt: skip
    assert upward == []


def test_every_setting_of_the_environment_is_documented() -> None:
    settings = (CHECKOUT / "cs_platform/settings.py").read_text()
    names = set(re.findall(r'env\.\w+\(\s*"(\w+)"', settings)) | set(
        re.findall(r'_choice\(\s*"(\w+)"', settings)
    )
    names |= set(re.findall(r'"(DATABASE_URL\w*)"', settings))
    example = (CHECKOUT / ".env.example").read_text()
    assert len(names) > 15
    assert {name for name in names if not re.search(rf"^#?\s*{name}=", example, re.MULTILINE)} == set()


def test_no_file_names_this_machine_or_a_registry() -> None:
    # Written apart, so that this file does not name them either.
    hosts = ["registry.n" + "pmjs", "py" + "pi.org", "pythonh" + "osted", "deb.d" + "ebian"]
    machine = re.compile(r"(?<![\w}])/wo" + "rk/")  # the root of a path, not a part of one of ours
    found = []
    for path in tracked():
        if path.suffix in {".png", ".svg", ".ico"}:
            continue
        text = path.read_text(errors="ignore")
        found += [f"{path.relative_to(CHECKOUT)}: {word}" for word in hosts if word in text]
        if machine.search(text):
            found.append(f"{path.relative_to(CHECKOUT)}: {machine.pattern}")
    assert found == []


def test_templates_have_no_inline_code() -> None:
    inline = re.compile(
        r"""<script>|<script(?![^>]*\b(?:src\b|type="application/json"))[^>]*>|\sstyle=|\son[a-z]+=["']"""
    )
    pages = tracked("templates/*.html", "templates/**/*.html")
    assert len(pages) > 20
    assert [str(p.relative_to(CHECKOUT)) for p in pages if inline.search(p.read_text())] == []
