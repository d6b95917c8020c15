"""Writing a pack: from what figures and registers say to sections, in the language that is active."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext as _

from outreach.documents.spec import ChartSpec
from qbr import content, numbers
from qbr.content import Block, Bullets, Chart, Kpi, Kpis, PackContent, Section, Table, Text
from qbr.experiments import CLOSE, FEW, NO_SHARE, WON, Outcome
from qbr.models import Highlight, Risk
from qbr.registers.months import by_month, month_of
from qbr.storyline import Movement, Story, Trial, summary
from usage.models import Metric

from .actions import action_blocks
from .asking import Key
from .desk import Desk
from .material import is_done
from .words import empty_reasons, finding_words, section_titles

MOST_CHARTS = 2
MONTHS_SHOWN = 12
SEVERE = 6  # severity × likelihood from which a risk is named in the summary


@dataclass
class Writer(Desk):
    """Writes one pack from what is on the desk."""

    # ── The whole ────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self) -> PackContent:
        """Every section in its order."""
        titles, reasons = section_titles(), empty_reasons()
        blocks: dict[str, Callable[[], list[Block]]] = {
            content.SUMMARY: list,
            content.KPIS: self.kpis,
            content.EXPERIMENTS: self.experiments,
            content.BLOCKERS: self.blockers,
            content.ROI: self.roi,
            content.RISKS: self.risks,
            content.ROADMAP: self.roadmap,
            content.HIGHLIGHTS: self.highlights,
            content.CASES: self.cases,
            content.PROPOSAL: self.proposal,
            content.ACTIONS: self.actions,
        }
        sections = []
        for key in content.SECTION_KEYS:
            written = tuple(blocks[key]())
            reason = "" if written or key == content.SUMMARY else reasons[key]
            sections.append(Section(key, titles[key], blocks=written, empty_reason=reason))
        label = numbers.period_text(self.period.first, self.period.last, self.language)
        return PackContent(
            title=_("Business review: %(account)s") % {"account": self.material.account.name},
            account_name=self.material.account.name,
            period_label=label,
            language=self.language,
            summary_md=summary(self.story(), self.language),
            sections=tuple(sections),
        )

    def story(self) -> Story:
        """What the summary may say."""
        tickets = None
        if self.material.has_tickets:
            counts = [self.value(name) for name in ("tickets_opened", "tickets_resolved", "tickets_open")]
            tickets = (int(counts[0] or 0), int(counts[1] or 0), int(counts[2] or 0))
        roi = self.value("roi")
        agreed = self.material.agreed
        proposal = self.material.proposal
        return Story(
            movements=tuple(self._movement(metric) for metric in self.shown_metrics()),
            roi_cents=None if roi is None else round(roi),
            roi_currency=self.currency,
            roi_entries=len(self.drawn[("roi",)][1].rows) if roi is not None else 0,
            tests=tuple(self._trial(metric, outcome) for metric, outcome in self.outcomes()),
            tickets=tickets,
            severe_risks=tuple(r.title for r in self.material.risks if r.weight >= SEVERE),
            actions=(sum(map(is_done, agreed)), len(agreed)) if agreed else None,
            proposal=proposal.title if proposal else "",
        )

    def _movement(self, metric: Metric) -> Movement:
        figure, result = self.drawn[("total", metric.key)]
        before = None
        if ("change", metric.key) in self.drawn:
            before = self.drawn[("change", metric.key)][1].rows[0][2]
        n = round(result.rows[1][1]) if metric.kind == Metric.Kind.RATIO and result.rows else None
        return Movement(self.name(metric), result.value or 0.0, before, figure.unit, figure.currency, n)

    # ── KPIs and trends ──────────────────────────────────────────────────────────────────────────────────────────

    def kpis(self) -> list[Block]:
        """Tiles, and the weeks of the first ones."""
        shown = self.shown_metrics()
        items = [self._kpi(metric) for metric in shown]
        if self.value("score") is not None:
            change = self.value("score_change")
            items.append(
                Kpi(
                    _("Health score"),
                    self.text("score"),
                    _("of 100"),
                    self._compared(change, ""),
                    self.show("score"),
                    self.show("score_change") if change is not None else None,
                )
            )
        if not items:
            return []
        weekly = [metric for metric in shown if self._weeks(("weeks", metric.key))]
        charts = [self._trend(metric) for metric in weekly[:MOST_CHARTS]]
        return [Kpis(tuple(items)), *charts]

    def _kpi(self, metric: Metric) -> Kpi:
        change = self.value("change", metric.key)
        return Kpi(
            label=self.name(metric),
            value_text=self.text("total", metric.key),
            change_text=self._compared(change, "%"),
            figure_id=self.show("total", metric.key),
            change_figure_id=self.show("change", metric.key) if change is not None else None,
        )

    def _compared(self, change: float | None, unit: str) -> str:
        """By how much it differs from the period before."""
        if change is None:
            return ""
        return _("%(change)s vs. before") % {"change": numbers.signed(change, unit, "", self.language)}

    def _weeks(self, key: Key) -> list[tuple[str, float | None]]:
        """The weeks of a figure, if there are two with a value."""
        rows = self.drawn[key][1].rows if key in self.drawn else []
        return [(week, value) for week, value in rows] if sum(v is not None for _w, v in rows) > 1 else []

    def _trend(self, metric: Metric) -> Chart:
        key = ("weeks", metric.key)
        figure, _result = self.drawn[key]
        weeks = self._weeks(key)
        factor = {"ratio": 100.0, "cents": 0.01}.get(figure.unit, 1.0)
        unit = {"ratio": "%", "cents": figure.currency}.get(figure.unit, figure.unit)
        values = tuple(None if value is None else round(value * factor, 4) for _week, value in weeks)
        spec = ChartSpec(
            "line",
            _("%(metric)s by week") % {"metric": self.name(metric)},
            unit,
            tuple(self._week_label(week) for week, _value in weeks),
            ((self.name(metric), values),),
            self._target(metric),
        )
        known = [(week, value) for week, value in weeks if value is not None]
        best = max(known, key=lambda pair: pair[1])
        if best[1] == min(value for _week, value in known):  # no week was better than another
            return Chart(spec, self.ids(key), "")
        finding = _("Best week: %(week)s with %(value)s.") % {
            "week": self._week_label(best[0]),
            "value": numbers.value_text(best[1], figure.unit, figure.currency, self.language),
        }
        return Chart(spec, self.ids(key), finding)

    def _target(self, metric: Metric) -> float | None:
        target = self.material.account.targets.get(metric.key)
        return float(target) if isinstance(target, int | float) and metric.kind != Metric.Kind.RATIO else None

    def _week_label(self, week: str) -> str:
        day = date.fromisoformat(week)
        month = numbers.MONTHS[self.language][day.month - 1]
        return f"{day.day} {month}" if self.language == "es" else f"{month} {day.day}"

    # ── A/B winners and learnings ────────────────────────────────────────────────────────────────────────────────

    def _trial(self, metric: Metric, outcome: Outcome) -> Trial:
        winner, rival = outcome.winner, outcome.runner_up
        return Trial(
            self.name(metric),
            outcome.trials,
            winner.key if winner else "",
            rival.key if winner and rival else "",
            outcome.uplift_pct,
        )

    def experiments(self) -> list[Block]:
        """Each test with its verdict, the winners that the product reported, and what was learnt."""
        blocks: list[Block] = []
        for metric, outcome in self.outcomes():
            ids = self.ids(("experiment", metric.key))
            blocks.append(Text(self._verdict(metric, outcome), ids))
            rows = tuple(
                (
                    variant.key,
                    numbers.number(variant.trials, self.language),
                    numbers.value_text(variant.share, "ratio", "", self.language),
                )
                for variant in outcome.variants
            )
            blocks.append(Table((_("Variant"), _("Trials"), self.name(metric)), rows, ids))
        winners = self.drawn.get(("winners",))
        if winners and winners[1].rows:
            lines = tuple((str(key), numbers.number(n, self.language)) for key, n in winners[1].rows)
            blocks.append(Table((_("Product"), _("Winning variants")), lines, self.ids(("winners",))))
        learnings = self._noted(Highlight.Kind.LEARNING)
        if learnings:
            blocks.append(Bullets(learnings))
        return blocks

    def _verdict(self, metric: Metric, outcome: Outcome) -> str:
        name, n = self.name(metric), numbers.number(outcome.trials, self.language)
        winner, rival = outcome.winner, outcome.runner_up
        if outcome.verdict == WON and winner and rival and outcome.uplift_pct is not None:
            return _(
                "**“%(winner)s” wins on %(metric)s**: %(uplift)s better than “%(rival)s” (n = %(n)s)."
            ) % {
                "winner": winner.key,
                "metric": name,
                "uplift": numbers.percent(outcome.uplift_pct, self.language, 0),
                "rival": rival.key,
                "n": n,
            }
        reasons = {
            FEW: _("too few trials of each variant"),
            CLOSE: _("the difference may be chance"),
            NO_SHARE: _("more successes than trials were reported"),
        }
        why = reasons.get(outcome.verdict, _("there is only one variant"))
        return _("**No winner yet on %(metric)s**: %(why)s (n = %(n)s).") % {
            "metric": name,
            "why": why,
            "n": n,
        }

    def _noted(self, *kinds: str) -> tuple[str, ...]:
        """What people noted in the period."""
        return tuple(
            f"{one.title}: {one.detail}" if one.detail else one.title
            for one in self.material.highlights
            if one.kind in kinds and self.period.first <= one.happened_on <= self.today
        )

    # ── Blockers, value, risks ───────────────────────────────────────────────────────────────────────────────────

    def blockers(self) -> list[Block]:
        """How support went, what is open there, and what our rules found."""
        blocks: list[Block] = []
        if self.material.has_tickets and (self.value("tickets_opened") or self.value("tickets_open")):
            labels = {
                "tickets_opened": _("Tickets opened"),
                "tickets_resolved": _("Tickets resolved"),
                "tickets_open": _("Tickets open"),
                "ticket_hours": _("Median time to resolve"),
            }
            shown = [name for name in labels if self.value(name) is not None]
            blocks.append(Kpis(tuple(Kpi(labels[n], self.text(n), figure_id=self.show(n)) for n in shown)))
        lines = [
            _("Ticket %(number)s: %(title)s (open since %(day)s)")
            % {
                "number": ticket.external_id,
                "title": ticket.title or ticket.get_severity_display(),
                "day": numbers.day_text(ticket.opened_at.date(), self.language),
            }
            for ticket in self.material.tickets
        ]
        words = finding_words()
        found = dict.fromkeys(words[alert.rule.key] for alert in self.material.alerts)
        if lines or found:
            blocks.append(Bullets((*found, *lines)))
        return blocks

    def roi(self) -> list[Block]:
        """The value of the period and in all, the entries behind it, and the months."""
        if not self.material.roi:
            return []
        tiles = []
        if self.value("roi") is not None:
            tiles.append(Kpi(_("Value in the period"), self.text("roi"), figure_id=self.show("roi")))
        if self.value("roi_all") is not None:
            tiles.append(Kpi(_("Value so far"), self.text("roi_all"), figure_id=self.show("roi_all")))
        blocks: list[Block] = [Kpis(tuple(tiles))] if tiles else []
        blocks.append(
            Table(
                (_("What"), _("Source"), _("Months"), _("Value")),
                tuple(
                    (
                        entry.title,
                        entry.source,
                        self._months(entry.first_month, entry.last_month),
                        numbers.money(entry.amount_cents, entry.currency, self.language),
                    )
                    for entry in self.material.roi
                ),
                self.ids(*[key for key in (("roi_all",),) if self.value(*key) is not None]),
            )
        )
        by = by_month(self.material.roi, self.currency)
        months = [month for month in by if month <= month_of(self.today)][-MONTHS_SHOWN:]
        if len(months) > 1:
            spec = ChartSpec(
                "bar",
                _("Value by month"),
                self.currency,
                tuple(numbers.month_text(month, self.language) for month in months),
                ((_("Value"), tuple(by[month] / 100 for month in months)),),
            )
            blocks.append(Chart(spec, self.ids(("roi_all",)) if self.value("roi_all") is not None else ()))
        return blocks

    def _months(self, first: date, last: date) -> str:
        begin, end = (numbers.month_text(month, self.language) for month in (first, last))
        return begin if begin == end else f"{begin} \N{EN DASH} {end}"

    def risks(self) -> list[Block]:
        """What is open, the heaviest first."""
        if not self.material.risks:
            return []
        headers = (_("Risk"), _("Severity"), _("Likelihood"), _("Mitigation"), _("Owner"), _("Due"))
        return [Table(headers, tuple(self._risk(risk) for risk in self.material.risks))]

    def _risk(self, risk: Risk) -> tuple[str, ...]:
        return (
            risk.title,
            str(risk.get_severity_display()),
            str(risk.get_likelihood_display()),
            risk.mitigation or numbers.NO_VALUE,
            str(risk.owner) if risk.owner else numbers.NO_VALUE,
            numbers.day_text(risk.due_on, self.language) if risk.due_on else numbers.NO_VALUE,
        )

    # ── What comes ───────────────────────────────────────────────────────────────────────────────────────────────

    def roadmap(self) -> list[Block]:
        """What is planned from this quarter on."""
        if not self.material.roadmap:
            return []
        rows = tuple(
            (
                numbers.quarter_text(item.quarter_on, self.language),
                f"{item.title}: {item.detail}" if item.detail else item.title,
                item.audience or numbers.NO_VALUE,
                str(item.get_state_display()),
            )
            for item in self.material.roadmap
        )
        return [Table((_("Quarter"), _("What"), _("For whom"), _("State")), rows)]

    def highlights(self) -> list[Block]:
        """What went well."""
        noted = self._noted(Highlight.Kind.HIGHLIGHT)
        return [Bullets(noted)] if noted else []

    def cases(self) -> list[Block]:
        """Examples of the customer's own work, and cases of others."""
        noted = (*self._noted(Highlight.Kind.EXAMPLE), *self.material.cases)
        return [Bullets(noted)] if noted else []

    def proposal(self) -> list[Block]:
        """One thing, with its price and its reasons."""
        proposal = self.material.proposal
        if proposal is None:
            return []
        title = f"**{proposal.title}**" + (f" · {proposal.price}" if proposal.price else "")
        return [Text(title), *([Bullets(proposal.reasons)] if proposal.reasons else [])]

    def actions(self) -> list[Block]:
        """What was agreed last time, and this time."""
        return action_blocks(self.material, self.language)
