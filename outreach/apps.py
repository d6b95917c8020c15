from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OutreachConfig(AppConfig):
    """What is said to customers, to members and to other systems."""

    name = "outreach"
    verbose_name = _("Messages")

    def ready(self) -> None:
        """Register what the relay can send, and what a new tenant starts with."""
        from anymail.signals import tracking

        from accounts.mail import register_dress
        from accounts.provisioning import register_step
        from accounts.signon.http import register_http
        from outreach.bounces import note_tracking
        from outreach.delivery import register_channels

        register_channels()
        tracking.connect(note_tracking, dispatch_uid="outreach.bounces")
        register_dress("outreach.mail.layout.dress")
        register_http("outreach.http.guarded_session")
        register_step(15, "messages", "outreach.services.install_outreach")
