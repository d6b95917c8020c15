"""What a new tenant starts with: each app adds its part, the ground floor runs them in order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string

from accounts.models import Tenant

Install = Callable[..., Any]


@dataclass(frozen=True, order=True)
class ProvisioningStep:
    """One part: a service `install(*, tenant)`, named by its dotted path so that `ready()` imports nothing."""

    order: int
    name: str
    install: str

    def run(self, tenant: Tenant) -> None:
        """Call the service inside the tenant's scope."""
        service: Install = import_string(self.install)
        service(tenant=tenant)


_steps: dict[str, ProvisioningStep] = {}


def register_step(order: int, name: str, install: str) -> None:
    """Add a part; called from an app's `ready()`. Steps run by `order`, once per new tenant, each repeatable."""
    _steps[name] = ProvisioningStep(order, name, install)


def steps() -> list[ProvisioningStep]:
    """The registered steps in the order they run."""
    return sorted(_steps.values())


def provision(*, tenant: Tenant) -> None:
    """Run every step; must be inside the tenant's scope."""
    for step in steps():
        step.run(tenant)
