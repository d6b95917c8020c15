"""The training modules that come with the product, as readable files in English and Spanish."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Annotated

import msgspec
import yaml

from playbooks.shipped import Text


class ShippedModule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One module."""

    key: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_]*$")]
    position: int
    minutes: int
    title: Text
    body: Text


@cache
def shipped_modules() -> tuple[ShippedModule, ...]:
    """Every shipped module in its order; a file with an unknown or missing field raises."""
    folder = resources.files(__package__) / "training"
    files = [f for f in folder.iterdir() if f.name.endswith(".yaml")]
    found = [msgspec.convert(yaml.safe_load(f.read_text(encoding="utf-8")), ShippedModule) for f in files]
    return tuple(sorted(found, key=lambda module: module.position))
