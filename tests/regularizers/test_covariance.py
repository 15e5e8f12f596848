"""The covariance of a minibatch beside NumPy, from averages, and how far it is from the identity."""

import numpy as np
import pytest

from minivae.autodiff import Tensor, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.regularizers import covariance, covariance_of, moments, off_identity

from ..doubles.strict_device import strict

M, D = 7, 4


def test_beside_numpy(rng):
    z = rng.normal(size=(M, D)) * [1, 2, 3, 4] + 5
    np.testing.assert_allclose(covariance(z).numpy(), np.cov(z.T, bias=True), rtol=1e-12)
    c = np.cov(z.T, bias=True)
    off, diagonal = (float(part) for part in off_identity(c))
    assert off == pytest.approx(sum(c[i, j] ** 2 for i in range(D) for j in range(D) if i != j), rel=1e-12)
    assert diagonal == pytest.approx(sum((c[i, i] - 1) ** 2 for i in range(D)), rel=1e-12)


def test_a_constant_beside_the_codes_is_of_no_importance(rng):
    z = rng.normal(size=(M, D))
    np.testing.assert_allclose(covariance(z + 1000.0).numpy(), covariance(z).numpy(), rtol=1e-10)
    z = z.astype("float32")
    np.testing.assert_allclose(covariance(z + 8.0).numpy(), covariance(z).numpy(), atol=1e-5)


def test_averages_over_minibatches_make_that_of_all(rng):
    z = rng.normal(size=(M, D)) + 3
    first, second = ((3 * a.numpy() + 4 * b.numpy()) / 7 for a, b in zip(moments(z[:3]), moments(z[3:]), strict=True))
    np.testing.assert_allclose(covariance_of(first, second).numpy(), covariance(z).numpy(), rtol=1e-10)


def test_it_is_0_at_the_identity_alone(rng):
    assert [float(part) for part in off_identity(np.eye(D))] == [0, 0]
    z = rng.normal(size=(M, D))
    z = (z - z.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(z.T, bias=True))).T
    assert [float(part) for part in off_identity(covariance(z + 2))] == pytest.approx([0, 0], abs=1e-20)
    assert min(float(part) for part in off_identity(np.full((D, D), 0.5))) > 0


def test_gradients(rng):
    def total(z):
        off, diagonal = off_identity(covariance(z))
        return off + diagonal * 0.3

    def by_moments(z):
        return covariance_of(*moments(z))

    check_gradients(total, [rng.normal(size=(M, D))], order=2)
    check_gradients(by_moments, [rng.normal(size=(M, D))], order=2)


def test_it_stays_on_its_device(rng):
    z = tensor(rng.normal(size=(M, D)).astype("float32"), backend="strict")
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        found = [covariance(z), covariance_of(*moments(z)), *off_identity(covariance(z))]
    assert all(isinstance(part, Tensor) for part in found)


def test_one_row_is_refused_and_for_moments_none():
    with pytest.raises(InputError, match=r"z has shape \(0, 2\); expected at least 1 row"):
        moments(np.zeros((0, 2)))
    with pytest.raises(InputError, match="expected at least 2 rows to vary"):
        covariance(np.zeros((1, D)))
    with pytest.raises(InputError, match="c has shape"):
        off_identity(np.zeros((D, D + 1)))
