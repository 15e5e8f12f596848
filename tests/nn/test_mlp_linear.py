"""The affine layer against a matrix product written out."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import Linear

LEADING = [(), (4,), (3, 4), (1, 4), (2, 3, 4), (0,), (2, 0)]


def make(inputs=3, outputs=2, **options):
    """A layer whose bias is not zero, so that it counts."""
    return Linear(inputs, outputs, backend.generator(5, "numpy"), **{"init": "paper"} | options)


@pytest.mark.parametrize("lead", LEADING)
def test_every_row_is_multiplied_and_shifted(lead, rng, backend_name):
    layer = make(dtype="float64", backend=backend_name)
    x = rng.standard_normal((*lead, 3))
    y = layer(tensor(x, backend=backend_name))
    weight, bias = layer.weight.numpy(), layer.bias.numpy()
    expected = np.zeros((*lead, 2))
    for row in np.ndindex(*lead):
        for j in range(2):
            expected[row][j] = sum(x[row][i] * weight[i, j] for i in range(3)) + bias[j]
    assert y.shape == (*lead, 2)
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-13, atol=1e-15)


def test_parameters_are_weight_then_bias(backend_name):
    layer = make(backend=backend_name)
    (first, weight), (second, bias) = layer.named_parameters()
    assert (first, weight.shape, second, bias.shape) == ("weight", (3, 2), "bias", (2,))
    assert type(weight) is type(bias) is Parameter
    assert backend.backend_of(weight.data, bias.data).name == backend_name


@pytest.mark.parametrize("lead", [lead for lead in LEADING if 0 not in lead])
def test_gradients(lead, rng):
    layer = make(dtype="float64")
    x = rng.standard_normal((*lead, 3))
    report = check_gradients(lambda x, *_: layer(x), [x, *layer.parameters()], mode="jacobian", tolerance=1e-6)
    assert report.comparisons == 2 * max(1, int(np.prod(lead))) * (x.size + 6 + 2)


def test_second_derivatives(rng):
    layer = make(dtype="float64")
    check_gradients(lambda x, *_: layer(x) ** 2, [rng.standard_normal((4, 3)), *layer.parameters()], order=2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("data_dtype", ["float32", "float64"])
def test_arrays_take_the_dtype_of_the_layer(dtype, data_dtype):
    layer = make(dtype=dtype)
    assert layer.weight.dtype == layer.bias.dtype == dtype
    assert layer(np.ones((4, 3), data_dtype)).dtype == dtype
    assert layer([[1, 2, 3]]).dtype == dtype


def test_float32_and_the_default_backend_by_default(backend_name):
    with backend.using(backend_name):
        layer = Linear(3, 2, backend.generator(0))
    assert layer.weight.dtype == np.float32
    assert backend.backend_of(layer.weight.data).name == backend_name


@pytest.mark.parametrize("shape", [(), (2,), (3, 4), (4, 1), (3, 0)])
def test_a_last_axis_of_another_length_is_refused(shape):
    with pytest.raises(InputError) as error:
        make()(np.zeros(shape))
    assert str(error.value) == f"x has shape {shape}; expected (..., 3)"
