"""Models as files: a version written out, a file read into a draft, each fault with its line."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Membership, Tenant
from accounts.services import record_audit
from scoring.difference import Change, differences
from scoring.model_yaml import ModelFile, ModelFileError, read_model, write_model
from scoring.models import ScoreModel, Version
from scoring.places import fault_words
from scoring.selectors.versions import published_version

from .definitions import definition_of
from .drafts import DefinitionError, create_draft, save_draft


@dataclass(frozen=True)
class FileProblem:
    """What is wrong in a file: the line (None is the file as a whole) and how to mend it, in the reader's language."""

    line: int | None
    message: str


class FileRefused(ValueError):
    """A file that is not stored: `problems` lists every fault by line."""

    def __init__(self, problems: list[FileProblem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.line or 0)
        super().__init__(
            "\n".join(
                problem.message
                if problem.line is None
                else _("Line %(line)d: %(problem)s") % {"line": problem.line, "problem": problem.message}
                for problem in self.problems
            )
        )


@dataclass(frozen=True)
class CheckedFile:
    """A file that would make a publishable draft, and what it says otherwise than the published version."""

    against: Version | None
    changes: list[Change]


class _Undo(Exception):
    """Takes a rehearsal back."""


def export_version(version: Version) -> str:
    """A version as the text of a file."""
    return write_model(definition_of(version))


def check_file(*, tenant: Tenant, model: ScoreModel, text: str) -> CheckedFile:
    """Everything that storing the file would do, but nothing is stored. Raises `FileRefused` with every fault."""
    against = published_version(tenant, model.key)
    changes: list[Change] = []
    try:
        with transaction.atomic():
            draft = _store(tenant, model, text)
            if against is not None:
                changes = differences(definition_of(against), definition_of(draft))
            raise _Undo
    except _Undo:
        return CheckedFile(against, changes)


def import_file(*, tenant: Tenant, model: ScoreModel, text: str, member: Membership | None = None) -> Version:
    """Make the model's draft say what the file says; a draft that is there is replaced. Raises `FileRefused`."""
    with transaction.atomic():
        draft = _store(tenant, model, text)
        record_audit(
            tenant=tenant,
            actor=member,
            action="scoring.version.imported",
            target=f"{model.key} v{draft.number}",
            after={"definition": definition_of(draft)},
        )
    return draft


def _store(tenant: Tenant, model: ScoreModel, text: str) -> Version:
    try:
        file = read_model(text)
    except ModelFileError as error:
        raise FileRefused(
            [FileProblem(fault.line, _(fault.message) % fault.values) for fault in error.faults]
        ) from error
    kind = file.definition.get("kind", model.kind)
    if kind != model.kind:
        words = _(
            "The file is a model of the kind “%(file)s”, this one is “%(model)s”; choose another model."
        )
        raise FileRefused([FileProblem(file.line_of("kind"), words % {"file": kind, "model": model.kind})])
    try:
        return save_draft(
            tenant=tenant, version=create_draft(tenant=tenant, model=model), definition=file.definition
        )
    except DefinitionError as error:
        raise FileRefused(_by_line(file, error)) from error


def _by_line(file: ModelFile, error: DefinitionError) -> list[FileProblem]:
    """The faults of a definition at their lines; the place is said where the line alone does not tell."""
    return [
        FileProblem(file.line_of(path), fault_words(path, words, as_written=True))
        for path, words in error.problems
    ]
