from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class QbrConfig(AppConfig):
    """The qbr app."""

    name = "qbr"
    verbose_name = _("Business reviews")

    def ready(self) -> None:
        """Register the figure queries, the making of files, and what members are told."""
        from outreach.notices import register_notice_kind
        from qbr.figures.shipped import register_shipped_queries
        from qbr.sharing.files import register_pack_files

        register_shipped_queries()
        register_pack_files()
        register_notice_kind("pack_comment", _("A customer commented on a review"), mail=True)
