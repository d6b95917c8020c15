"""The models that every tenant starts with, as readable files in `scoring/templates`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from accounts.models import Tenant
from scoring.models import ScoreModel, Version

from .drafts import publish_version, save_draft

FOLDER = Path(__file__).resolve().parent.parent / "templates"
SHIPPED = ("plg", "playbook", "pql")


@dataclass(frozen=True)
class Template:
    """A shipped file: what it says and the hash by which a version remembers it."""

    key: str
    definition: dict[str, Any]
    hash: str


@cache
def shipped_template(key: str) -> Template:
    """One of the shipped files."""
    text = (FOLDER / f"{key}.yaml").read_bytes()
    return Template(key, yaml.safe_load(text), hashlib.sha256(text).hexdigest())


def install_templates(*, tenant: Tenant) -> list[ScoreModel]:
    """Publish the shipped models a tenant does not have yet; harmless to repeat."""
    present = set(ScoreModel.objects.filter(tenant=tenant).values_list("key", flat=True))
    made = []
    for key in SHIPPED:
        if key in present:
            continue
        template = shipped_template(key)
        definition = template.definition
        model = ScoreModel.objects.create(
            tenant=tenant,
            key=key,
            kind=definition["kind"],
            name=definition["name"],
            plan_kinds=definition.get("plan_kinds", []),
            position=definition["position"],
            is_default=definition["is_default"],
        )
        version = Version.objects.create(
            tenant=tenant, model=model, number=1, origin=Version.Origin.SHIPPED, template_hash=template.hash
        )
        save_draft(tenant=tenant, version=version, definition=definition)
        publish_version(tenant=tenant, version=version)
        made.append(model)
    return made
