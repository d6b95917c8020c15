"""What people call the metrics and components that evidence remembers by key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection
from django.utils.translation import gettext

from accounts.models import Tenant
from alerts.rule_words import CURRENCY
from alerts.wording import evidence_sentence
from scoring.models import Version
from usage.starter import shown_name

COMPONENT = "component "  # before a component's key, which may also be a metric's


# Models may share a key; the default model, which scores most accounts, has the last word.
_NAMES = """
SELECT key, name, false AS is_default FROM usage_metric WHERE tenant_id = %(tenant)s
UNION ALL
SELECT %(component)s || c.key, c.name, m.is_default
FROM scoring_version v
JOIN scoring_model m ON m.tenant_id = v.tenant_id AND m.id = v.model_id
JOIN scoring_component c ON c.tenant_id = v.tenant_id AND c.version_id = v.id
WHERE v.tenant_id = %(tenant)s AND v.state = %(published)s
ORDER BY is_default
"""


def metric_names(tenant: Tenant) -> dict[str, str]:
    """Names of the metrics by key, and of the models' components; one query, in the reader's language."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NAMES, {"tenant": tenant.pk, "component": COMPONENT, "published": Version.State.PUBLISHED.value}
        )
        found = {
            key: gettext(name) if key.startswith(COMPONENT) else shown_name(key, name)
            for key, name, _default in cursor.fetchall()
        }
    return found | {CURRENCY: tenant.currency}


def finding_sentence(kind: str, evidence: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Why an alert fired, with names in place of keys, in the reader's language."""
    said = dict(evidence)
    if "weakest" in said:
        said["weakest"] = names.get(COMPONENT + said["weakest"], said["weakest"])
    return evidence_sentence(kind, said, names)
