"""Each planted fault changes the package as it is now, and is noticed."""

from __future__ import annotations

import json

import pytest

from .__main__ import PAGE
from .campaign import all_campaigns
from .planted import RESULTS, ROOT, noticed, table
from .planted_faults import FAULTS

QUICK = [fault for fault in FAULTS if fault.name == "a value that cannot be shown"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_a_change_of_one_place_and_has_its_campaign(fault):
    text = (ROOT / "minivae" / fault.file).read_text(encoding="utf-8")
    assert text.count(fault.old) == 1
    assert fault.cases <= {campaign.name: campaign.cases for campaign in all_campaigns()}[fault.campaign]


@pytest.mark.parametrize("fault", QUICK, ids=lambda fault: fault.name)
def test_a_planted_fault_is_noticed(fault):
    assert noticed(fault)


@pytest.mark.release
def test_the_page_has_the_table_and_every_fault_that_was_planted_was_noticed():
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert [name for name, found in results.items() if not found] == []
    assert results.keys() <= {fault.name for fault in FAULTS}
    assert table(results) in PAGE.read_text(encoding="utf-8")
