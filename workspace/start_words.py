"""The shipped models in words, for somebody who has to choose one on the first day."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from scoring.models import ScoreModel


@dataclass(frozen=True)
class ModelWords:
    """For whom a model is made, and what it needs before it says something."""

    fits: Promise | str
    needs: Promise | str


SHIPPED = {
    "plg": ModelWords(
        _(
            "People sign up and find their way by themselves. Health is how much and how regularly they use the product, "
            "how many of its features, and whether tickets or invoices stand open."
        ),
        _("Works with any events from the first day; no name has to be agreed."),
    ),
    "playbook": ModelWords(
        _(
            "Customers run outreach with your product. Health is what they send, what comes back, what it is worth in "
            "money, and what could go wrong."
        ),
        _(
            "Needs sends, replies, demos and ROI under the names of its metrics; until they come an account shows as "
            "unknown instead of a wrong colour."
        ),
    ),
}
OWN = ModelWords("", _("One of your own models."))


def model_words(model: ScoreModel) -> ModelWords:
    """What to say about a model."""
    return SHIPPED.get(model.key, OWN)
