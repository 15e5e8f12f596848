"""A tile shows every pixel of every image, unblurred and where it belongs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae import plots
from minivae.plots import tile

from .conftest import STEP, find_tile, read


def dark_images(count, shape, seed=0):
    """Random images with no white, so that a tile ends where white begins."""
    return np.random.default_rng(seed).uniform(0, 0.9, (count, int(np.prod(shape))))


def mosaic(images, shape, columns, gap):
    """The expected picture, put together in another way: padded, stacked, and the last padding cut."""
    padded = [np.pad(i.reshape(shape), [(0, gap), (0, gap)], constant_values=1) for i in images]
    padded += [np.ones_like(padded[0])] * (-len(images) % columns)
    rows = [np.hstack(padded[start : start + columns]) for start in range(0, len(padded), columns)]
    return np.vstack(rows)[:-gap, :-gap]


@pytest.mark.parametrize(
    ("count", "shape", "columns", "gap"),
    [(100, (28, 20), 10, 1), (100, (8, 8), 10, 1), (7, (8, 8), 3, 1), (1, (5, 9), 1, 1), (30, (64, 48), 6, 3)],
)
def test_every_pixel_becomes_a_square_of_whole_pixels(path, count, shape, columns, gap):
    images = dark_images(count, shape)
    plots.samples(images, shape, path)
    pixels = read(path)[60:]  # below the title
    tile = find_tile(pixels, (pixels < 0.95).any(axis=-1))[..., 0]
    expected = mosaic(images, shape, columns, gap)
    size = tile.shape[0] // expected.shape[0]
    assert tile.shape == (expected.shape[0] * size, expected.shape[1] * size)
    np.testing.assert_allclose(tile, expected.repeat(size, axis=0).repeat(size, axis=1), atol=STEP)


def test_colour_images_keep_their_colours(path):
    images = dark_images(4, (6, 6, 3))
    plots.samples(images, (6, 6, 3), path)
    pixels = read(path)[60:]
    tile = find_tile(pixels, (pixels < 0.95).any(axis=-1))
    size = tile.shape[0] // 13
    np.testing.assert_allclose(tile[::size, ::size][-6:, :6], images[2].reshape(6, 6, 3), atol=STEP)


def test_other_values_are_scaled_and_the_scale_is_told(path, drawn):
    images = np.linspace(-3, 5, 16).reshape(4, 4)
    plots.samples(images, (2, 2), path)
    assert "black: −3, white: 5" in drawn[0].texts
    pixels = read(path)[100:]
    assert pixels.min() == 0
    plots.samples(np.full((4, 4), 7.0), (2, 2), path)  # one value has no scale of its own


def test_a_tile_too_large_for_the_page_is_made_smaller(path, drawn):
    plots.samples(dark_images(49, (300, 200)), (300, 200), path)
    assert drawn[0].pixels[0] <= 6.5 * 200
    assert drawn[0].pixels[1] <= 9 * 200


@given(st.lists(st.floats(-6, 6), min_size=2, max_size=6), st.integers(0, 2**32))
def test_values_of_a_curve_have_one_scale_or_each_its_own(exponents, seed):
    """Each its own where their units differ; in any case all lie in the range, and none has a width of 0."""
    units = 10.0 ** np.array(exponents)
    cells = np.random.default_rng(seed).normal(size=(3, 4, len(units))) * units
    cells[-1, -1] = np.nan  # an empty cell
    low, high = tile.value_range(cells, None)
    spread = np.ptp(cells[~np.isnan(cells[..., 0])], axis=0)
    assert isinstance(low, np.ndarray) == bool(spread.max() > 1000 * spread.min())
    assert (np.nan_to_num(cells, nan=low) >= low).all()
    assert (np.nan_to_num(cells, nan=high) <= high + 1e-9 * np.abs(high)).all()
    assert (high > low).all() if isinstance(low, np.ndarray) else high > low
    assert not isinstance(tile.value_range(cells, (1, len(units)))[0], np.ndarray)  # a picture's pixels have one


def test_a_column_of_one_value_is_drawn_in_the_middle():
    cells = np.array([[[0.0, 5.0, 0.0], [1.0, 5.0, 1e6]]])
    low, high = tile.value_range(cells, None)
    np.testing.assert_array_equal((cells - low) / (high - low), [[[0, 0.5, 0], [1, 0.5, 1]]])
    constant = np.full((1, 2, 3), 7.0)
    assert tile.value_range(constant, None) == (6.5, 7.5)


def test_units_of_their_own_are_said(path, drawn):
    plots.samples(np.random.default_rng(0).normal(size=(5, 3)) * [1e-6, 1, 1e6], None, path)
    assert "each cell: 3 values, each from its smallest to its largest" in drawn[0].texts


@pytest.mark.parametrize("dim", [1, 2, 64])
def test_data_that_are_no_images_are_drawn_as_stairs(path, drawn, dim):
    data = dark_images(5, (dim,)) * 4 - 1
    plots.samples(data, None, path)
    scale = f"each cell: {dim} values, on a scale from {data.min():.3g} to {data.max():.3g}"
    assert scale.replace("-", "−") in drawn[0].texts
    pixels = read(path)[100:]
    coloured = np.ptp(pixels, axis=-1) > 0.2
    grey = np.isclose(pixels, 0.94, atol=0.01).all(axis=-1)
    cells = find_tile(pixels, grey | coloured)
    height, width = cells.shape[0] // 2, cells.shape[1] // 3
    inked = [
        [(np.ptp(cells[r * height :][:height, c * width :][:, :width], axis=-1) > 0.2).any() for c in range(3)]
        for r in range(2)
    ]
    assert inked == [[True, True, True], [True, True, False]]
