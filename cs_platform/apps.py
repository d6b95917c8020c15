from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WiresConfig(AppConfig):
    """The project package as an app: it brings the commands that join all floors."""

    name = "cs_platform"
    verbose_name = "cs-platform"

    def ready(self) -> None:
        """Register the jobs and every app's tables on the admin sites."""
        from cs_platform.demo.build import register_demo_jobs
        from cs_platform.pipeline import register_jobs

        register_jobs()
        register_demo_jobs()
        autodiscover_modules("admin")
