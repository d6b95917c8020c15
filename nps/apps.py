from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class NpsConfig(AppConfig):
    """The nps app."""

    name = "nps"
    verbose_name = _("Surveys, references and stories")

    def ready(self) -> None:
        """Register what this app gives a new tenant, its jobs, what it sends, and what it puts behind the bell."""
        from accounts.outbox import register_outbox_handler
        from accounts.provisioning import register_step
        from nps.references.registering import register_references
        from nps.surveys import delivery, events
        from nps.surveys.jobs import register_jobs
        from outreach.events import register_event_type
        from outreach.mail.private import register_private_values
        from outreach.notices import register_notice_kind

        register_step(70, "surveys", "nps.surveys.services.install_surveys")
        register_jobs()
        register_outbox_handler(delivery.SURVEY_TEST, delivery.send_survey_test)
        register_private_values(events.MAIL_KEY, "nps.surveys.services.mailing.private_link")
        register_event_type(
            events.NPS_ANSWERED, _("A contact answered an NPS survey, or changed the answer.")
        )
        register_event_type(
            events.CSAT_ANSWERED, _("A contact answered a CSAT survey, or changed the answer.")
        )
        register_notice_kind(events.NOTICE, _("A survey answer at one of my accounts"))

        register_references()
