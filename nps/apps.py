from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NpsConfig(AppConfig):
    """The nps app."""

    name = "nps"
    verbose_name = _("Surveys, references and stories")
