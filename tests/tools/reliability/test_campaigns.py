"""No fault may lose anything; and the machinery that counts them must be able to say that one did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from .__main__ import PAGE, RESULTS, by_kind, table
from .campaign import REFUSED, RIGHT, Campaign, all_campaigns

ALL = all_campaigns()
NAMES = [campaign.name for campaign in ALL]
# Of which a few take as long as all, or ten seconds.
LONG = (
    "forty trainings begin at once without --out",
    "files: bombs",
    "Python's own options",
    "surroundings of a process",
)
FEW = [pytest.param(one, id=one.name, marks=[pytest.mark.slow] * (one.name in LONG)) for one in ALL]


@pytest.mark.parametrize("campaign", FEW)
def test_a_few_faults_of_each_campaign(campaign: Campaign, tmp_path: Path) -> None:
    kept, lost = campaign.run(campaign.quick, tmp_path)
    assert not lost
    assert kept.total() == campaign.quick


@pytest.mark.slow
@pytest.mark.parametrize("campaign", ALL, ids=NAMES)
def test_all_faults_of_each_campaign(campaign: Campaign, tmp_path: Path) -> None:
    kept, lost = campaign.run(campaign.cases, tmp_path)
    assert not lost
    assert kept.total() == campaign.cases


@pytest.mark.release
def test_the_page_has_every_campaign_in_full_and_nothing_lost() -> None:
    results = json.loads(RESULTS.read_text())
    assert sorted(results) == NAMES
    for campaign in ALL:
        row = results[campaign.name]
        assert row["injected"] == campaign.cases == row[RIGHT] + row[REFUSED]
        assert row["lost"] == 0
    assert table(results) + "\n" + by_kind(results) in PAGE.read_text()


def test_what_is_lost_is_counted_and_kept(tmp_path: Path) -> None:
    def faults(folder: Path) -> Iterator[str]:
        yield from (RIGHT, "a row of the history", REFUSED, "a checkpoint")

    kept, lost = Campaign("", "", 4, 4, faults).run(4, tmp_path)
    assert kept == {RIGHT: 1, REFUSED: 1}
    assert lost == ["a row of the history", "a checkpoint"]


def test_a_campaign_with_fewer_faults_than_it_says_fails(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="has 1 faults, not 2"):
        Campaign("short", "", 2, 2, lambda folder: iter([RIGHT])).run(2, tmp_path)
