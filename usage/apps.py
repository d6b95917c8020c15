from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    """The usage app."""

    name = "usage"
    verbose_name = _("Usage")
