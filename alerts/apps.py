from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """The alerts app."""

    name = "alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        """Register what this app gives a new tenant."""
        from accounts.jobs import JobKind, Step, register_job_kind
        from accounts.provisioning import register_step
        from alerts.services.dry_run import JOB_KIND, plan_dry_run, walk_chunk

        register_job_kind(JOB_KIND, JobKind(plan=plan_dry_run, steps={"walk": Step(walk_chunk)}))
        register_step(40, "shipped rules", "alerts.services.install_shipped_rules")
