from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkspaceConfig(AppConfig):
    """The workspace app."""

    name = "workspace"
    verbose_name = _("Workspace")

    def ready(self) -> None:
        """Put our parts on the Value tab of accounts; make our jobs known, and the notice of who is named in a note."""
        from accounts.jobs import register_job_kind
        from outreach.notices import register_notice_kind
        from workspace.merging.jobs import register_jobs
        from workspace.selectors.value import register_value_panels
        from workspace.services import handover
        from workspace.services.bulk_jobs import register_bulk_jobs
        from workspace.services.notes import MENTIONED
        from workspace.services.privacy import register_erasure_job

        register_value_panels()
        register_job_kind(handover.JOB, handover.KIND)
        register_jobs()
        register_notice_kind(MENTIONED, _("Somebody named me in a note"))
        register_erasure_job()
        register_bulk_jobs()
