"""The sliced Wasserstein distance: Gaussians, permutations, equal draws, SciPy on a line, gradients."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from minivae import backend
from minivae.autodiff import Tensor, grad, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.regularizers import random_directions, sliced_wasserstein

from ..doubles.strict_device import strict

M, D, P = 9, 4, 6


@pytest.fixture
def sets(rng):
    """Two sets of draws and directions."""
    directions = rng.normal(size=(P, D))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return rng.normal(size=(M, D)), rng.normal(size=(M, D)) * 2 + 1, directions


def test_between_gaussians_of_a_shift_and_a_scale():
    """N(m, s^2 I) and N(0, I) in d dimensions: |m|^2 / d + (s - 1)^2."""
    rng = np.random.default_rng(0)
    d, s, m = 5, 1.4, np.array([0.5, -0.3, 0.6, 0.2, 0.4])
    expected = (m @ m) / d + (s - 1) ** 2
    x, y = rng.normal(size=(4000, d)) * s + m, rng.normal(size=(4000, d))
    found = float(sliced_wasserstein(x, y, random_directions(backend.generator(0), 2000, d, tensor(x))))
    # Of the mean over directions the standard error is 1.2 |m|^2 / d / sqrt(2000), of that over draws about 0.01.
    assert found == pytest.approx(expected, abs=0.03)


def test_on_each_line_it_is_the_cost_of_the_best_pairs(sets):
    x, y, directions = sets
    costs = []
    for direction in directions:
        squared = (x @ direction[:, None] - (y @ direction)[None]) ** 2
        rows, columns = linear_sum_assignment(squared)
        costs.append(squared[rows, columns].mean())
    assert float(sliced_wasserstein(x, y, directions)) == pytest.approx(np.mean(costs), rel=1e-12)


def test_the_order_of_the_draws_and_the_sides_are_of_no_importance(sets, rng):
    x, y, directions = sets
    expected = float(sliced_wasserstein(x, y, directions))
    for a, b in ((rng.permutation(x), rng.permutation(y)), (y, x)):
        assert float(sliced_wasserstein(a, b, directions)) == pytest.approx(expected, rel=1e-12)
    assert float(sliced_wasserstein(x, rng.permutation(x), directions)) == pytest.approx(0, abs=1e-30)


def test_moving_both_sets_changes_nothing(sets):
    x, y, directions = sets
    shifted = sliced_wasserstein(x + 3, y + 3, directions)
    assert float(shifted) == pytest.approx(float(sliced_wasserstein(x, y, directions)), rel=1e-10)


def test_gradients(sets):
    check_gradients(sliced_wasserstein, list(sets), order=2)
    check_gradients(lambda noise: random_directions(noise, P, D, noise), [sets[1][:P]], order=2)


def test_directions_are_of_length_1_and_every_way_alike():
    found = random_directions(backend.generator(3), 4000, 3, tensor(np.zeros(1, "float32"))).numpy()
    assert found.dtype == "float32"
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-6)
    # Their mean is 0 and their second moment I/3: 5 standard errors, sqrt(1/3 / 4000) and less.
    np.testing.assert_allclose(found.mean(0), 0, atol=5 * 0.0092)
    np.testing.assert_allclose(found.T @ found / 4000, np.eye(3) / 3, atol=5 * 0.0048)


def test_it_stays_on_its_device(sets):
    x, y, directions = (tensor(array.astype("float32"), backend="strict") for array in sets)
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        found = sliced_wasserstein(x, y, directions)
        grad(lambda x: sliced_wasserstein(x, y, random_directions(backend.generator(0, "strict"), 5, D, x)))(x)
    assert isinstance(found, Tensor)


def test_sets_of_different_sizes_are_refused(sets):
    x, y, directions = sets
    with pytest.raises(InputError, match=r"y has shape \(8, 4\); expected \(9, 4\)"):
        sliced_wasserstein(x, y[:-1], directions)
    with pytest.raises(InputError, match="expected at least one of each"):
        sliced_wasserstein(x, y, directions[:0])
