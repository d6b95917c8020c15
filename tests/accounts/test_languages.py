"""In which language an account and a person are written to."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.fence.scope import tenant_scope
from accounts.languages import account_language, account_languages, contact_language, known_language
from accounts.models import Account, Contact, Tenant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("said", "known"),
    [("es", "es"), ("ES-mx", "es"), ("en_GB", "en"), ("fr", ""), ("", ""), (None, ""), (7, "")],
)
def test_what_we_speak(said: object, known: str) -> None:
    assert known_language(said) == known


def test_the_account_s_own_word_then_its_first_reader_then_the_company(acme: Tenant) -> None:
    with tenant_scope(acme):
        assert acme.language == "en"
        account = Account.objects.create(external_id="a", name="A")

        def person(roles: list[str], **traits: str) -> Contact:
            return Contact.objects.create(account=account, roles=roles, traits=traits)

        person(["user"], language="es")
        assert account_language(acme, account) == "en"  # who only uses the product does not read packs
        gone = person(["decision maker"], language="es")
        gone.merged_into = person(["champion"], language="fr", locale="es-ES")
        gone.save()
        assert account_language(acme, account) == "es"
        person(["user", "decision maker"], language="en")
        assert account_language(acme, account) == "en"
        account.custom = {"language": "Es"}
        assert account_language(acme, account) == "es"
        account.custom = {"language": "fr"}
        assert account_language(acme, account) == "en"


def test_many_accounts_cost_one_question(acme: Tenant) -> None:
    with tenant_scope(acme):
        accounts = [Account.objects.create(external_id=f"a{n}", name=f"A{n}") for n in range(3)]
        Contact.objects.create(account=accounts[1], roles=["billing"], traits={"language": "es"})
        for some in (accounts[:1], accounts):
            with CaptureQueriesContext(connection) as captured:
                found = account_languages(acme, some)
            assert len(captured) == 1
        assert [found[one.pk] for one in accounts] == ["en", "es", "en"]


def test_a_person_s_own_word_then_the_account_s_then_the_company_s(acme: Tenant) -> None:
    account = Account(custom={"language": "es"})
    assert contact_language(acme, Contact(traits={"locale": "en-US"}), account) == "en"
    assert contact_language(acme, Contact(), account) == "es"
    assert contact_language(acme, Contact()) == "en"
    assert contact_language(acme, None) == "en"
