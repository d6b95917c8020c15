"""A model's definition as YAML and back, every place with its line. Pure.

YAML is read node by node instead of by `safe_load`, because a fault must name its line, a key that stands twice must not
silently win, and references between nodes (which can grow without bound) have no business in a model.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

MAX_CHARACTERS = 200_000
TOO_LONG = "The file is too long for a model: it may have at most 200,000 characters."
TOO_DEEP = "The file is nested too deeply for a model."
EMPTY = "The file is empty."
NOT_A_MODEL = "A model starts with names such as “healthy_above:” and “components:”."
TWICE = "“%(name)s” stands here twice; keep one of them."
REFERENCE = "References (& and *) cannot be used in a model; write the values out."
NAME_IS_NO_TEXT = "A name before a colon must be a text."
TAG = "This kind of value cannot be used in a model; write a number, a text, true or false."
BAD_YAML = "This is not YAML: %(problem)s. Look at the indentation, the colons and the quotes."
BAD_CHARACTER = "The file has a character that YAML does not allow; save it as UTF-8 text."


@dataclass(frozen=True)
class Fault:
    """Something wrong in a file: where (None is the file as a whole), the words, and what to put into them."""

    line: int | None
    message: str
    values: Mapping[str, str]


class ModelFileError(ValueError):
    """A text that cannot be read as a model: `faults` lists every place."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__("; ".join(f"line {fault.line}: {fault.message % fault.values}" for fault in faults))


@dataclass(frozen=True)
class ModelFile:
    """What a text says, and the line of each of its places (`components[0].weight`)."""

    definition: dict[str, Any]
    lines: Mapping[str, int]

    def line_of(self, path: str) -> int | None:
        """The line of a place, or of the nearest one around it that stands in the file.

        Takes the paths of the text (`components[0].measures[1].scale`) and those by key (`usage.sends.scale`).
        """
        while path:
            if path in self.lines:
                return self.lines[path]
            path = re.sub(r"(\.[^.\[]*|\[\d+\])\Z", "", path) if re.search(r"[.\[]", path) else ""
        return None


def read_model(text: str) -> ModelFile:
    """Read a text; raises `ModelFileError` with the line of every fault."""
    if len(text) > MAX_CHARACTERS:
        raise ModelFileError([Fault(None, TOO_LONG, {})])
    try:
        _refuse_references(text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1 if isinstance(error.position, int) else None
        raise ModelFileError([Fault(line, BAD_CHARACTER, {})]) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        raise ModelFileError(
            [Fault(mark.line + 1 if mark else None, BAD_YAML, {"problem": problem})]
        ) from error
    except RecursionError as error:
        raise ModelFileError([Fault(None, TOO_DEEP, {})]) from error
    if node is None:
        raise ModelFileError([Fault(None, EMPTY, {})])
    reader = _Reader()
    try:
        definition = reader.build(node, "")
    except RecursionError as error:
        raise ModelFileError([Fault(None, TOO_DEEP, {})]) from error
    if not isinstance(definition, dict):
        reader.faults.append(Fault(node.start_mark.line + 1, NOT_A_MODEL, {}))
    if reader.faults:
        raise ModelFileError(sorted(reader.faults, key=lambda fault: fault.line or 0))
    return ModelFile(definition, {**_lines_by_key(definition, reader.lines), **reader.lines})


def _refuse_references(text: str) -> None:
    found = [
        Fault(event.start_mark.line + 1 if event.start_mark else None, REFERENCE, {})
        for event in yaml.parse(text, Loader=yaml.SafeLoader)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None)
    ]
    if found:
        raise ModelFileError(found)


class _Reader:
    """Builds plain values from nodes and remembers the line of each place."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}
        self.faults: list[Fault] = []
        self._scalars = yaml.SafeLoader("")

    def build(self, node: yaml.Node, path: str) -> Any:
        """The value of a node."""
        line = node.start_mark.line + 1
        if path:
            self.lines.setdefault(path, line)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(item, f"{path}[{place}]") for place, item in enumerate(node.value)]
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self.faults.append(Fault(line, TAG, {}))
            return None

    def _mapping(self, node: yaml.MappingNode, path: str) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode) or not isinstance(
                name := self._scalars.construct_object(key_node), str
            ):
                self.faults.append(Fault(line, NAME_IS_NO_TEXT, {}))
                continue
            if name in out:
                self.faults.append(Fault(line, TWICE, {"name": name}))
            own = f"{path}.{name}" if path else name
            self.lines[own] = line
            out[name] = self.build(value_node, own)
        return out


def _items(data: Any, name: str) -> list[Any]:
    found = data.get(name) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def _lines_by_key(definition: dict[str, Any], lines: Mapping[str, int]) -> dict[str, int]:
    """The same places by the keys that faults of a model's sense are told with: component, component.metric."""
    out = {"weights": lines["components"]} if "components" in lines else {}
    for threshold in ("healthy_above", "critical_below"):
        if threshold in lines:
            out.setdefault("bands", lines[threshold])
    for place, part in enumerate(_items(definition, "components")):
        path = f"components[{place}]"
        if not isinstance(part, dict) or not isinstance(part.get("key"), str):
            continue
        key = part["key"]
        out.setdefault(key, lines[path])
        out |= _below(lines, path, key)
        for order, measure in enumerate(_items(part, "measures")):
            if isinstance(measure, dict) and isinstance(measure.get("metric"), str):
                inner, outer = f"{path}.measures[{order}]", f"{key}.{measure['metric']}"
                out.setdefault(outer, lines[inner])
                for name, line in {
                    **_below(lines, f"{inner}.scale", outer),
                    **_below(lines, inner, outer),
                }.items():
                    out.setdefault(name, line)
    return out


def _below(lines: Mapping[str, int], path: str, key: str) -> dict[str, int]:
    """The places below a path, under another name."""
    return {key + name[len(path) :]: line for name, line in lines.items() if name.startswith(f"{path}.")}


class _Dumper(yaml.SafeDumper):
    """Block style, scales and pairs in one line, lists indented below their name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


class _Flow(dict[str, Any]):
    """A map that is written in one line."""


def _represent_flow(dumper: yaml.SafeDumper, data: _Flow) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=True)


_Dumper.add_representer(_Flow, _represent_flow)


def write_model(definition: Mapping[str, Any]) -> str:
    """The text of a definition; reading it gives exactly the definition back."""
    return yaml.dump(_with_flow(definition), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)


def _with_flow(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        items = {key: _with_flow(item, key) for key, item in value.items()}
        return _Flow(items) if name == "scale" or name == "hysteresis" else items
    if isinstance(value, (list, tuple)):
        return [_with_flow(item) for item in value]
    return value
