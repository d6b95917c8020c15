"""What references and stories tell other systems and members; called from the app's `ready()`."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from outreach.events import register_event_type
from outreach.notices import register_notice_kind

AGREED, PUBLISHED = "reference.agreed", "story.published"
REQUEST, DECIDED = "reference_request", "story_decided"


def register_references() -> None:
    """Make the kinds of events and notices known."""
    register_event_type(AGREED, _("A customer agreed to be a reference."))
    register_event_type(PUBLISHED, _("A case study was published."))
    register_notice_kind(REQUEST, _("A request for a reference, or the answer to mine"))
    register_notice_kind(DECIDED, _("A customer approved a case study or asks for changes"), mail=True)
