from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """The ground floor: tenants, the fence, customers, the ledger of work."""

    name = "accounts"
    verbose_name = _("Customers")

    def ready(self) -> None:
        """Guard the database connections of serving processes, register the checks and what the relay can send."""
        from accounts import factors, trail
        from accounts.fence import checks, guard, states  # noqa: F401  (the import registers the checks)
        from accounts.imports.jobs import register_import_jobs
        from accounts.imports.resources import register_house_resources
        from accounts.imports.undo_jobs import register_undo_jobs
        from accounts.invitations import send_invitation_mail
        from accounts.mail import EMAIL, send_email
        from accounts.outbox import register_outbox_handler
        from accounts.privacy.deletion import MAIL as DELETION
        from accounts.privacy.deletion import send_confirmation
        from accounts.privacy.exporting import register_export_job
        from accounts.services.members import INVITATION

        guard.install(settings.CS_PROCESS)
        trail.connect()
        factors.connect()
        states.render_alone(set(settings.HOUSE_APPS))
        register_outbox_handler(EMAIL, send_email)
        register_outbox_handler(INVITATION, send_invitation_mail)
        register_outbox_handler(DELETION, send_confirmation)
        register_export_job()
        register_house_resources()
        register_import_jobs()
        register_undo_jobs()
