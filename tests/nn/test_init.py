"""The initializers draw what they say, the same for a seed on every backend."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.nn import INITIALIZERS, Linear

from ..chance import assert_cdf, assert_moments

INPUTS, OUTPUTS = 300, 200

GLOROT_LIMIT = np.sqrt(6 / (INPUTS + OUTPUTS))
WEIGHTS = {
    "paper": stats.norm(0, 0.01),
    "glorot": stats.uniform(-GLOROT_LIMIT, 2 * GLOROT_LIMIT),
    "he": stats.norm(0, np.sqrt(2 / INPUTS)),
}


def draw(name, seed=1, inputs=INPUTS, outputs=OUTPUTS, dtype="float64"):
    return INITIALIZERS[name](backend.generator(seed), inputs, outputs, np.dtype(dtype))


def test_every_initializer_has_a_case():
    assert INITIALIZERS.keys() == WEIGHTS.keys()


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_have_their_distribution(name):
    weight, _ = draw(name)
    expected = WEIGHTS[name]
    assert weight.shape == (INPUTS, OUTPUTS)
    assert_moments(weight.ravel(), expected.mean(), expected.var())
    assert_cdf(weight.ravel(), expected.cdf)


@pytest.mark.parametrize("name", ["glorot", "he"])
def test_biases_start_at_zero(name):
    _, bias = draw(name)
    np.testing.assert_array_equal(bias, np.zeros(OUTPUTS))
    assert not np.signbit(bias).any()


def test_the_papers_biases_are_drawn_as_its_weights_are():
    _, bias = draw("paper", inputs=1, outputs=10_000)
    assert bias.shape == (10_000,)
    assert_moments(bias, 0, 0.01**2)
    assert_cdf(bias, WEIGHTS["paper"].cdf)


@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_as_asked(name, dtype):
    assert [array.dtype.name for array in draw(name, dtype=dtype)] == [dtype, dtype]


@pytest.mark.parametrize("name", WEIGHTS)
def test_same_seed_same_weights_and_another_seed_others(name):
    first, again, other = (draw(name, seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.isin(first, other).any()


@pytest.mark.parametrize("name", WEIGHTS)
def test_one_seed_gives_the_same_layer_on_every_backend(name, backend_name):
    def layer(where):
        return Linear(3, 4, backend.generator(7, "numpy"), init=name, backend=where).state_dict()

    here, there = layer("numpy"), layer(backend_name)
    assert here.keys() == there.keys() == {"weight", "bias"}
    for key, values in here.items():
        np.testing.assert_array_equal(values, there[key])


@pytest.mark.parametrize("name", WEIGHTS)
def test_draws_on_the_device_itself(name, backend_name):
    generator = backend.generator(7, backend_name)
    weight, bias = INITIALIZERS[name](generator, 3, 4, np.dtype("float32"))
    assert backend.backend_of(weight, bias).name == backend_name
