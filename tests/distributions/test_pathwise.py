"""Pathwise gradients: the derivative of E[f(z)] by a parameter is the mean of f'(z) dz/dparameter.

What f = z and z^2 have as expectation SciPy knows; that of the others is an integral over
the quantiles that SciPy gives. Their derivatives by the parameters are central differences.
"""

import numpy as np
import pytest
from scipy import integrate, special

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.distributions import Elementwise

from ..chance import assert_mean
from .families import FAMILIES

N, EVENT = 100_000, 2
FUNCTIONS = {  # f, f', and which families have its expectation
    "z": (lambda z: z, np.ones_like, lambda row: row.moments),
    "z^2": (np.square, lambda z: 2 * z, lambda row: row.moments),
    "log z": (np.log, lambda z: 1 / z, lambda row: is_positive(row)),
    "log(1 + z^2)": (lambda z: np.log1p(z**2), lambda z: 2 * z / (1 + z**2), lambda row: not is_positive(row)),
}
STEP = 1e-4  # of the central differences: they err by 1e-8, far below the noise


def is_positive(row):
    return np.min(row.oracle(*row.parameters(np.random.default_rng(0), (EVENT,))).support()[0]) >= 0


def expectation(name, oracle):
    if name == "z":
        return oracle.mean()
    if name == "z^2":
        return oracle.var() + oracle.mean() ** 2
    f = FUNCTIONS[name][0]

    def integrand(t):
        x = oracle.ppf(special.expit(t)) if t < 0 else oracle.isf(special.expit(-t))
        return special.expit(t) * special.expit(-t) * f(x)

    return integrate.quad_vec(integrand, -30, 30, epsabs=1e-12, epsrel=1e-12)[0]  # beyond: 2e-13 of z


def derivatives(name, row, arrays):
    """d E[f(z)] / d parameter, for each parameter."""
    for i in range(len(arrays)):
        beside = [[a + (j == i) * h for j, a in enumerate(arrays)] for h in (STEP, -STEP)]
        ahead, behind = (expectation(name, row.oracle(*shifted)) for shifted in beside)
        yield (ahead - behind) / (2 * STEP)


def pathwise(row, rng):
    """For each f and each parameter: N gradients of f(z), ``(N, EVENT)``, and what they should be on average."""
    arrays = row.parameters(rng, (EVENT,))
    # A copy of the parameters for each sample, so that each has its own gradient.
    parameters = [tensor(np.broadcast_to(a, (N, EVENT)).copy(), requires_grad=True) for a in arrays]
    z = row.make(*parameters).sample(backend.generator(int(rng.integers(2**32))))
    slopes = [g.numpy() for g in backward(z.sum(), parameters)]
    for name, (_, by_z, has) in FUNCTIONS.items():
        if has(row):
            for slope, expected in zip(slopes, derivatives(name, row, arrays), strict=True):
                yield by_z(z.numpy()) * slope, np.broadcast_to(expected, (EVENT,))


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f.__name__) for f, row in FAMILIES.items() if issubclass(f, Elementwise)]
)
def test_gradients_of_expectations(row, rng):
    found = list(pathwise(row, rng))
    assert found
    for draws, expected in found:
        assert_gradient(draws, expected)


def assert_gradient(draws, expected):
    """The z-test; what never varies (log z by a scale) is equal to rounding."""
    for column, value in zip(draws.T, expected, strict=True):
        if column.std() < 1e-9:
            np.testing.assert_allclose(column.mean(), value, atol=1e-7)
        else:
            assert_mean(column, value)
