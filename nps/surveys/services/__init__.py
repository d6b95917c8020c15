"""Every write of surveys."""

from .answering import (
    SurveyClosed,
    Taken,
    note_opened,
    open_invitation,
    submit_answer,
    tenant_of_token,
)
from .editing import (
    cancel_wave,
    save_settings,
    save_survey,
    send_survey_test,
    start_wave,
    switch_survey,
)
from .handling import Handled, close_finished, handle_all, handle_answers
from .installing import install_surveys, propose_surveys, settings_of
from .inviting import Invited, ask_wave, invite, note_deliveries, withdraw
from .mailing import write_mails
from .metrics import push_metrics, refresh_metrics
from .working import close_answer, reopen_answer, tag_answers

__all__ = [
    "Handled",
    "Invited",
    "SurveyClosed",
    "Taken",
    "ask_wave",
    "cancel_wave",
    "close_answer",
    "close_finished",
    "handle_all",
    "handle_answers",
    "install_surveys",
    "invite",
    "note_deliveries",
    "note_opened",
    "open_invitation",
    "propose_surveys",
    "push_metrics",
    "refresh_metrics",
    "reopen_answer",
    "save_settings",
    "save_survey",
    "send_survey_test",
    "settings_of",
    "start_wave",
    "submit_answer",
    "switch_survey",
    "tag_answers",
    "tenant_of_token",
    "withdraw",
    "write_mails",
]
