"""Every rule across cells bites: a copy of tiny spoiled in one way breaks it, and it alone says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from instance_copies import copy_tiny, problems_of
from nbb_opt.instance.rules import RULES
from spoiling import Spoiling
from spoilings_of_means import SPOILINGS as OF_MEANS
from spoilings_of_the_network import SPOILINGS as OF_THE_NETWORK

SPOILINGS = [*OF_THE_NETWORK, *OF_MEANS]

# A slip that breaks two rules by its nature: the second is named here.
ALSO = {
    "subsidies_about_shares_are_shares": {"grants_leave_a_price_to_pay"},
    "transfers_change_something": {"transfer_modes_meet_at_the_node"},
    "flows_have_a_way": {"trucks_can_come_back"},
    "projects_do_not_require_in_a_circle": {"projects_do_not_exclude_what_they_require"},
    "outside_flows_have_a_link": {"years_cover_periods"},  # the spoiled row is of one year
}


@pytest.mark.parametrize("spoiling", SPOILINGS, ids=lambda spoiling: spoiling.rule)
def test_a_spoiled_copy_breaks_the_rule_and_names_place_and_fix(tmp_path: Path, spoiling: Spoiling) -> None:
    copy = copy_tiny(tmp_path / "copy")
    spoiling.spoil(copy)
    found = problems_of(copy.path)
    mine = [problem for problem in found if problem.rule == spoiling.rule]
    assert any(spoiling.place in p.where and spoiling.fix in str(p) for p in mine), [str(p) for p in found]
    others = {problem.rule for problem in found} - {spoiling.rule} - ALSO.get(spoiling.rule, set())
    assert not others, [str(p) for p in found]


def test_every_rule_is_broken_by_some_spoiled_copy() -> None:
    assert {spoiling.rule for spoiling in SPOILINGS} == set(RULES)


def test_every_rule_says_what_it_demands_in_one_sentence() -> None:
    for rule in RULES.values():
        assert rule.demands.endswith(".")
        assert rule.check.__name__ == rule.name
