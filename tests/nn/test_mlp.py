"""The perceptron against its layers, applied by hand."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import special

from minivae import backend
from minivae.autodiff import tensor
from minivae.gradcheck import check_gradients
from minivae.nn import ACTIVATIONS, MLP

BY_HAND = {
    "tanh": np.tanh,
    "relu": lambda x: np.where(x > 0, x, 0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
    "sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(0, x),
}
DEPTHS = [(3,), (3, 2), (3, 5, 2), (3, 5, 4, 6, 2)]


def make(sizes=(3, 5, 2), **options):
    return MLP(sizes, backend.generator(5, "numpy"), **{"dtype": "float64"} | options)


def test_every_activation_has_a_case():
    assert ACTIVATIONS.keys() == BY_HAND.keys()


@pytest.mark.parametrize("activate_last", [False, True])
@pytest.mark.parametrize("activation", BY_HAND)
@pytest.mark.parametrize("sizes", DEPTHS)
def test_layers_and_activations_alternate(sizes, activation, activate_last, rng, backend_name):
    mlp = make(sizes, activation=activation, activate_last=activate_last, backend=backend_name)
    x = rng.standard_normal((2, 4, sizes[0]))
    h, last = x, len(sizes) - 2
    for i, layer in enumerate(mlp.layers):
        h = h @ layer.weight.numpy() + layer.bias.numpy()
        h = BY_HAND[activation](h) if i < last or activate_last else h
    y = mlp(tensor(x, backend=backend_name))
    assert y.shape == (2, 4, sizes[-1])
    np.testing.assert_allclose(y.numpy(), h, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("sizes", DEPTHS)
def test_parameters_are_in_order_of_depth(sizes):
    named = dict(make(sizes).named_parameters())
    assert list(named) == [f"layers.{i}.{part}" for i in range(len(sizes) - 1) for part in ("weight", "bias")]
    shapes = [named[f"layers.{i}.weight"].shape for i in range(len(sizes) - 1)]
    assert shapes == list(pairwise(sizes))


def test_without_layers_it_is_the_identity():
    x = tensor(np.ones((2, 3), np.float32))
    assert make((3,), activate_last=True)(x) is x
    assert make((3,)).parameters() == []


@pytest.mark.parametrize("activate_last", [False, True])
@pytest.mark.parametrize("activation", BY_HAND)
def test_gradients(activation, activate_last, rng):
    mlp = make((3, 5, 4, 2), activation=activation, activate_last=activate_last)
    # Biases other than the initial zeros, which put dead units onto the kink of ReLU.
    mlp.load_state_dict({name: rng.standard_normal(p.shape) for name, p in mlp.named_parameters()})
    inputs = [rng.standard_normal((3, 3)), *mlp.parameters()]
    report = check_gradients(lambda x, *_: mlp(x), inputs, mode="jacobian", tolerance=1e-6)
    assert report.comparisons == 6 * sum(x.size for x in inputs)


def test_gradients_of_many_samples(rng):
    mlp = make((20, 50, 10))
    check_gradients(lambda x, *_: mlp(x), [rng.standard_normal((2, 7, 20)), *mlp.parameters()], mode="directions")


def test_layers_have_different_weights_and_the_seed_decides():
    first, again, other = make((3, 3, 3)), make((3, 3, 3)), MLP((3, 3, 3), backend.generator(6), dtype="float64")
    weights = [[layer.weight.numpy() for layer in mlp.layers] for mlp in (first, again, other)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.isin(weights[0][0], weights[0][1]).any()
    assert not np.isin(weights[0], weights[2]).any()


@pytest.mark.parametrize("activation", BY_HAND)
def test_float32_stays_float32(activation):
    mlp = make((3, 5, 2), activation=activation, activate_last=True, dtype="float32")
    assert mlp(np.ones((4, 3))).dtype == np.float32


def test_options_reach_the_layers(backend_name):
    mlp = make((3, 5, 2), init="glorot", dtype="float32", backend=backend_name)
    assert {backend.backend_of(p.data).name for p in mlp.parameters()} == {backend_name}
    assert {p.dtype.name for p in mlp.parameters()} == {"float32"}
    assert not mlp.layers[0].bias.numpy().any()
