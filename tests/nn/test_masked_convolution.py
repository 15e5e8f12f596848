"""Masked convolutions: no output depends on what comes later; masks written out; what is refused."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import jacobian
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import Conv2d, MaskedConv2d
from minivae.nn.masked_convolution import mask_of


def made(mask, inputs, outputs, size, **options):
    layer = MaskedConv2d(mask, inputs, outputs, size, backend.generator(0), dtype="float64", backend="numpy", **options)
    layer.weight.data[...] = np.random.default_rng(0).uniform(0.5, 1.0, layer.weight.shape)  # so that none is 0
    return layer


@pytest.mark.parametrize("mask", ["A", "B"])
@pytest.mark.parametrize("colors", [1, 3])
@pytest.mark.parametrize(("size", "dilation"), [(3, 1), ((5, 3), 1), (3, 2), (1, 1)])
def test_an_output_depends_on_earlier_pixels_and_colours_and_on_no_other(mask, colors, size, dilation):
    """By the derivatives: 0 of what comes later, not 0 of all that a kernel reaches before."""
    layer, shape = made(mask, 3, 6, size, colors=colors, dilation=dilation), (3, 4, 5)
    matrix = jacobian(lambda x: layer(x[None])[0])(np.zeros(shape)).numpy()
    reach = [dilation * (n // 2) for n in layer.weight.shape[2:]]
    for o, i, j, c, u, v in np.ndindex(*matrix.shape):
        down, right = i - u, j - v
        seen = abs(down) <= reach[0] and abs(right) <= reach[1] and down % dilation == right % dilation == 0
        order = (-down, -right), (o * colors // 6) - (c * colors // 3)
        before = order[0] < (0, 0) or (order[0] == (0, 0) and (order[1] > 0 if mask == "A" else order[1] >= 0))
        assert (matrix[o, i, j, c, u, v] != 0) == (seen and before)


def test_masks_written_out():
    np.testing.assert_array_equal(mask_of("A", (1, 1, 3, 3), 1)[0, 0], [[1, 1, 1], [1, 0, 0], [0, 0, 0]])
    np.testing.assert_array_equal(mask_of("B", (1, 1, 3, 3), 1)[0, 0], [[1, 1, 1], [1, 1, 0], [0, 0, 0]])
    for kind, expected in {"A": [[0, 0], [0, 0], [1, 0], [1, 0]], "B": [[1, 0], [1, 0], [1, 1], [1, 1]]}.items():
        np.testing.assert_array_equal(mask_of(kind, (4, 2, 1, 1), 2)[:, :, 0, 0], expected)


def test_it_is_the_convolution_of_the_masked_kernel(rng, backend_name):
    options = {"dtype": "float64", "backend": backend_name}
    layer = MaskedConv2d("A", 2, 4, (3, 5), backend.generator(1, "numpy"), colors=2, **options)
    plain = Conv2d(2, 4, (3, 5), backend.generator(1, "numpy"), padding=(1, 2), **options)
    plain.load_state_dict(layer.state_dict() | {"weight": layer.weight.numpy() * mask_of("A", layer.weight.shape, 2)})
    x = backend.asarray(rng.standard_normal((2, 2, 4, 5)), backend=backend_name)
    np.testing.assert_array_equal(layer(x).numpy(), plain(x).numpy())


def test_derivatives(rng):
    layer = made("B", 2, 2, 3, colors=2)
    inputs = [rng.standard_normal((1, 2, 3, 3)), *layer.parameters()]
    check_gradients(lambda x, *_: layer(x) ** 2, inputs, order=2, mode="directions", allow_zero=True)


@pytest.mark.parametrize("size", [2, (3, 4)])
def test_a_kernel_without_a_middle_is_refused(size):
    with pytest.raises(InputError, match="expected odd numbers"):
        made("A", 1, 1, size)
