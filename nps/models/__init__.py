"""Tables of surveys, references and case studies."""

from nps.references.models import (
    Reference,
    ReferenceAsk,
    ReferenceRequest,
    ReferenceSettings,
    ReferenceUse,
)
from nps.stories.models import Story, StoryApproval, StoryFile, StoryPicture, StoryResult
from nps.surveys.models import Answer, Invitation, Survey, SurveySettings, Wave

__all__ = [
    "Answer",
    "Invitation",
    "Reference",
    "ReferenceAsk",
    "ReferenceRequest",
    "ReferenceSettings",
    "ReferenceUse",
    "Story",
    "StoryApproval",
    "StoryFile",
    "StoryPicture",
    "StoryResult",
    "Survey",
    "SurveySettings",
    "Wave",
]
