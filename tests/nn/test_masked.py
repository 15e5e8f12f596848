"""Masks: what depends on what, at every size, and the layer's gradients."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import jacobian, tensor
from minivae.gradcheck import check_gradients
from minivae.nn import MADE, MaskedLinear
from minivae.nn.masked import hidden_degrees


def dependence(network, size, context=None):
    """Which input each output depends on, ``(outputs * size, size)``, at a random point."""
    x = tensor(np.random.default_rng(1).normal(size=size))
    rows = [jacobian(lambda x, k=k: network(x, context)[k])(x).numpy() for k in range(network.outputs)]
    return np.concatenate(rows) != 0


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("hidden", [(), (20,), (9, 30), (25, 8, 16)])
@pytest.mark.parametrize("outputs", [1, 2])
def test_output_i_depends_on_the_inputs_before_i_and_on_no_others(size, hidden, outputs):
    network = MADE(size, hidden, backend.generator(0), outputs=outputs, dtype="float64")
    expected = np.tile(np.tril(np.ones((size, size), bool), -1), (outputs, 1))
    np.testing.assert_array_equal(dependence(network, size), expected)


def test_every_output_depends_on_the_context():
    network = MADE(4, (11,), backend.generator(0), outputs=2, context_dim=3, dtype="float64")
    x, context = tensor(np.ones((2, 4))), tensor(np.ones((2, 3)))
    for before, after in zip(network(x, context), network(x, context + 1.0), strict=True):
        assert (before.numpy() != after.numpy())[:, 1:].all()


def test_degrees_are_spread_evenly_and_none_sees_everything():
    np.testing.assert_array_equal(hidden_degrees(4, 6), [1, 1, 2, 2, 3, 3])
    np.testing.assert_array_equal(hidden_degrees(1, 3), [1, 1, 1])
    assert set(hidden_degrees(784, 500)) <= set(range(1, 784))


def test_a_masked_weight_has_no_say_and_no_gradient(rng):
    mask = np.array([[1, 0], [1, 1], [0, 1]])
    layer = MaskedLinear(mask, backend.generator(0), dtype="float64")
    x = rng.normal(size=(4, 3))
    expected = x @ (layer.weight.numpy() * mask) + layer.bias.numpy()
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-12)
    (found,) = (jacobian(lambda w: _with(layer, w)(x).sum())(layer.weight).numpy(),)
    np.testing.assert_array_equal(found != 0, mask)
    check_gradients(lambda *_: layer(x), layer.parameters())


def _with(layer, weight):
    layer.weight = weight
    return layer


def test_the_mask_is_no_state():
    assert MaskedLinear(np.ones((3, 2)), backend.generator(0)).state_dict().keys() == {"weight", "bias"}
