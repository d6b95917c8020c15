"""The API of the distribution."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import TenantAPIView
from accounts.api_schema import DATE, INTEGER, NUMBER, STRING, described, nullable, record
from health.selectors import distribution
from scoring.api import date_parameter
from scoring.api_descriptions import ON

DISTRIBUTION = record(
    {
        "on": nullable(DATE),
        "scored": INTEGER,
        "healthy": INTEGER,
        "at_risk": INTEGER,
        "critical": INTEGER,
        "unknown": INTEGER,
        "mean": nullable(NUMBER),
        "healthy_pct": nullable(NUMBER),
        "mrr": record(
            {
                "currency": STRING,
                "scored_cents": INTEGER,
                "healthy_cents": INTEGER,
                "at_risk_cents": INTEGER,
                "critical_cents": INTEGER,
                "unknown_cents": INTEGER,
                "healthy_pct": nullable(NUMBER),
            }
        ),
    }
)


class DistributionView(TenantAPIView):
    """How the tenant's accounts are spread over the bands."""

    scope = "read"

    @described(
        "health_distribution",
        "Read how the accounts are spread over the bands",
        answer=DISTRIBUTION,
        parameters=[ON],
        errors=[400],
    )
    def get(self, request: Request) -> Response:
        """Of the newest summarised day, or the newest one by `on`."""
        return Response(distribution(self.tenant, date_parameter(request, "on")))
