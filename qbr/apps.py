from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QbrConfig(AppConfig):
    """The qbr app."""

    name = "qbr"
    verbose_name = _("Business reviews")
