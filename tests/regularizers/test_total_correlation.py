"""Total correlation by a density ratio: permuted columns, the critic's loss, and the ratio."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.regularizers import critic_loss, density_ratio, permute_columns

RHO = 0.8


@pytest.mark.parametrize("m", [2, 3, 50])
def test_each_column_is_put_in_an_order_of_its_own(m, rng, backend_name):
    z = rng.normal(size=(m, 3))
    moved = permute_columns(tensor(z, backend=backend_name), backend.generator(0, backend_name)).numpy()
    np.testing.assert_array_equal(np.sort(moved, axis=0), np.sort(z, axis=0))
    if m == 50:
        orders = [[list(z[:, j]).index(value) for value in moved[:, j]] for j in range(3)]
        assert len({tuple(order) for order in orders}) == 3
        assert np.abs(np.corrcoef(np.array(orders))[0, 1]) < 0.6


def test_the_order_is_that_of_the_noise():
    z, noise = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]), np.array([[0.9, 0.5], [0.1, 0.5], [0.5, 0.5]])
    # Row i gets the element whose place is the rank of its noise: equal numbers keep their places.
    np.testing.assert_array_equal(permute_columns(tensor(z), noise).numpy(), [[3.0, 10.0], [1.0, 20.0], [2.0, 30.0]])


def test_dependence_is_gone_and_each_distribution_is_not(rng):
    z = rng.normal(size=(400, 2)) @ np.linalg.cholesky([[1, RHO], [RHO, 1]]).T
    moved = permute_columns(tensor(z), backend.generator(1)).numpy()
    assert np.corrcoef(z.T)[0, 1] > 0.7
    assert abs(np.corrcoef(moved.T)[0, 1]) < 0.2


def test_the_loss_of_a_critic_that_knows_nothing_is_log_2():
    assert float(critic_loss(tensor(np.ones((3, 2))), tensor(np.zeros((4, 2))))) == pytest.approx(np.log(2))


def test_the_loss_is_half_of_each_cross_entropy(rng):
    joint, product = rng.normal(size=(2, 5, 2)) * 3
    first = np.exp(joint[:, 0]) / np.exp(joint).sum(-1)
    second = np.exp(product[:, 1]) / np.exp(product).sum(-1)
    expected = -0.5 * np.log(first).mean() - 0.5 * np.log(second).mean()
    assert float(critic_loss(tensor(joint), tensor(product))) == pytest.approx(expected, rel=1e-12)


def test_the_ratio_is_the_difference_of_the_logits_and_both_have_gradients(rng):
    logits = rng.normal(size=(4, 2))
    np.testing.assert_allclose(density_ratio(logits).numpy(), logits[:, 0] - logits[:, 1], rtol=1e-15)
    check_gradients(density_ratio, [logits])
    check_gradients(critic_loss, [logits, rng.normal(size=(5, 2))])


def test_what_has_no_statistic_is_refused():
    """One row has no other order, and would be a draw of q(z) called one of the product; no rows have no mean."""
    for rows in (0, 1):
        with pytest.raises(InputError, match=rf"z has shape \({rows}, 3\); expected at least 2 rows"):
            permute_columns(tensor(np.ones((rows, 3))), backend.generator(0))
    for joint, product, name in ((0, 2, "joint"), (2, 0, "product")):
        with pytest.raises(InputError, match=rf"{name} has shape \(0, 2\); expected at least 1 row"):
            critic_loss(tensor(np.ones((joint, 2))), tensor(np.ones((product, 2))))
