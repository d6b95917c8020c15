"""Is the process alive, is it ready, what does it measure."""

from __future__ import annotations

import hmac

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from accounts.fence.dispatch import oldest_inbox_age_seconds


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers."""
    return JsonResponse({"status": "ok"})


@require_safe
@cache_control(public=True, max_age=86_400)
def favicon(request: HttpRequest) -> HttpResponse:
    """Our mark, for whoever asks without having read a page: a browser with a file alone in its window."""
    return HttpResponse((settings.BASE_DIR / "static" / "icon-32.png").read_bytes(), content_type="image/png")


@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when database, broker and migrations are in order, else 503; each part says what it found."""
    parts: dict[str, object] = {}
    try:
        plan = MigrationExecutor(connection).loader.graph.leaf_nodes()
        applied = MigrationExecutor(connection).loader.applied_migrations
        parts["database"] = "ok"
        missing = [f"{app}.{name}" for app, name in plan if (app, name) not in applied]
        parts["migrations"] = "ok" if not missing else f"not applied: {', '.join(missing)}"
        parts["oldest_inbox_seconds"] = round(oldest_inbox_age_seconds(), 1)
    except DatabaseError as error:
        parts["database"] = type(error).__name__
    try:
        redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2).ping()
        parts["broker"] = "ok"
    except redis.RedisError as error:
        parts["broker"] = type(error).__name__
    ready = all(parts.get(name) == "ok" for name in ("database", "migrations", "broker"))
    return JsonResponse({"status": "ok" if ready else "not ready", **parts}, status=200 if ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus metrics, for whoever has METRICS_TOKEN; without one configured there is no such page."""
    sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not settings.METRICS_TOKEN or not hmac.compare_digest(sent, settings.METRICS_TOKEN):
        raise Http404
    response: HttpResponse = ExportToDjangoView(request)
    return response
