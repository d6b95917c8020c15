from importlib import import_module
from importlib.util import find_spec

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class WiresConfig(AppConfig):
    """The project package as an app: it brings the commands that join all floors."""

    name = "cs_platform"
    verbose_name = "cs-platform"

    def ready(self) -> None:
        """Register the nightly jobs, the mail handler and every app's tables on the admin sites."""
        from accounts.outbox import register_outbox_handler, send_email

        # Here and not in __init__: the supervisor imports this package too and must not become a "worker".
        import_module("cs_platform.celery")  # the application that shared tasks belong to

        register_outbox_handler("email", send_email)
        if all(find_spec(f"{app}.services") for app in ("usage", "scoring", "health", "alerts", "playbooks")):
            from cs_platform.pipeline import register_jobs

            register_jobs()
        autodiscover_modules("admin")
