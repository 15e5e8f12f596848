"""How far along a temperature or a capacity is: shares of a run, numbers of minibatches, and what is neither."""

import pytest

from minivae.errors import InputError
from minivae.models.bound.ramp import progress, ramp_length


@pytest.mark.parametrize(
    ("length", "total", "expected"),
    [
        (1.0, 8, [0, 1 / 8, 1 / 2, 7 / 8]),
        (0.5, 8, [0, 1 / 4, 1, 1]),
        (16, 8, [0, 1 / 16, 1 / 4, 7 / 16]),  # ends with the run, before it is there
        (2, 8, [0, 1 / 2, 1, 1]),
        (0.01, 8, [0, 1, 1, 1]),  # less than a minibatch
    ],
)
def test_progress(length, total, expected):
    assert [progress(step, total, ramp_length("length", length)) for step in (0, 1, 4, 7)] == pytest.approx(expected)


@pytest.mark.parametrize("value", [0, -1, 1.5, float("nan"), float("inf"), "0.5", None, True])
def test_what_is_no_length_is_refused(value):
    with pytest.raises(InputError, match="steps is"):
        ramp_length("steps", value)
