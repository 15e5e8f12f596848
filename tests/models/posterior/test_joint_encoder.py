"""Continuous and discrete variables side by side: prior, codes, sizes."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import tensor
from minivae.distributions import Categorical, StandardNormal
from minivae.errors import InputError
from minivae.models.posterior.joint_encoder import JointEncoder, discrete_sizes, joint_codes, joint_prior

M = 5


def test_codes_are_the_likeliest_values(rng):
    q = JointEncoder(6, (4,), 2, (3, 4, 2), backend.generator(0), dtype="float64")(rng.normal(0, 5, (M, 6)))
    expected = np.stack([part.mean.numpy().argmax(-1) for part in q.parts[1:]], axis=-1)
    assert expected.shape == (M, 3)
    np.testing.assert_array_equal(joint_codes(q).numpy(), expected)


@pytest.mark.parametrize("discrete", [(3, 4), (2,), ()])
def test_the_prior_is_even_over_values(discrete):
    p = joint_prior(2, discrete, tensor(np.zeros(1)))
    assert p.shape == (2 + sum(discrete),)
    first, *others = p.parts
    assert type(first) is StandardNormal
    for part, count in zip(others, discrete, strict=True):
        assert type(part) is Categorical
        np.testing.assert_allclose(part.mean.numpy(), 1 / count)


def test_sizes_are_at_least_two():
    assert discrete_sizes((2, 3)) == [2, 3]
    with pytest.raises(InputError, match=r"discrete is \[2, 1\]; expected at least 2 values of each"):
        discrete_sizes((2, 1))
