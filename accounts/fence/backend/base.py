"""The database backend that settings name."""

from __future__ import annotations

from typing import Any

from django.db.backends.postgresql import base, features

from .cursors import NarrowedCursor


class DatabaseFeatures(features.DatabaseFeatures):
    """What differs for fenced tables."""

    def allows_group_by_selected_pks_on_model(self, model: Any) -> bool:
        """Not for tenant tables: their key is `(tenant_id, id)`, so `id` alone does not determine the other columns."""
        from accounts.fence.models import TenantModel  # models load after the backend

        return super().allows_group_by_selected_pks_on_model(model) and not issubclass(model, TenantModel)


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with our features and our cursor."""

    features_class = DatabaseFeatures

    def get_connection_params(self) -> dict[str, Any]:
        """Every cursor of the connection, a raw one too, is ours."""
        return {**super().get_connection_params(), "cursor_factory": NarrowedCursor}
