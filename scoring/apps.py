from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScoringConfig(AppConfig):
    """The scoring app."""

    name = "scoring"
    verbose_name = _("Scoring")

    def ready(self) -> None:
        """Register what this app gives a new tenant."""
        from accounts.provisioning import register_step

        register_step(20, "score models", "scoring.services.install_templates")
