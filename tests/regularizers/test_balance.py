"""KL balancing, written out: means of 1, in proportion, and no gradient."""

import numpy as np
import pytest

from minivae.autodiff import sum as total
from minivae.autodiff import tensor, value_and_grad
from minivae.regularizers import kl_balance

KL, SIZES = np.array([3.0, 0.2, 0.0, 11.0, 1.3]), [4, 4, 10, 1, 7]


def test_the_weights_are_in_proportion_and_1_on_average():
    found = kl_balance(KL, SIZES).numpy()
    assert found.mean() == pytest.approx(1, rel=1e-14)
    shares = (KL + 0.01) / SIZES
    np.testing.assert_allclose(found, 5 * shares / shares.sum(), rtol=1e-14)


def test_levels_of_one_kl_and_one_size_pay_the_same():
    np.testing.assert_allclose(kl_balance(np.full(3, 2.0), [5, 5, 5]).numpy(), 1.0, rtol=1e-15)
    np.testing.assert_array_equal(kl_balance(np.zeros(3), [5, 5, 5]).numpy(), 1.0)  # and no 0 / 0


def test_an_estimate_below_0_counts_by_its_size():
    np.testing.assert_allclose(kl_balance(-KL, SIZES).numpy(), kl_balance(KL, SIZES).numpy())


def test_they_have_no_gradient():
    """That of the sum they weigh is they themselves."""
    _, gradient = value_and_grad(lambda kl: total(kl * kl_balance(kl, SIZES)))(tensor(KL))
    np.testing.assert_allclose(gradient.numpy(), kl_balance(KL, SIZES).numpy(), rtol=1e-14)
