from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WiresConfig(AppConfig):
    """The project package as an app: it brings the commands that join all floors."""

    name = "cs_platform"
    verbose_name = "cs-platform"

    def ready(self) -> None:
        """Let each app register its tables on the tenant's and the operator's admin site."""
        autodiscover_modules("admin")
