from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ScoringConfig(AppConfig):
    """The engine: score models, the nightly run, the explanation of every point."""

    name = "scoring"
    verbose_name = _("Scoring")

    def ready(self) -> None:
        """Give every new tenant the shipped models, after usage has given it the metrics; forget accounts that go."""
        from accounts.attribution import register_forgetter
        from accounts.provisioning import register_step
        from scoring.backtest import jobs as backtest_jobs
        from scoring.what_if import jobs as what_if_jobs

        register_forgetter("scoring.services.forget_scores")
        backtest_jobs.register_jobs()
        what_if_jobs.register_jobs()

        register_step(20, "score models", "scoring.services.install_templates")
