"""Gates, residual sums and squeeze-and-excitation, written out; whose parameters they have; what they refuse."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward, square, sum, tanh, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import Conv2d, Gated, Linear, MaskedConv2d, Residual, SqueezeExcitation

OPTIONS = {"dtype": "float64", "backend": "numpy"}
X = np.random.default_rng(0).standard_normal((2, 4, 5, 3))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_a_gate_written_out():
    convolution = Conv2d(4, 6, 3, backend.generator(0), padding=1, **OPTIONS)
    h = convolution(X).numpy()
    np.testing.assert_allclose(Gated(convolution)(X).numpy(), np.tanh(h[:, :3]) * sigmoid(h[:, 3:]), rtol=1e-13)
    layer = Linear(3, 4, backend.generator(0), **OPTIONS)
    h = layer(X).numpy()
    np.testing.assert_allclose(Gated(layer, -1)(X).numpy(), np.tanh(h[..., :2]) * sigmoid(h[..., 2:]), rtol=1e-13)
    with pytest.raises(InputError, match="sections is 2; expected a divisor of the axis length 3"):
        Gated(lambda x: x, -1)(tensor(X))


def test_a_residual_is_the_sum(rng):
    inner = MaskedConv2d("B", 4, 4, 3, backend.generator(1), **OPTIONS)
    block = Residual(lambda x: tanh(inner(x)))
    np.testing.assert_allclose(block(tensor(X)).numpy(), X + np.tanh(inner(X).numpy()), rtol=1e-14)
    with pytest.raises(InputError, match=r"x has shape \(2, 4, 5, 3\) and layer\(x\) \(2, 4, 5, 1\)"):
        Residual(lambda x: x[..., :1])(tensor(X))


def test_their_parameters_are_those_of_the_layers_in_them():
    block = Residual(Gated(Conv2d(4, 8, 3, backend.generator(2), padding=1, **OPTIONS)))
    assert [name for name, _ in block.named_parameters()] == ["layer.layer.weight", "layer.layer.bias"]
    assert all(g.numpy().any() for g in backward(sum(square(block(tensor(X)))), block.parameters()))


def test_squeeze_and_excitation_written_out():
    block = SqueezeExcitation(4, 3, backend.generator(3), **OPTIONS)
    state = block.state_dict()
    hidden = np.maximum(X.mean((2, 3)) @ state["squeeze.weight"] + state["squeeze.bias"], 0)
    weights = sigmoid(hidden @ state["excite.weight"] + state["excite.bias"])
    np.testing.assert_allclose(block(X).numpy(), X * weights[:, :, None, None], rtol=1e-13)
    with pytest.raises(InputError, match=r"expected images \(N, 4, H, W\)"):
        block(X[:, :3])


@pytest.mark.parametrize(
    "block",
    [
        Residual(Gated(Conv2d(4, 8, 3, backend.generator(2), padding=1, **OPTIONS))),
        SqueezeExcitation(4, 6, backend.generator(4), **OPTIONS),
    ],
    ids=["gated residual", "squeeze and excitation"],
)
def test_derivatives(block):
    check_gradients(lambda x, *_: block(x), [X, *block.parameters()], order=2, mode="directions")
