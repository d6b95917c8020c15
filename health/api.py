"""The API of the distribution."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api_base import TenantAPIView
from health.selectors import distribution
from scoring.api import date_parameter


class DistributionView(TenantAPIView):
    """How the tenant's accounts are spread over the bands."""

    scope = "read"

    def get(self, request: Request) -> Response:
        """Of the newest summarised day, or the newest one by `on`."""
        return Response(distribution(self.tenant, date_parameter(request, "on")))
