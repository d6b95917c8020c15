"""The demo's references and case studies: some in each state, and what is said of them is true."""

from __future__ import annotations

from django.utils import timezone

from accounts.fence.scope import tenant_scope
from cs_platform.demo.advocates import WANTED, win_advocates
from nps.models import Reference, ReferenceAsk, ReferenceRequest, Story
from nps.stories.reading import hash_of
from nps.stories.services.publishing import blockers
from tests.nps.advocates import Voices


def test_a_few_in_each_state(voices: Voices) -> None:
    for number in range(len(WANTED) + 2):
        account = voices.account(f"a{number}", plan_kind="contract", mrr_cents=1000 - number)
        voices.fits(account)
    with tenant_scope(voices.tenant):
        win_advocates(voices.tenant, voices.tenant.today(), [voices.csm])
        assert {one.state for one in Reference.objects.all()} == {*WANTED}
        assert ReferenceAsk.objects.filter(answer="waiting").count() == 1
        assert ReferenceRequest.objects.count() == 1
        stories = list(Story.objects.order_by("id"))
        assert [story.state for story in stories] == ["published", "approved", "legal", "draft"]
        for story in stories:
            assert story.hash == hash_of(story)
        assert blockers(voices.tenant, stories[1], timezone.now()) == []
        assert len(blockers(voices.tenant, stories[2], timezone.now())) == 2


def test_nobody_speaks_where_nobody_is_healthy(voices: Voices) -> None:
    voices.account("lonely")
    with tenant_scope(voices.tenant):
        win_advocates(voices.tenant, voices.tenant.today(), [voices.csm])
        assert (Reference.objects.count(), Story.objects.count()) == (0, 0)
