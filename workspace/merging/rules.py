"""What becomes of the rows of an account that goes into another one, table by table. Pure.

Every table that names an account is found in the catalogue; one whose rows cannot collide is simply moved. Where both
accounts may have a row of which there can be one, the table is named here, or the house test fails.
"""

from __future__ import annotations

from dataclasses import dataclass

MOVE = "move"  # every row goes along
KEEP = "keep"  # where both have one, the row of the account that stays stands and the other one is dropped
END = "end"  # the other one is ended first, by the service that ends such things, and goes along as history
OWN = "own"  # moved by code of its own


@dataclass(frozen=True)
class Rule:
    """How a table is treated, and why."""

    how: str
    why: str


RULES: dict[str, Rule] = {
    # usage
    "usage_event": Rule(OWN, "usage moves its events"),
    "usage_day": Rule(OWN, "added up again from raw events"),
    "usage_user_day": Rule(OWN, "added up again from raw events"),
    "usage_dim_day": Rule(OWN, "added up again from raw events"),
    "usage_recent": Rule(KEEP, "sums of the last weeks, which the night makes anew"),
    "usage_pushed_value": Rule(OWN, "the value of the account that stays counts"),
    # scores: what was said of the account that stays on a day stays said
    "scoring_score": Rule(KEEP, "a day that has ended is final; days that only the other one has come along"),
    "scoring_current": Rule(KEEP, "computed anew at the end"),
    "scoring_backtest_case": Rule(KEEP, "cases of a test that runs"),
    "scoring_move": Rule(KEEP, "what a draft would change"),
    # the night makes these anew
    "pql_standing": Rule(KEEP, "the night brings it up to date"),
    "pql_contactscore": Rule(KEEP, "the night brings it up to date"),
    "pql_accountmonth": Rule(KEEP, "one row for each month"),
    "alerts_match": Rule(KEEP, "days a condition has held"),
    "alerts_champion": Rule(KEEP, "who was champion"),
    "playbooks_checklistitem": Rule(KEEP, "one item for each period"),
    "expansion_holding": Rule(KEEP, "what the account has"),
    "expansion_mrrchange": Rule(KEEP, "the account's own line; lines of subscriptions come along"),
    "playbooks_handoveraccount": Rule(KEEP, "one line of each account that changed hands together"),
    "nps_referenceask": Rule(KEEP, "nobody is asked twice"),
    # things that go on
    "alerts_alert": Rule(END, "closed as already known: one open alert for each rule and subject"),
    "playbooks_run": Rule(END, "stopped: a play runs once at an account"),
    "playbooks_onboardingplan": Rule(END, "ended: an account is onboarded once at a time"),
    "pql_lead": Rule(END, "rejected: one open lead"),
    "expansion_opportunity": Rule(END, "closed: one open opportunity for each offer"),
    "expansion_renewal": Rule(END, "void: one open renewal for each line"),
    "qbr_pack": Rule(END, "put on the next free day"),
    "nps_reference": Rule(END, "its asks and uses go to the reference that stays"),
    "accounts_account": Rule(OWN, "children get the account that stays as their parent"),
}


def how(table: str) -> str:
    """How a table is treated."""
    return RULES[table].how if table in RULES else MOVE
