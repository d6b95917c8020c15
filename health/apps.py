from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class HealthConfig(AppConfig):
    """The health app."""

    name = "health"
    verbose_name = _("Health")
