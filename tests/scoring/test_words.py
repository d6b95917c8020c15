"""Every text of the pure modules and of the shipped files is in the catalogue."""

from __future__ import annotations

import ast
import inspect

from scoring import bands, engine, scale_text, specs
from scoring.scales import base, curves, percentile, reading, targets, tenure
from scoring.services.shipped import SHIPPED, shipped_template
from scoring.words import FAULTS, SHIPPED_NAMES


def sentences(module: object) -> set[str]:
    """String literals of a module that are sentences for people: constants in capitals and faults in problem lists."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
    }
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and node.value.endswith(".")
        and " " in node.value
        and node.value not in docstrings
    }


def test_every_fault_of_the_pure_modules_can_be_translated() -> None:
    parts = (base, curves, percentile, reading, targets, tenure)
    spoken = set().union(*map(sentences, (*parts, bands, engine, scale_text, specs)))
    for_developers = {
        "A raw value is infinite.",
        "A scale by tenure must be told the tenure.",
        " measures a row, got an array of shape ",
    }
    assert {text for text in spoken if text[0].isupper()} - for_developers == set(FAULTS)


def test_every_name_of_the_shipped_files_can_be_translated() -> None:
    names = set()
    for key in SHIPPED:
        definition = shipped_template(key).definition
        names |= {definition["name"], *(part["name"] for part in definition["components"])}
    assert names == set(SHIPPED_NAMES)
