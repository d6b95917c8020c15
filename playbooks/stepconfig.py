"""What each kind of step is set to, and the step as the engine walks it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

import msgspec

from . import engine
from .criteria import Condition, parse
from .engine import Beat

Label = Annotated[str, msgspec.Meta(max_length=40)]
Line = Annotated[str, msgspec.Meta(max_length=200)]
Long = Annotated[str, msgspec.Meta(max_length=20_000)]
SETTABLE = ("stage", "segment", "touch_model", "add_tag", "remove_tag", "custom")


class NoConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A task has nothing beside its own columns."""


class EmailConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail to a contact: a template, or a text of its own."""

    template: Annotated[str, msgspec.Meta(max_length=60)] = ""
    subject: Line = ""
    body: Long = ""
    to_role: Annotated[str, msgspec.Meta(max_length=50)] = ""  # empty: whoever was there last
    purpose: Literal["engagement", "service"] = "engagement"


class InAppConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message inside the tenant's product."""

    heading: Line = ""
    text: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    action_url: Annotated[str, msgspec.Meta(max_length=500)] = ""
    to_role: Annotated[str, msgspec.Meta(max_length=50)] = ""  # empty: everybody at the account


class WaitConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A pause: so many days, or until conditions hold and at most so many days."""

    unit: Literal["working", "calendar"] = "working"
    until: list[dict[str, Any]] = []
    otherwise: Label = ""


class BranchConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which way to go on."""

    when: list[dict[str, Any]] = []
    otherwise: Label = ""


class WebhookConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word to other systems."""

    name: Line = ""


class SetFieldConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change to the account."""

    field: Literal["stage", "segment", "touch_model", "add_tag", "remove_tag", "custom"] = "stage"
    key: Annotated[str, msgspec.Meta(max_length=60)] = ""  # of a custom field
    value: Line = ""


class StartPlayConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another play at the same account."""

    play: Annotated[str, msgspec.Meta(max_length=60)] = ""


Config = (
    NoConfig
    | EmailConfig
    | InAppConfig
    | WaitConfig
    | BranchConfig
    | WebhookConfig
    | SetFieldConfig
    | StartPlayConfig
)
CONFIGS: Mapping[str, type[Any]] = {
    engine.TASK: NoConfig,
    engine.EMAIL: EmailConfig,
    engine.IN_APP: InAppConfig,
    engine.WAIT: WaitConfig,
    engine.BRANCH: BranchConfig,
    engine.WEBHOOK: WebhookConfig,
    engine.SET_FIELD: SetFieldConfig,
    engine.START_PLAY: StartPlayConfig,
}


class StepLike(Protocol):
    """A step, wherever it is kept."""

    @property
    def pk(self) -> Any: ...

    position: Any
    kind: Any
    due_in_days: Any
    label: Any
    next_label: Any
    config: Any


def config_of(kind: str, raw: Mapping[str, Any]) -> Any:
    """The settings of a step; raises `msgspec.ValidationError` that names what is wrong."""
    return msgspec.convert(dict(raw), CONFIGS[kind])


def conditions_of(step: StepLike) -> tuple[Condition, ...]:
    """What a branch asks and a wait waits for."""
    config = config_of(step.kind, step.config)
    if isinstance(config, WaitConfig):
        return parse(config.until)
    return parse(config.when) if isinstance(config, BranchConfig) else ()


def beat_of(step: StepLike) -> Beat:
    """The step as the engine walks it."""
    config = config_of(step.kind, step.config)
    return Beat(
        id=step.pk,
        position=step.position,
        kind=str(step.kind),
        days=step.due_in_days,
        working=not isinstance(config, WaitConfig) or config.unit == "working",
        label=step.label,
        then=step.next_label,
        otherwise=config.otherwise if isinstance(config, (WaitConfig, BranchConfig)) else "",
        conditions=conditions_of(step),
    )
