from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExpansionConfig(AppConfig):
    """Opportunities, the whitespace, renewals."""

    name = "expansion"
    verbose_name = _("Expansion and renewals")

    def ready(self) -> None:
        """Register what this app gives a new tenant, tells other systems, and puts behind the bell."""
        from accounts.provisioning import register_step
        from expansion.events import (
            DISCOUNT_NOTICE,
            NOTICE,
            OPPORTUNITY_LOST,
            OPPORTUNITY_OPENED,
            OPPORTUNITY_WON,
        )
        from expansion.renewals.events import (
            RENEWAL_AT_RISK,
            RENEWAL_FORECAST,
            RENEWAL_LOST,
            RENEWAL_RENEWED,
        )
        from outreach.events import register_event_type
        from outreach.notices import register_notice_kind

        register_step(60, "expansion", "expansion.services.install_expansion")
        register_event_type(OPPORTUNITY_OPENED, _("An opportunity to expand was found."))
        register_event_type(OPPORTUNITY_WON, _("An opportunity was won."))
        register_event_type(OPPORTUNITY_LOST, _("An opportunity was lost."))
        register_notice_kind(NOTICE, _("New opportunities at my accounts"))
        register_notice_kind(DISCOUNT_NOTICE, _("Discounts that wait for me, or were decided"))
        register_event_type(RENEWAL_AT_RISK, _("A renewal became at risk."))
        register_event_type(RENEWAL_RENEWED, _("A renewal came in."))
        register_event_type(RENEWAL_LOST, _("A renewal was lost."))
        register_event_type(RENEWAL_FORECAST, _("Somebody changed the forecast of a renewal."))
