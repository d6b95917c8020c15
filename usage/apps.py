from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class UsageConfig(AppConfig):
    """The usage app."""

    name = "usage"
    verbose_name = _("Usage")

    def ready(self) -> None:
        """Register what this app gives a new tenant, and that it wants to hear of memberships."""
        from accounts.attribution import register_forgetter, register_listener
        from accounts.provisioning import register_step

        register_step(10, "starter metrics", "usage.services.install_starter_metrics")
        from usage.jobs import register_jobs
        from usage.metric_imports import register_metric_import

        register_jobs()
        register_metric_import()
        register_listener("usage.services.resolve_memberships")
        register_forgetter("usage.services.forget_accounts")
