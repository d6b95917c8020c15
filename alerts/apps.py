from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """The alerts app."""

    name = "alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        """Register what this app gives a new tenant."""
        from accounts.provisioning import register_step

        register_step(40, "shipped rules", "alerts.services.install_shipped_rules")
