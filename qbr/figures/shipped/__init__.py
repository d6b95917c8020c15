"""The figure queries that come with the product."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from qbr.figures.registry import register_figure_query

from . import metrics, others


def register_shipped_queries() -> None:
    """Make them known; called from the app's `ready()`."""
    over = metrics.period_needs
    register_figure_query("metric_total", metrics.metric_total, _("A metric over a period"), "", needs=over)
    register_figure_query(
        "metric_per_week", metrics.metric_per_week, _("A metric per week of a period"), "", needs=over
    )
    register_figure_query(
        "metric_mean", metrics.metric_mean, _("Mean of a state over a period"), "", needs=metrics.mean_needs
    )
    register_figure_query(
        "metric_change",
        metrics.metric_change,
        _("Change of a metric against the period before"),
        "%",
        needs=metrics.change_needs,
    )
    register_figure_query(
        "metric_by_week",
        metrics.metric_by_week,
        _("A metric in each complete week of a period"),
        "",
        needs=metrics.weekly_needs,
        shows_rows=True,
    )
    register_figure_query(
        "metric_by_key",
        metrics.metric_by_key,
        _("A metric by its dimension"),
        "",
        needs=metrics.key_needs,
        shows_rows=True,
    )
    register_figure_query(
        "experiment",
        metrics.experiment,
        _("Winning variant of a test"),
        "%",
        needs=metrics.experiment_needs,
        shows_rows=True,
    )
    register_figure_query(
        "active_users", metrics.active_users, _("Active users of a period"), "", needs=metrics.user_needs
    )
    register_figure_query(
        "features_adopted",
        metrics.features_adopted,
        _("Features used in a period"),
        "",
        needs=metrics.feature_needs,
    )
    register_figure_query("seats_used", metrics.seats_used, _("Seats used"), "", needs=metrics.seat_needs)
    register_figure_query("score_on", others.score_on, _("Score on a day"), "", needs=others.score_needs)
    register_figure_query(
        "score_change", others.score_change, _("Change of the score"), "", needs=others.score_needs
    )
    register_figure_query(
        "score_by_week",
        others.score_by_week,
        _("Score at the end of each week"),
        "",
        needs=others.score_needs,
        shows_rows=True,
    )
    register_figure_query(
        "tickets_opened",
        others.tickets_opened,
        _("Tickets opened in a period"),
        "",
        needs=others.ticket_needs,
    )
    register_figure_query(
        "tickets_resolved",
        others.tickets_resolved,
        _("Tickets resolved in a period"),
        "",
        needs=others.ticket_needs,
    )
    register_figure_query(
        "tickets_open",
        others.tickets_open,
        _("Tickets open at the end of a period"),
        "",
        needs=others.ticket_needs,
    )
    register_figure_query(
        "ticket_hours",
        others.ticket_hours,
        _("Median hours until a ticket was resolved"),
        "h",
        needs=others.ticket_needs,
    )
    register_figure_query(
        "roi_total", others.roi_total, _("Value from the ROI register"), "cents", needs=others.roi_needs
    )
