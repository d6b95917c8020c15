import pytest
from django.db import connection
from accounts.fence.audit import violations


@pytest.mark.django_db
def test_x():
    with connection.cursor() as c:
        for v in violations(c):
            print(v)
    assert 0
