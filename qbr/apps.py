from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QbrConfig(AppConfig):
    """The qbr app."""

    name = "qbr"
    verbose_name = _("Business reviews")

    def ready(self) -> None:
        """Register figure queries, jobs, what members are told, and what new tenants start with."""
        from accounts.provisioning import register_step
        from accounts.reactions import register_go_live_reaction
        from outreach.notices import register_notice_kind
        from qbr import timeline
        from qbr.figures.shipped import register_shipped_queries
        from qbr.services.jobs import register_jobs
        from qbr.sharing.files import register_pack_files

        register_shipped_queries()
        register_jobs()
        register_pack_files()
        register_step(65, "cadence of reviews", "qbr.services.install_settings")
        register_go_live_reaction("qbr.services.go_live_changed")
        register_notice_kind(timeline.DRAFTED, _("QBR packs are drafted"))
        register_notice_kind("pack_comment", _("A customer commented on a review"), mail=True)
