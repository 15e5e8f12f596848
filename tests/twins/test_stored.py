"""Every member beside the stored numbers of its twin: for whoever has no PyTorch."""

import numpy as np
import pytest

from minivae.models import MODELS

from . import cases, stored
from .rules import RULES

TABLE = stored.table()
ROWS = [(name, title) for name, titles in TABLE.items() for title in titles]
# Of the largest number of its row: the losses are sums of terms of other signs.
TOLERANCE = 1e-10


@pytest.mark.release
def test_every_member_is_stored():
    assert TABLE.keys() == {*MODELS, *RULES}, "run  python -m tests.twins.stored"


def test_nothing_else_is_stored():
    assert TABLE.keys() <= {*MODELS, *RULES}


@pytest.mark.parametrize(("name", "title"), ROWS)
def test_values_and_gradients(name, title):
    row = TABLE[name][title]
    found = (
        RULES[name](row["options"]) if name in RULES else cases.numbers(*cases.make(name, row["options"], "float64"))
    )
    assert len(found) == len(row["phases"])
    for ours, twins in zip(found, row["phases"], strict=True):
        assert ours.keys() == twins.keys()
        size = max(1.0, *map(abs, twins.values()))
        for key, value in twins.items():
            np.testing.assert_allclose(ours[key], value, rtol=1e-9, atol=TOLERANCE * size, err_msg=key)
