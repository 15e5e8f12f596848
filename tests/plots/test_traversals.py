"""Traversals: one dimension moves in each row, between the percentiles of the codes."""

import numpy as np

from minivae import plots


def asked(means, path, steps=5):
    """The points that are decoded, by row and step."""
    points = []

    def decode(z):
        points.append(z.copy())
        return np.zeros((len(z), 16))

    plots.traversals(decode, means, (4, 4), path, steps)
    (z,) = points
    return z.reshape(-1, steps, means.shape[1])


def test_each_row_moves_one_dimension_from_the_1st_to_the_99th_percentile(path, rng, drawn):
    means = rng.normal(size=(500, 3)) * [1.0, 3.0, 2.0]
    z = asked(means, path)
    order = [1, 2, 0]  # by how much they vary
    for row, dimension in zip(z, order, strict=True):
        held = np.delete(np.arange(3), dimension)
        np.testing.assert_array_equal(row[:, held], np.tile(means[0, held], (5, 1)))
        low, high = np.percentile(means[:, dimension], [1, 99])
        np.testing.assert_allclose(row[:, dimension], np.linspace(low, high, 5))
    assert [text for text in drawn[0].panels[0].ticks[1] if text] == ["$z_{2}$", "$z_{3}$", "$z_{1}$"]


def test_of_many_dimensions_those_that_vary_most_are_drawn(path, rng, drawn):
    z = asked(rng.normal(size=(50, 64)) * np.linspace(1, 2, 64), path)
    assert len(z) == 20
    assert any("the 20 of 64 that vary most" in text for text in drawn[0].texts)


def test_one_dimension_and_images_of_any_size_fit(path):
    plots.traversals(lambda z: np.zeros((len(z), 784)), np.zeros((3, 1)), (28, 28), path)
    plots.traversals(lambda z: np.tile(z, 4), np.ones((3, 2)), None, path)


def test_on_a_sphere_every_picture_is_of_a_code_of_length_1(path, rng):
    means = rng.normal(size=(50, 4))
    means /= np.linalg.norm(means, axis=-1, keepdims=True)
    calls = []

    def decode(z):
        calls.append(z)
        return np.zeros((len(z), 6))

    plots.traversals(decode, means, (2, 3), path, steps=5, on_sphere=True)
    z = calls[0].reshape(4, 5, 4)
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1, rtol=1e-12)
    for row, i in zip(z, np.argsort(-means.var(0), kind="stable"), strict=True):
        np.testing.assert_allclose(row[[0, -1], i], np.percentile(means[:, i], [1, 99]), rtol=1e-12)
        others, held = np.delete(row, i, -1), np.delete(means[0], i)
        np.testing.assert_allclose(
            others / np.linalg.norm(others, axis=-1, keepdims=True), np.tile(held / np.linalg.norm(held), (5, 1))
        )
