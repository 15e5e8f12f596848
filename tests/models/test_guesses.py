"""Which of the labels that are there a model's guesses hit."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.models.guesses import error_of, guesses

GIVEN = np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1]])
LOG_Q = np.log([[0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.4, 0.2, 0.4]])


def test_the_error_is_of_the_points_that_have_a_label():
    """Of the last both ends are as likely: the first is taken."""
    means = guesses(tensor(GIVEN), tensor(LOG_Q))
    assert {name: float(value) for name, value in means.items()} == pytest.approx({"told": 4 / 5, "right": 2 / 5})
    assert float(error_of(means)["error"]) == pytest.approx(1 / 2)


def test_without_labels_there_is_none():
    assert error_of(guesses(tensor(GIVEN * 0), tensor(LOG_Q))) == {}
