from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PqlConfig(AppConfig):
    """Product-qualified leads: signals, the board, the hand-off to sales."""

    name = "pql"
    verbose_name = _("Leads (PQL)")

    def ready(self) -> None:
        """Register what this app gives a new tenant: after the metrics, which its signals read."""
        from accounts.provisioning import register_step

        register_step(50, "leads", "pql.services.install_leads")
