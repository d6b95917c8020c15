"""Migrations of a house in which every table names the tenant, in a third of the time."""

from __future__ import annotations

from typing import Any

from django.db.migrations.state import ProjectState


def render_alone(app_labels: set[str]) -> None:
    """Have migrations of these apps draw a changed model anew without all others.

    After each operation Django draws the model anew with everything that is related to it, over any number of steps. Here
    each model leads to the tenant, so that means every model of the house for each of some 400 operations: a minute for an
    empty database. What others hold of the changed model is then its class of before; operations ask that for its table and
    the type of its key. Those that change a key or a name are not ours to make, and no migration of ours runs Python.
    """
    whole: Any = ProjectState._find_reload_model  # type: ignore[attr-defined]

    def only_itself(state: ProjectState, app_label: str, model_name: str, delay: bool = False) -> Any:
        if app_label in app_labels:
            return {(app_label, model_name)}
        return whole(state, app_label, model_name, delay)

    ProjectState._find_reload_model = only_itself  # type: ignore[attr-defined]
