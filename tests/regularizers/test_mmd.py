"""MMD: against loops over pairs, its expectation in closed form, and what is left out."""

import numpy as np
import pytest

from minivae.autodiff import grad
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.regularizers import KERNELS, mmd
from minivae.regularizers.mmd import SCALES

from ..chance import assert_mean

EVERY_KERNEL = pytest.mark.parametrize("name", KERNELS)
FORMULAS = {
    "rbf": lambda r, d: np.exp(-r / d / d),  # of the mean over dimensions, by d: mmd_vae.py of the InfoVAE's authors
    "imq": lambda r, d: sum(2 * d * s / (2 * d * s + r) for s in SCALES),
}


def by_loops(x, y, k):
    within = [
        np.mean([k(((a - b) ** 2).sum(), x.shape[1]) for i, a in enumerate(z) for j, b in enumerate(z) if i != j])
        for z in (x, y)
    ]
    return sum(within) - 2 * np.mean([k(((a - b) ** 2).sum(), x.shape[1]) for a in x for b in y])


@EVERY_KERNEL
@pytest.mark.parametrize(("n", "m"), [(4, 4), (5, 3), (2, 7)])
def test_the_u_statistic_leaves_out_each_draw_with_itself_and_no_other_pair(name, n, m, rng):
    x, y = rng.normal(size=(n, 2)), rng.normal(size=(m, 2)) + 0.5
    found = float(mmd(x, y, KERNELS[name]))
    assert found == pytest.approx(by_loops(x, y, FORMULAS[name]), rel=1e-10)


def test_a_kernel_may_have_a_scale_that_is_learnt(rng):
    """MMD^2 is linear in it, so the derivative by it is MMD^2 of the kernel without it; so is that of k(0)."""
    x, y = rng.normal(size=(2, 4, 3))
    slope = grad(lambda scale: mmd(x, y, lambda squared, dim: scale * KERNELS["rbf"](squared, dim)))(np.array(2.0))
    assert slope.item() == pytest.approx(by_loops(x, y, FORMULAS["rbf"]), rel=1e-10)


def expected_kernel(h, v, distance, d):
    """E k(x, y) for Gaussians of summed variances v and means ``distance`` apart, bandwidth^2 h."""
    return (h / (h + v)) ** (d / 2) * np.exp(-(distance**2) / (2 * (h + v)))


def test_the_expectation_between_gaussians_is_the_closed_form(rng):
    """x ~ N(0, 1.5 I), y ~ N(m, 0.5 I) in three dimensions; no bias, whatever the number of draws."""
    d, h, n, repeats = 3, 4.5, 6, 3000  # 2h = d^2
    mean = np.array([0.5, -0.3, 0.8])
    expected = expected_kernel(h, 3.0, 0, d) + expected_kernel(h, 1.0, 0, d)
    expected -= 2 * expected_kernel(h, 2.0, np.linalg.norm(mean), d)
    draws = [
        float(mmd(np.sqrt(1.5) * rng.normal(size=(n, d)), mean + np.sqrt(0.5) * rng.normal(size=(n + 1, d))))
        for _ in range(repeats)
    ]
    assert expected > 0.03
    assert_mean(np.array(draws)[:, None], np.array([expected]))


@EVERY_KERNEL
def test_of_equal_distributions_it_is_zero_on_average_and_below_zero_at_times(name, rng):
    draws = np.array([float(mmd(*rng.normal(size=(2, 5, 2)), KERNELS[name])) for _ in range(1000)])
    assert_mean(draws[:, None], np.zeros(1))
    assert (draws < 0).any()


@EVERY_KERNEL
def test_gradients(name, rng):
    check_gradients(lambda x, y: mmd(x, y, KERNELS[name]), [rng.normal(size=(4, 3)), rng.normal(size=(5, 3))])


@pytest.mark.parametrize("shapes", [((1, 2), (5, 2)), ((5, 2), (1, 2)), ((5, 2), (5, 3)), ((4, 0), (4, 0))])
def test_too_few_draws_or_others_are_refused(shapes):
    with pytest.raises(InputError, match="at least 2 draws each"):
        mmd(*map(np.zeros, shapes))
