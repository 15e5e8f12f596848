"""The manifold's grid and orientation, what the scatter shows, and the way of an interpolation."""

import matplotlib.colors
import numpy as np
import pytest
from scipy.stats import norm

from minivae import plots
from minivae.errors import InputError
from minivae.plots.canvas import PALETTE
from minivae.plots.latent import way

from .conftest import STEP, find_tile, read


@pytest.mark.parametrize("n", [1, 2, 5, 20])
def test_the_grid_goes_through_the_inverse_gaussian_cdf(n):
    values = norm.ppf((np.arange(n) + 0.5) / n)
    expected = [[z1, z2] for z2 in values[::-1] for z1 in values]
    np.testing.assert_allclose(plots.manifold_grid(n), expected, atol=1e-12)


def coloured(z):
    """A decoder of 2 x 2 colour images: red tells z1, green z2, blue nothing."""
    colour = np.column_stack([norm.cdf(z), np.zeros(len(z))])
    return np.tile(colour, 4)


@pytest.mark.parametrize("n", [1, 4, 20])
def test_z1_grows_to_the_right_and_z2_upwards(path, drawn, n):
    plots.manifold(coloured, (2, 2, 3), path, n=n)
    pixels = read(path)
    tile = find_tile(pixels, np.ptp(pixels, axis=-1) > 0.02)
    size = tile.shape[0] // n
    cells = tile[size // 2 :: size, size // 2 :: size]
    rising = (np.arange(n) + 0.5) / n
    np.testing.assert_allclose(cells[..., 0], np.tile(rising, (n, 1)), atol=STEP)
    np.testing.assert_allclose(cells[..., 1], np.tile(rising[::-1, None], (1, n)), atol=STEP)
    assert drawn[0].panels[0].labels[0].startswith("$z_1$")
    assert drawn[0].panels[0].labels[1].startswith("$z_2$")
    assert drawn[0].panels[0].ticks[0] == drawn[0].panels[0].ticks[1]


def test_a_tall_narrow_manifold_keeps_its_labels_apart(path):
    plots.manifold(lambda z: np.zeros((len(z), 60)), (30, 2), path, n=20)
    plots.manifold(lambda z: z, None, path, n=8)


def test_the_decoder_is_called_once(path):
    calls = []

    def decode(z):
        calls.append(z)
        return np.zeros((len(z), 4))

    plots.manifold(decode, (2, 2), path, n=3)
    assert [call.shape for call in calls] == [(9, 2)]


def test_an_interpolation_is_a_straight_line_between_its_ends(path):
    starts, ends, calls = np.array([[0.0, 1.0], [2.0, 2.0]]), np.array([[1.0, 0.0], [2.0, 6.0]]), []

    def decode(z):
        calls.append(z.reshape(2, 5, 2))
        return np.repeat(z[:, :1] / 4, 4, axis=1)

    plots.interpolation(decode, starts, ends, (2, 2), path, steps=5)
    np.testing.assert_allclose(calls[0][0], [[0, 1], [0.25, 0.75], [0.5, 0.5], [0.75, 0.25], [1, 0]])
    np.testing.assert_allclose(calls[0][1], [[2, 2], [2, 3], [2, 4], [2, 5], [2, 6]])
    pixels = read(path)[60:]
    tile = find_tile(pixels[:-110], (pixels[:-110] < 0.95).any(axis=-1))[..., 0]
    size = tile.shape[1] // 14
    np.testing.assert_allclose(tile[size // 2, size :: 3 * size], [0, 1 / 16, 1 / 8, 3 / 16, 1 / 4], atol=STEP)
    np.testing.assert_allclose(tile[-size // 2, size :: 3 * size], 0.5, atol=STEP)


def test_the_scatter_shows_the_two_dimensions_that_vary_most(path, drawn):
    means = np.random.default_rng(0).standard_normal((200, 5)) * [0.1, 2, 0.3, 1, 0.01]
    plots.latent_scatter(means, None, path)
    assert drawn[0].panels[0].labels == ("mean of $z_{2}$", "mean of $z_{4}$")
    assert "2 of 5 latent dimensions" in drawn[0].panels[0].title
    np.testing.assert_array_equal(drawn[0].panels[0].points[0], means[:, [1, 3]])


def test_a_single_latent_dimension_is_drawn_against_the_data_point(path, drawn):
    means = np.random.default_rng(0).standard_normal((50, 1))
    plots.latent_scatter(means, None, path)
    assert drawn[0].panels[0].labels == ("mean of $z_1$", "data point")
    np.testing.assert_array_equal(drawn[0].panels[0].points[0], np.column_stack([means[:, 0], np.arange(50)]))


def test_classes_have_their_names_in_the_legend(path, drawn):
    means = np.array([[-1, -1], [1, 1], [1, -1], [-1, 1.0]])
    plots.latent_scatter(means, np.array([2, 0, 0, 2]), path, class_names=("idle", "half", "full"))
    assert {"idle", "full"} <= set(drawn[0].texts)
    assert "half" not in drawn[0].texts  # no point is of it
    with pytest.raises(InputError, match="class_names has 3 names, and labels reach 3; expected one for each"):
        plots.latent_scatter(means, np.arange(4), path, class_names=("idle", "half", "full"))
    with pytest.raises(InputError, match="class_names has 1 names, and there are no labels"):
        plots.latent_scatter(means, None, path, class_names=("idle",))


def test_few_labels_have_a_colour_each_and_a_legend(path, drawn):
    labels = np.array([3, 7, 7, 9])
    plots.latent_scatter(np.array([[-1, -1], [1, 1], [1, -1], [-1, 1.0]]), labels, path)
    assert {"3", "7", "9"} <= set(drawn[0].texts)
    pixels = read(path)
    middle = pixels[:, : int(pixels.shape[1] * 0.88)]  # without the legend
    counts = []
    for colour in PALETTE[:4]:
        blended = 0.8 * np.array(matplotlib.colors.to_rgb(colour)) + 0.2
        counts.append(np.isclose(middle, blended, atol=0.01).all(axis=-1).sum())
    assert counts[0] > 20
    assert counts[1] == pytest.approx(2 * counts[0], rel=0.1)
    assert counts[2] == pytest.approx(counts[0], rel=0.1)
    assert counts[3] == 0


def test_many_labels_have_a_colour_bar(path, drawn):
    means = np.random.default_rng(0).standard_normal((300, 2))
    plots.latent_scatter(means, np.linspace(0, 1, 300), path)
    assert [panel.labels[1] for panel in drawn[0].panels] == ["mean of $z_{2}$", "label"]


def test_ten_thousand_points_and_one_are_drawn(path):
    means = np.random.default_rng(0).standard_normal((10_000, 2))
    plots.latent_scatter(means, np.arange(10_000) % 10, path)
    plots.latent_scatter(means[:1], np.zeros(1), path)


def test_on_a_sphere_the_way_is_a_great_circle_in_equal_steps(rng):
    ends = rng.normal(size=(2, 5, 4))
    ends /= np.linalg.norm(ends, axis=-1, keepdims=True)
    z = way(*ends, steps=7, on_sphere=True)
    assert z.shape == (5, 7, 4)
    np.testing.assert_allclose(np.linalg.norm(z, axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(z[:, [0, -1]], np.swapaxes(ends, 0, 1), atol=1e-12)
    steps = np.arccos((z[:, 1:] * z[:, :-1]).sum(-1))
    np.testing.assert_allclose(steps, steps[:, :1] * np.ones(6), rtol=1e-6)
    np.testing.assert_allclose(steps.sum(-1), np.arccos((ends[0] * ends[1]).sum(-1)), rtol=1e-9)  # the short way
    for there, angle in ((ends[0], 0.0), (-ends[0], np.pi)):
        same = way(ends[0], there, steps=3, on_sphere=True)
        np.testing.assert_allclose(np.linalg.norm(same, axis=-1), 1, rtol=1e-12)
        np.testing.assert_allclose((same[:, 1] * ends[0]).sum(-1), np.cos(angle / 2), atol=1e-12)


def test_ends_off_the_sphere_are_refused():
    with pytest.raises(InputError, match=r"z_end has shape \(1, 2\) and lengths up to 2; expected rows of length 1"):
        way(np.eye(2)[:1], 2 * np.eye(2)[1:], on_sphere=True)
