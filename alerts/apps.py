from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AlertsConfig(AppConfig):
    """The alerts app."""

    name = "alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        """Register what this app gives a new tenant, its jobs, what it tells systems and what it puts behind the bell."""
        from accounts.jobs import JobKind, Step, register_job_kind
        from accounts.provisioning import register_step
        from alerts.events import ALERT_OPENED, ALERT_RESOLVED
        from alerts.services import delivery, digest
        from alerts.services.dry_run import JOB_KIND, plan_dry_run, walk_chunk
        from outreach.events import register_event_type
        from outreach.notices import register_notice_kind

        register_job_kind(JOB_KIND, JobKind(plan=plan_dry_run, steps={"walk": Step(walk_chunk)}))
        register_job_kind(
            digest.JOB_KIND, JobKind(plan=digest.plan_digest, steps={"send": Step(digest.send_chunk)})
        )
        register_event_type(ALERT_OPENED, _("A rule opened an alert."))
        register_event_type(ALERT_RESOLVED, _("An alert resolved by itself."))
        register_notice_kind(delivery.NOTICE, _("An alert at one of my accounts"))
        register_notice_kind(digest.NOTICE, _("The daily digest of alerts"), mail=True)
        register_step(40, "shipped rules", "alerts.services.install_shipped_rules")
