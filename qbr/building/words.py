"""What sections are called and why they may be empty, in the language that is active."""

from __future__ import annotations

from django.utils.translation import gettext as _

from qbr import content


def section_titles() -> dict[str, str]:
    """Section key → heading."""
    return {
        content.SUMMARY: _("Summary"),
        content.KPIS: _("KPIs and trends"),
        content.EXPERIMENTS: _("A/B winners and learnings"),
        content.BLOCKERS: _("Blockers and actions"),
        content.ROI: _("Return on investment"),
        content.RISKS: _("Risk register"),
        content.ROADMAP: _("Roadmap of the next quarter"),
        content.HIGHLIGHTS: _("Highlights"),
        content.CASES: _("Real cases and examples"),
        content.PROPOSAL: _("Expansion proposal"),
        content.ACTIONS: _("Actions"),
    }


def empty_reasons() -> dict[str, str]:
    """Section key → why there is nothing in it."""
    return {
        content.SUMMARY: _("Nobody has written a summary yet."),
        content.KPIS: _("No usage was reported in this period, so there is nothing to measure yet."),
        content.EXPERIMENTS: _("No test of variants was reported in this period."),
        content.BLOCKERS: _("Nothing blocks the work: no open ticket and no open finding."),
        content.ROI: _(
            "No value has been documented yet. The first entry of the register opens this section."
        ),
        content.RISKS: _("No risk is open."),
        content.ROADMAP: _("Nothing has been planned for the coming quarter yet."),
        content.HIGHLIGHTS: _("No highlight or learning was noted in this period."),
        content.CASES: _("No example has been noted for this review."),
        content.PROPOSAL: _("There is no concrete proposal at this time: no opportunity is open."),
        content.ACTIONS: _("No action is open from the last review, and none has been agreed yet."),
    }


def finding_words() -> dict[str, str]:
    """Rule → how a finding of it is told to the customer."""
    return {
        "usage_under_target": _("Weekly usage has been under the agreed target."),
        "reply_rate_falling": _("The reply rate has fallen: hooks, calls to action and timing are being reviewed."),
        "no_active_dashboard": _("No dashboard is in use: data and integrations are being checked."),
        "feature_adoption_low": _("A key feature is used by fewer than half of those who have it."),
        "engagement_falling": _("The team is less active than it used to be."),
        "limit_reached": _("The limit of the plan has been reached, or nearly."),
    }  # fmt: skip
