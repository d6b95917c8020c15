from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """The ground floor: tenants, the fence, customers, the ledger of work."""

    name = "accounts"
    verbose_name = _("Customers")

    def ready(self) -> None:
        """Guard the database connections of serving processes and register the checks."""
        from accounts.fence import checks, guard  # noqa: F401  (the import registers the checks)

        guard.install(settings.CS_PROCESS)
