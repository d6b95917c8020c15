"""What the nps app stores."""

from nps.surveys.models import Answer, Invitation, Survey, SurveySettings, Wave

__all__ = ["Answer", "Invitation", "Survey", "SurveySettings", "Wave"]
