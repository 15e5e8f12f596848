"""Reconstructions stand below their originals; the title's number is right."""

import numpy as np

from minivae import plots

from .conftest import STEP, find_tile, read


def test_each_reconstruction_stands_below_its_original(path, drawn):
    brightness = np.linspace(0, 0.4, 13)
    originals = np.repeat(brightness[:, None], 16, axis=1)
    plots.reconstructions(originals, originals + 0.5, (4, 4), path)
    assert [text for text in drawn[0].panels[0].ticks[1] if text] == ["original", "reconstruction"] * 2
    assert "Originals above reconstructions (RMS difference 0.5)" in drawn[0].texts
    pixels = read(path)[60:, 200:]  # below the title, right of the row labels
    tile = find_tile(pixels, (pixels < 0.95).any(axis=-1))[..., 0]
    size = tile.shape[1] // (10 * 4 + 9)
    small = tile[size // 2 :: size, size // 2 :: size]
    middles = small[:, 2::5]
    rows = middles[[2, 7, 2 + 13, 7 + 13]]  # a pair is 9 pixels high; 1 + 3 lie between pairs
    np.testing.assert_allclose(rows[0], brightness[:10], atol=STEP)
    np.testing.assert_allclose(rows[1], brightness[:10] + 0.5, atol=STEP)
    np.testing.assert_allclose(rows[2, :3], brightness[10:], atol=STEP)
    np.testing.assert_allclose(rows[3, :3], brightness[10:] + 0.5, atol=STEP)
    assert (rows[2:, 3:] == 1).all()


def test_the_difference_of_values_in_units_of_their_own_is_a_share_of_their_range(path, drawn):
    """Else the largest unit would be all that it says."""
    units = 10.0 ** np.array([-6, 0, 6])
    originals = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    plots.reconstructions(originals * units, (originals * 0.8 + 0.1) * units, None, path)
    assert "Originals above reconstructions (RMS 0.1 of a value's range)" in drawn[0].texts


def test_one_pair_and_many_pairs_fit(path):
    for count in (1, 3, 60):
        images = np.zeros((count, 784))
        plots.reconstructions(images, images, (28, 28), path)


def test_samples_say_how_many(path, drawn):
    plots.samples(np.zeros((9, 4)), (2, 2), path)
    assert "9 samples from the model" in drawn[0].texts
