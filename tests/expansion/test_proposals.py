"""Proposal documents: what they say, in which language, what they never say, and that a version stays as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client

from accounts.fence.scope import tenant_scope
from accounts.languages import account_language
from accounts.models import Account, Contact, Membership
from expansion.models import Opportunity, Proposal
from expansion.proposal import amount
from expansion.services import (
    ask_discount,
    edit_opportunity,
    make_proposal,
    open_opportunity,
)
from tests.expansion.conftest import Growth
from tests.outreach.reading_pdf import pages_of, text_of

SECRET = "Their boss leaves in May"


def opened(growth: Growth, account: Account, **more: Any) -> Opportunity:
    wanted: dict[str, Any] = {"type": "cross_product", "what": "docs", "value_cents": 123_450}
    return open_opportunity(tenant=growth.tenant, account_id=account.pk, **(wanted | more))


def test_what_a_proposal_says_and_what_stays_inside(growth: Growth) -> None:
    account = growth.account("buyer", name="Büro & Söhne #1 *GmbH* $x$")
    growth.push(account, "roi_cents", d80=520_000, d50=600_000, d10=700_050)
    growth.night()
    one = growth.only()
    with tenant_scope(growth.tenant):
        secret = {
            "note": SECRET,
            "case_text": SECRET,
            "next_step": SECRET,
            "pilot_goal": "Ten people",
            "value_cents": 123_450,
        }
        edit_opportunity(
            tenant=growth.tenant, opportunity_id=one.pk, fields={**secret, "pilot_until": growth.today}
        )
        ask_discount(
            tenant=growth.tenant, opportunity_id=one.pk, pct=10, reason=SECRET, member=growth.members["carl"]
        )
        made = make_proposal(
            tenant=growth.tenant, opportunity_id=one.pk, language="en", member=growth.members["carl"]
        )
        text = " ".join(text_of(bytes(made.pdf)).split())
    assert made.sha256 == hashlib.sha256(bytes(made.pdf)).hexdigest()
    for words in (
        "Proposal: Course", "For Büro & Söhne #1 *GmbH* $x$", "brings you $7,000.50 a month", "$5,200", "ROI per month",
        "A short pilot first", "Ten people", "$1,234.50", "−$123.45", "$1,111.05 a month", "valid until",
        "carl@grow.example",
    ):  # fmt: skip
        assert words in text, words
    assert SECRET not in text
    again = growth.only()
    assert (again.proposed_on, again.stage) == (growth.today, "case")


def test_a_version_stays_as_it_was_made(growth: Growth, browser: Callable[[Membership], Client]) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        one = opened(growth, account)
        first = make_proposal(tenant=growth.tenant, opportunity_id=one.pk)
        edit_opportunity(tenant=growth.tenant, opportunity_id=one.pk, fields={"value_cents": 999_900})
        second = make_proposal(tenant=growth.tenant, opportunity_id=one.pk)
    assert (first.number, second.number) == (1, 2)
    client = browser(growth.members["vera"])
    files = [client.get(f"/t/grow/expansion/proposals/{one.pk}/") for one in (first, second)]
    assert [answer.headers["Content-Type"] for answer in files] == ["application/pdf"] * 2
    texts = [text_of(answer.content) for answer in files]
    assert ["$1,234.50" in text for text in texts] == [True, False]
    assert ["$9,999" in text for text in texts] == [False, True]
    page = client.get(f"/t/grow/expansion/{one.pk}/").content.decode()
    assert "Version 2 (PDF)" in page


def test_the_account_s_language(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        assert account_language(growth.tenant, account) == "en"
        Contact.objects.create(account=account, user_id="u", roles=["user"], traits={"language": "es"})
        assert account_language(growth.tenant, account) == "en"  # a user is not who reads it
        Contact.objects.create(account=account, user_id="c", roles=["champion"], traits={"locale": "es-MX"})
        assert account_language(growth.tenant, account) == "es"
        one = opened(growth, account)
        made = make_proposal(tenant=growth.tenant, opportunity_id=one.pk)
        text = " ".join(text_of(bytes(made.pdf)).split())
        assert made.language == "es"
        for words in ("Propuesta: Docs", "Qué proponemos", "Precio de lista", "1.234,50", "al mes"):
            assert words in text, words
        account.custom = {"language": "EN"}
        assert account_language(growth.tenant, account) == "en"


def test_what_is_missing_is_said_and_nothing_is_made(growth: Growth) -> None:
    account = growth.account("buyer")
    with tenant_scope(growth.tenant):
        one = opened(growth, account, what="", value_cents=0)
        with pytest.raises(ValidationError, match=r"choose an offering.*enter a value above 0"):
            make_proposal(tenant=growth.tenant, opportunity_id=one.pk)
        with pytest.raises(ValidationError, match="Choose a language"):
            docs = opened(growth, account)
            make_proposal(tenant=growth.tenant, opportunity_id=docs.pk, language="fr")
        assert not Proposal.objects.exists()


def test_long_texts_make_a_second_page_and_nothing_is_cut(growth: Growth) -> None:
    account = growth.account("buyer", name="Accounting and Business Consultants of the Northern Provinces")
    with tenant_scope(growth.tenant):
        one = opened(growth, account)
        assert one.offering is not None
        one.offering.pitch = (
            " ".join(f"Sentence number {n} says what it brings." for n in range(60))[:1000] + " THE END"
        )
        one.offering.save()
        goal = " ".join(f"goal{n}" for n in range(70))
        edit_opportunity(
            tenant=growth.tenant,
            opportunity_id=one.pk,
            fields={"pilot_goal": goal, "pilot_until": growth.today},
        )
        made = make_proposal(tenant=growth.tenant, opportunity_id=one.pk)
        pages = pages_of(bytes(made.pdf))
    text = " ".join(text_of(bytes(made.pdf)).split())
    assert len(pages) <= 2
    assert [page.outside for page in pages] == [[]] * len(pages)
    assert "THE END" in text
    assert "goal69" in text
    assert "Total" in text


def test_amounts() -> None:
    assert [amount(cents, "USD") for cents in (0, 100, 123_456)] == ["$0", "$1", "$1,234.56"]
    assert amount(500, "CHF") == "CHF\N{NO-BREAK SPACE}5"
