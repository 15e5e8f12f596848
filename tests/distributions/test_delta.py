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
    for what, refused in {"log_prob": lambda: q.log_prob(np.zeros((2, 3))), "entropy": q.entropy}.items():
        with pytest.raises(InputError) as raised:
            refused()
        assert str(raised.value) == (
            f"a point (Delta) has no density, so no {what}; expected no more of it than its mean"
        )
    p = StandardNormal(3, q.mean)
    for pair, name in (((q, p), "q a Delta, p a StandardNormal"), ((p, q), "q a StandardNormal, p a Delta")):
        with pytest.raises(InputError, match=f"there is no KL for {name}: a point has no density"):
            kl(*pair)
