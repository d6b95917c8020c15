"""Writes of scoring."""

from .backtests import draft_suggested_weights, start_backtest
from .definitions import definition_of
from .drafts import (
    DefinitionError,
    create_draft,
    discard_draft,
    make_default,
    publish_version,
    save_draft,
    version_problems,
    weight_problem,
)
from .forgetting import forget_scores
from .model_files import CheckedFile, FileProblem, FileRefused, check_file, export_version, import_file
from .proposals import propose_shipped_version
from .references import refresh_day_references
from .rollback import roll_back
from .runs import RunSummary, score_accounts
from .shipped import install_templates

__all__ = [
    "CheckedFile",
    "DefinitionError",
    "FileProblem",
    "FileRefused",
    "RunSummary",
    "check_file",
    "create_draft",
    "definition_of",
    "discard_draft",
    "draft_suggested_weights",
    "export_version",
    "forget_scores",
    "import_file",
    "install_templates",
    "make_default",
    "propose_shipped_version",
    "publish_version",
    "refresh_day_references",
    "roll_back",
    "save_draft",
    "score_accounts",
    "start_backtest",
    "version_problems",
    "weight_problem",
]
