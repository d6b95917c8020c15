"""Cases of a backtest in and out of their table."""

from __future__ import annotations

import numpy as np

from accounts.fence.scope import tenant_scope
from scoring.backtest.store import read_cases, write_cases
from scoring.backtest.words import caveats
from scoring.models import Backtest, Version
from tests.scoring import made_cases
from tests.scoring.conftest import World


def test_of_too_many_cases_whole_accounts_are_drawn_and_the_page_says_so(world: World) -> None:
    plan, spec = made_cases.settled(4), made_cases.model(60, 40)
    made = made_cases.cases(plan, spec, (1.0, 0.5), accounts=1_000)
    with tenant_scope(world.tenant):
        version = Version.objects.filter(model__key="plg", state="published").get()
        backtest = Backtest.objects.create(
            tenant=world.tenant, version=version, definition_hash="", parameters={}
        )
        write_cases(world.tenant, backtest.pk, made)
        whole, everything = read_cases(world.tenant, backtest.pk, 2)
        drawn, of = read_cases(world.tenant, backtest.pk, 2, most=1_000)
        again, _ = read_cases(world.tenant, backtest.pk, 2, most=1_000)
    assert (len(whole), everything, of) == (4_000, 4_000, 4_000)
    assert 800 <= len(drawn) <= 1_200
    assert len(drawn) == 4 * len(np.unique(drawn.account))  # an account is there on all its dates or on none
    assert np.array_equal(drawn.account, again.account)
    kept = np.isin(whole.account, drawn.account)
    assert np.array_equal(whole.score[kept], drawn.score) and np.array_equal(whole.values[kept], drawn.values)
    figures = {"unscored": {"cases": 0}, "outcomes": 100}
    said = caveats(plan, {**figures, "drawn": 1_000, "drawn_from": 4_000}, seen_later=False)
    assert [text for text in said if "4,000 cases" in text]
    assert not [text for text in caveats(plan, figures, seen_later=False) if "drawn from all" in text]
