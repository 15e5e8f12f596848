"""Rollouts: a row of steps for each sequence, the data above the model, and where what is seen ends."""

import matplotlib.image
import numpy as np
import pytest

from minivae import plots
from minivae.errors import InputError


def test_every_step_is_a_picture_in_its_place(path, drawn):
    """Of 2 sequences of 3 steps of 2 x 2: each pixel of its own grey, found again in the file."""
    first = np.arange(24).reshape(2, 12) / 50
    second = 1 - first
    plots.rollouts(first, second, 3, 2, (6, 2), path)
    (figure,) = drawn
    assert figure.panels[0].ticks[1] == ["data", "model"] * 2
    assert figure.panels[0].ticks[0] == ["seen until here"]
    assert any("after 2 steps" in text for text in figure.texts)
    grey = matplotlib.image.imread(path)[..., 0]
    for value in np.concatenate([first, second]).ravel():
        assert (np.abs(grey - value) < 2 / 255).sum() > 100
    places = [np.argwhere(np.abs(grey - value) < 1.2 / 255).mean(axis=0) for value in first[0]]
    rows, columns = np.array(places).reshape(3, 2, 2, 2).transpose(3, 0, 1, 2)
    assert (np.diff(columns[:, 0, 0]) > 0).all()  # steps go to the right
    assert (rows[:, 1] > rows[:, 0]).all()
    assert (columns[..., 1] > columns[..., 0]).all()


def test_steps_that_are_no_pictures_are_curves(path, drawn):
    rows = np.random.default_rng(0).normal(size=(3, 20))
    plots.rollouts(rows, rows, 5, 0, None, path)
    assert any("each cell: 4 values" in text for text in drawn[0].texts)
    assert drawn[0].panels[0].ticks[0] == []
    plots.rollouts(np.abs(rows), np.abs(rows), 10, 10, (4, 5), path)  # 4 rows are not 10 times as many
    assert any("each cell: 2 values" in text for text in drawn[1].texts)
    assert any("their reconstructions" in text for text in drawn[1].texts)
    assert drawn[1].panels[0].ticks[0] == []


def test_more_cannot_be_seen_than_there_is(path):
    with pytest.raises(InputError, match="seen is 4; expected at most the 3 steps"):
        plots.rollouts(np.ones((1, 6)), np.ones((1, 6)), 3, 4, None, path)
