"""The two scales, and what an answer on them means. Pure."""

from __future__ import annotations

NPS, CSAT = "nps", "csat"
DETRACTOR, PASSIVE, PROMOTER = "detractor", "passive", "promoter"
CATEGORIES = (DETRACTOR, PASSIVE, PROMOTER)
NPS_SCORES, CSAT_SCORES = range(11), range(1, 6)


def scale_of(kind: str) -> range:
    """What may be answered."""
    return NPS_SCORES if kind == NPS else CSAT_SCORES


def category_of(kind: str, score: int) -> str:
    """0–6 detractor, 7–8 passive, 9–10 promoter; of CSAT 1–2, 3 and 4–5."""
    low, high = (6, 9) if kind == NPS else (2, 4)
    if score <= low:
        return DETRACTOR
    return PROMOTER if score >= high else PASSIVE
