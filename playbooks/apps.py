from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PlaybooksConfig(AppConfig):
    """The playbooks app."""

    name = "playbooks"
    verbose_name = _("Playbooks")

    def ready(self) -> None:
        """Register what this app gives a new tenant, tells other systems, and puts behind the bell."""
        from accounts.provisioning import register_step
        from accounts.reactions import register_go_live_reaction
        from outreach.events import register_event_type
        from outreach.notices import register_notice_kind
        from playbooks import timeline
        from playbooks.events import PLAY_STEP, TASK_OVERDUE
        from playbooks.intervention.timeline import HANDED

        register_step(30, "shipped plays", "playbooks.services.install_shipped_plays")
        register_step(31, "onboarding milestones", "playbooks.onboarding.services.install_milestones")
        register_go_live_reaction("playbooks.onboarding.services.go_live_changed")
        register_event_type(PLAY_STEP, _("A play has reached a step that tells other systems."))
        register_notice_kind(timeline.TASK_REASSIGNED, _("A task was handed over to you"))
        register_notice_kind(timeline.TASK_COMMENTED, _("Somebody wrote about a task of yours"))
        register_notice_kind(TASK_OVERDUE, _("Tasks of the team are long overdue"))
        register_notice_kind(HANDED, _("An account was handed over to you"))
