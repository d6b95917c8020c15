"""What belongs to an introduction, in its order. Pure: what is done is read elsewhere, from the real state."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class GuideItem:
    """One thing to have; `check` names what of the real state says that it is there, `view` where it is done."""

    key: str
    title: Promise
    check: str
    view: str = ""


@dataclass(frozen=True)
class Section:
    """A phase, or a part of the PLG checklist."""

    key: str
    title: Promise
    note: Promise | str
    items: tuple[GuideItem, ...]


PHASES = (
    Section(
        "setup",
        _("Phase 1: set-up"),
        _("Months 1–2"),
        (
            GuideItem("data", _("Data arrives"), "source_fresh", "workspace:sources"),
            GuideItem("score_defined", _("Health score defined"), "score_defined", "workspace:score_model"),
            GuideItem("scores", _("Health scores calculated"), "scores_calculated", "workspace:health"),
            GuideItem("alerts", _("Alerts configured"), "rules_enabled", "workspace:rules"),
            GuideItem("workflows", _("Basic workflows"), "plays_ready", "workspace:playbooks"),
        ),
    ),
    Section(
        "automation",
        _("Phase 2: automation"),
        _("Months 3–4"),
        (
            GuideItem("auto_workflows", _("Automatic workflows"), "plays_by_alert", "workspace:runs"),
            GuideItem("self_service", _("Self-service resources"), "hand"),
            GuideItem("outreach", _("Proactive outreach"), "messages_sent"),
            GuideItem(
                "expansion_signals", _("Expansion is identified"), "expansion_found", "workspace:rules"
            ),
        ),
    ),
    Section(
        "optimisation",
        _("Phase 3: optimisation"),
        _("Month 5 and later"),
        (
            GuideItem("score_better", _("Health scores improved"), "score_improved", "workspace:quality"),
            GuideItem("plays_better", _("Workflows improved"), "plays_improved", "workspace:playbooks"),
            GuideItem(
                "strategic", _("CSMs step in where it counts"), "handed_over", "workspace:intervention"
            ),
            GuideItem("growth", _("Work on expansion"), "expansion_worked", "workspace:runs"),
        ),
    ),
)
CHECKLIST = (
    Section(
        "scoring",
        _("Health scoring"),
        "",
        (
            GuideItem("plg_score", _("Health score defined"), "score_defined", "workspace:score_model"),
            GuideItem("plg_components", _("Components identified"), "components", "workspace:score_model"),
            GuideItem("plg_thresholds", _("Thresholds set"), "thresholds", "workspace:score_model"),
            GuideItem("plg_nightly", _("Calculation automated"), "night_runs", "workspace:health"),
        ),
    ),
    Section(
        "monitoring",
        _("Monitoring"),
        "",
        (
            GuideItem("plg_tracked", _("Health scores tracked"), "history", "workspace:health"),
            GuideItem("plg_alerts", _("Alerts configured"), "rules_enabled", "workspace:rules"),
            GuideItem("plg_dashboards", _("Dashboards in place"), "dashboard", "workspace:health"),
            GuideItem("plg_reporting", _("Reporting established"), "hand"),
        ),
    ),
    Section(
        "automating",
        _("Automation"),
        "",
        (
            GuideItem("plg_workflows", _("Automatic workflows"), "plays_by_alert", "workspace:runs"),
            GuideItem("plg_self_service", _("Self-service resources"), "hand"),
            GuideItem("plg_outreach", _("Proactive outreach"), "messages_sent"),
            GuideItem("plg_expansion", _("Expansion is identified"), "expansion_found", "workspace:rules"),
        ),
    ),
    Section(
        "intervention",
        _("Intervention of CSMs"),
        "",
        (
            GuideItem("plg_cases", _("Cases for CSMs defined"), "cases", "workspace:intervention"),
            GuideItem("plg_handoff", _("Hand-off process"), "handoff_process", "workspace:intervention"),
            GuideItem("plg_training", _("CSMs trained"), "trained", "workspace:training"),
            GuideItem("plg_metrics", _("Metrics of CSMs"), "csm_metrics", "workspace:csm_metrics"),
        ),
    ),
)
ITEM_KEYS = frozenset(item.key for section in (*PHASES, *CHECKLIST) for item in section.items)
