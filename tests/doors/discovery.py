"""Every route of both URLconfs, and concrete addresses of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from django.conf import settings
from django.urls import URLResolver, get_resolver

from tests.doors import table

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")


def routes_of(urlconf: str) -> list[str]:
    """The routes as they are written."""

    def walk(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
        for pattern in resolver.url_patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, path)
            else:
                yield path

    return list(walk(get_resolver(urlconf)))


def public_routes() -> list[str]:
    """Outside tenants."""
    return routes_of(settings.ROOT_URLCONF)


def tenant_routes() -> list[str]:
    """Inside a tenant."""
    return routes_of(settings.TENANT_URLCONF)


def admin_routes(prefix: str, registered: Mapping[str, list[str]], own: list[str]) -> set[str]:
    """What an admin site with these models has."""
    apps = "|".join(registered)
    models = [f"{prefix}{app}/{model}/" for app, names in registered.items() for model in names]
    return {
        *(prefix + route for route in table.ADMIN_SITE_ROUTES),
        f"{prefix}^(?P<app_label>{apps})/$",
        *(model + route for model in models for route in table.ADMIN_MODEL_ROUTES),
        *own,
    }


def filled(route: str, values: Mapping[str, object]) -> str:
    """The address with these values for its parameters."""
    return PARAMETER.sub(lambda match: str(values[match[1]]), route)


def admin_pages() -> list[tuple[str, dict[str, str]]]:
    """The tenant admin's routes with the model that each parameter names."""
    found: list[tuple[str, dict[str, str]]] = [("admin/", {}), ("admin/jsi18n/", {}), ("admin/nothing/", {})]
    for app, names in table.TENANT_ADMIN.items():
        found.append((f"admin/{app}/", {}))
        for model in names:
            for route in table.ADMIN_MODEL_ROUTES:
                params = {"object_id": f"{app}.{model}"} if "object_id" in route else {}
                found.append((f"admin/{app}/{model}/{route}", params))
    found += [(route, {"pk": model}) for route, model in table.TENANT_ADMIN_OWN.items()]
    return found
