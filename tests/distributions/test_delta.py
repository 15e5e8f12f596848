"""A point: draws that are the point, and no density."""

import numpy as np
import pytest

from minivae import backend
from minivae.distributions import Delta, StandardNormal, kl
from minivae.errors import InputError


def test_every_draw_is_the_point(rng):
    q = Delta(rng.normal(size=(2, 3)))
    draws = q.sample(backend.generator(0), 4).numpy()
    np.testing.assert_array_equal(draws, np.broadcast_to(q.mean.numpy(), (4, 2, 3)))
    np.testing.assert_array_equal(q.sample(backend.generator(0)).numpy(), q.mean.numpy())


def test_it_has_no_density_and_no_divergence(rng):
    q = Delta(rng.normal(size=(2, 3)))
    with pytest.raises(InputError, match="no density"):
        q.log_prob(np.zeros((2, 3)))
    with pytest.raises(InputError, match="q a Delta, p a StandardNormal"):
        kl(q, StandardNormal(3, q.mean))
