"""Total correlation by a density ratio: permuted columns, the critic's loss, and the ratio."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import tensor
from minivae.errors import InputError
from minivae.regularizers import permute_columns

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


def test_what_has_no_statistic_is_refused():
    """One row has no other order, and would be a draw of q(z) called one of the product."""
    for rows in (0, 1):
        with pytest.raises(InputError, match=rf"z has shape \({rows}, 3\); expected at least 2 rows"):
            permute_columns(tensor(np.ones((rows, 3))), backend.generator(0))
