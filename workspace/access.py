"""The door of pages that every member may read."""

from __future__ import annotations

from accounts.access import require_role
from accounts.models import Role

member_only = require_role(Role.VIEWER)
csm_only = require_role(Role.CSM)
manager_only = require_role(Role.MANAGER)
admin_only = require_role(Role.ADMIN)
