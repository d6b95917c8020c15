"""Bands of a score as people see them: key, word, icon."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Band:
    """A band; `code` is what the database stores."""

    code: int
    key: str
    word: Promise
    icon: str


UNKNOWN = Band(0, "unknown", _("Unknown"), "circle-dashed")
CRITICAL = Band(1, "critical", _("Critical"), "alert-hexagon")
AT_RISK = Band(2, "at_risk", _("At risk"), "alert-triangle")
HEALTHY = Band(3, "healthy", _("Healthy"), "circle-check")
HEALTH_BANDS = (HEALTHY, AT_RISK, CRITICAL, UNKNOWN)  # as they stand in charts and filters, best first
_BY_CODE = {band.code: band for band in HEALTH_BANDS}
_BY_KEY = {band.key: band for band in HEALTH_BANDS}


def band_of(value: int | str | None) -> Band:
    """The band of a stored code or a key; nothing stored is unknown."""
    if value is None:
        return UNKNOWN
    return _BY_CODE[value] if isinstance(value, int) else _BY_KEY[value]
