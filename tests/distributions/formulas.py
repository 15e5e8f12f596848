"""The formulas of the families of one file against SciPy, all at once: the first test of that file's mirror."""

from __future__ import annotations

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.distributions import InverseCDF

from .families import FAMILIES, Family

SHAPE = (3, 4)


def families_of(name: str) -> pytest.MarkDecorator:
    """Each family of ``minivae/distributions/<name>.py``, as ``row``."""
    rows = {f.__name__: row for f, row in FAMILIES.items() if f.__module__ == f"minivae.distributions.{name}"}
    return pytest.mark.parametrize("row", rows.values(), ids=rows)


def assert_formulas(row: Family, rng: np.random.Generator) -> None:
    """log p, inside the support and out, the entropy, the mean, and, where samples are quantiles, these."""
    ours, oracle = row.random(rng, SHAPE)
    points = [row.data(rng, (5, *SHAPE))]
    if row.independent:  # (SciPy refuses vectors off the simplex)
        points.append(-points[0])
    for x in points:
        np.testing.assert_allclose(ours.log_prob(x).numpy(), row.log_prob(oracle, x), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(ours.entropy().numpy(), oracle.entropy().sum(-1), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(ours.mean.numpy(), oracle.mean(), rtol=2e-11)
    u = rng.uniform(0.01, 0.99, (5, *SHAPE))
    if row.independent:
        assert_nothing_outside(row, rng)
    if isinstance(ours, InverseCDF) and ours.noise_shape == ours.shape:
        np.testing.assert_allclose(ours.sample(tensor(u)).numpy(), oracle.ppf(u), rtol=1e-10, atol=1e-12)


def assert_nothing_outside(row: Family, rng: np.random.Generator) -> None:
    """Beyond a finite end of the support p(x) is 0, and no gradient is lost to a NaN."""
    arrays = row.parameters(rng, SHAPE)
    parameters = [tensor(array, requires_grad=True) for array in arrays]
    for end, step in zip(row.oracle(*arrays).support(), (-0.1, 0.1), strict=True):
        if np.isfinite(end).all():
            x = tensor(np.broadcast_to(end + step, SHAPE).copy(), requires_grad=True)
            log_p = row.make(*parameters).log_prob(x)
            np.testing.assert_array_equal(log_p.numpy(), -np.inf)
            for gradient in backward(log_p.sum(), [*parameters, x]):
                np.testing.assert_array_equal(gradient.numpy(), 0)
