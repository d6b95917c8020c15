from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExpansionConfig(AppConfig):
    """The expansion app."""

    name = "expansion"
    verbose_name = _("Expansion and renewals")
