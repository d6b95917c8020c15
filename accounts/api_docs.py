"""The API's schema and the page that shows it."""

from __future__ import annotations

from csp.decorators import csp_replace
from django.conf import settings
from django.utils.decorators import method_decorator
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView


class SchemaView(SpectacularJSONAPIView):
    """`GET /api/v1/schema`: OpenAPI 3.1."""


@method_decorator(csp_replace({"style-src": settings.SWAGGER_STYLE_SRC}), name="dispatch")
class DocsView(SpectacularSwaggerSplitView):
    """`GET /api/docs/`: Swagger; it styles itself, so this one page may have inline styles."""

    url_name = "api-schema"
    metadata_class = None  # OPTIONS has nothing to say about a page
