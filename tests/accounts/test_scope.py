"""The scope: tenant data only inside it, one tenant at a time."""

from contextlib import suppress

import pytest
from django.db import DataError, IntegrityError, ProgrammingError, connection, transaction

from accounts.fence.models import tenant_models
from accounts.fence.scope import LostWork, NoTenant, TenantSwitch, tenant_scope
from accounts.models import Account, Contact, Tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pair() -> tuple[Tenant, Tenant]:
    tenants = Tenant.objects.create(slug="one", name="One"), Tenant.objects.create(slug="two", name="Two")
    for tenant in tenants:
        with tenant_scope(tenant):
            Account.objects.create(external_id="a", name=f"Account of {tenant.name}")
    return tenants


def test_every_tenant_model_raises_without_a_scope() -> None:
    models = tenant_models()
    assert len(models) >= 14
    for model in models:
        for use in (
            lambda m=model: m.objects.count(),
            lambda m=model: m.objects.exists(),
            lambda m=model: list(m._base_manager.all()),
        ):
            with pytest.raises(NoTenant):
                use()


def test_raw_sql_without_a_scope_is_refused_by_the_database(pair: tuple[Tenant, Tenant]) -> None:
    for _fresh_then_reused in range(2):
        with pytest.raises(ProgrammingError, match="no tenant context"), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM accounts_account")
        connection.rollback()


def test_a_scope_sees_its_own_rows_only(pair: tuple[Tenant, Tenant]) -> None:
    for tenant in pair:
        with tenant_scope(tenant), connection.cursor() as cursor:
            cursor.execute("SELECT name FROM accounts_account")
            assert cursor.fetchall() == [(f"Account of {tenant.name}",)]
            assert [a.name for a in Account.objects.all()] == [f"Account of {tenant.name}"]


def test_nested_scopes_are_refused(pair: tuple[Tenant, Tenant]) -> None:
    with tenant_scope(pair[0]), pytest.raises(TenantSwitch), tenant_scope(pair[1]):
        pass


def test_writing_for_another_tenant_is_refused(pair: tuple[Tenant, Tenant]) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), tenant_scope(pair[0]):
        Account(tenant=pair[1], external_id="b", name="B").save(force_insert=True)


def test_a_database_error_that_is_swallowed_is_not_taken_for_success(pair: tuple[Tenant, Tenant]) -> None:
    with pytest.raises(LostWork), tenant_scope(pair[0]):
        Account.objects.create(external_id="half", name="Half")
        with suppress(DataError), connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")
    with tenant_scope(pair[0]):
        assert not Account.objects.filter(external_id="half").exists()


def test_a_reference_to_another_tenants_row_is_refused(pair: tuple[Tenant, Tenant]) -> None:
    with tenant_scope(pair[1]):
        foreign = Account.objects.get().pk
    with pytest.raises(IntegrityError), tenant_scope(pair[0]):
        Contact.objects.create(user_id="u", account_id=foreign)
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_a_scope_inside_a_transaction_is_refused(pair: tuple[Tenant, Tenant]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic(), tenant_scope(pair[0]):
        pass


def test_joins_name_the_tenant(pair: tuple[Tenant, Tenant]) -> None:
    with tenant_scope(pair[0]):
        sql = str(Contact.objects.filter(account__name="x").query)
        left = str(Contact.objects.select_related("account").query)
    assert (
        sql.count("tenant_id") >= 3
        and '("accounts_account"."tenant_id" = ("accounts_contact"."tenant_id"))' in left
    )
