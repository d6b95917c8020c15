from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkspaceConfig(AppConfig):
    """The workspace app."""

    name = "workspace"
    verbose_name = _("Workspace")

    def ready(self) -> None:
        """Put our parts on the Value tab of accounts, and make our jobs known."""
        from accounts.jobs import register_job_kind
        from workspace.selectors.value import register_value_panels
        from workspace.services import handover

        register_value_panels()
        register_job_kind(handover.JOB, handover.KIND)
