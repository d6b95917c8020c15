from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    """Manager reports: definitions, stored figures, subscriptions."""

    name = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        """Register the jobs that fill the past and send what members subscribed to, and how those mails are sent."""
        from accounts.jobs import JobKind, Step, register_job_kind
        from accounts.outbox import register_outbox_handler
        from reports.services import backfill, mailing

        register_job_kind(
            backfill.JOB_KIND, JobKind(plan=backfill.plan_backfill, steps={"day": Step(backfill.fill_day)})
        )
        register_job_kind(
            mailing.JOB_KIND, JobKind(plan=mailing.plan_mail, steps={"write": Step(mailing.write_chunk)})
        )
        register_outbox_handler(mailing.OUTBOX_KIND, mailing.send_report)
