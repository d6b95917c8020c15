from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WorkspaceConfig(AppConfig):
    """The workspace app."""

    name = "workspace"
    verbose_name = _("Workspace")

    def ready(self) -> None:
        """Put our parts on the Value tab of accounts."""
        from workspace.selectors.value import register_value_panels

        register_value_panels()
