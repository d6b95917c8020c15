from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QbrConfig(AppConfig):
    """The qbr app."""

    name = "qbr"
    verbose_name = _("Business reviews")

    def ready(self) -> None:
        """Register the figure queries."""
        from qbr.figures.shipped import register_shipped_queries

        register_shipped_queries()
