from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlaybooksConfig(AppConfig):
    """The playbooks app."""

    name = "playbooks"
    verbose_name = _("Playbooks")

    def ready(self) -> None:
        """Register what this app gives a new tenant."""
        from accounts.provisioning import register_step

        register_step(30, "shipped plays", "playbooks.services.install_shipped_plays")
