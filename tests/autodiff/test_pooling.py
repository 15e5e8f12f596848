"""Pooling and upsampling: ties and NaN as in PyTorch, values written out, recorded steps, what is refused."""

import numpy as np
import pytest

import minivae as mv
from minivae.autodiff import Parameter, avg_pool2d, backward, max_pool2d, square, sum, tensor, upsample_nearest
from minivae.errors import InputError


def test_values_written_out(backend_name):
    x = tensor(np.arange(16.0).reshape(1, 1, 4, 4), backend=backend_name)
    np.testing.assert_array_equal(max_pool2d(x, 2).numpy(), [[[[5, 7], [13, 15]]]])
    np.testing.assert_array_equal(avg_pool2d(x, 2).numpy(), [[[[2.5, 4.5], [10.5, 12.5]]]])
    np.testing.assert_array_equal(avg_pool2d(x, 2, padding=1).numpy()[0, 0, 0], [0, 0.75, 0.75])  # 0, 1 + 2, 3 of 4
    np.testing.assert_array_equal(max_pool2d(-x - 1, 3, 3, 1).numpy(), [[[[-1, -3], [-9, -11]]]])
    y = upsample_nearest(x[:, :, :2, :2], (2, 3)).numpy()
    np.testing.assert_array_equal(y[0, 0], np.repeat(np.repeat([[0.0, 1.0], [4.0, 5.0]], 2, 0), 3, 1))


def test_the_first_of_equal_elements_gets_the_gradient_as_in_pytorch():
    torch = pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    x = np.random.default_rng(0).integers(0, 3, (2, 3, 7, 6)).astype("float64")
    for arguments in [(2,), (3, 2, 1), (3, 1), ((2, 3), (1, 2), (1, 1))]:
        ours, theirs = Parameter(x), torch.tensor(x, requires_grad=True)
        y, z = max_pool2d(ours, *arguments), torch.nn.functional.max_pool2d(theirs, *arguments)
        v = np.random.default_rng(1).standard_normal(y.shape)
        (g,), (h,) = backward(y, [ours], v), torch.autograd.grad(z, theirs, torch.tensor(v))
        np.testing.assert_array_equal(y.numpy(), z.numpy(force=True))
        np.testing.assert_allclose(g.numpy(), h.numpy(), rtol=1e-14)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_a_part_with_nan_is_nan(place):
    x = np.array([1.0, 2.0, 3.0, 4.0])
    x[place] = np.nan
    x = Parameter(x.reshape(1, 1, 2, 2))
    y = max_pool2d(x, 2)
    assert np.isnan(y.item())
    assert backward(y, [x], np.ones(y.shape))[0].numpy().argmax() == place


def test_infinities_are_larger_than_padding():
    x = np.full((1, 1, 2, 2), -np.inf)
    np.testing.assert_array_equal(max_pool2d(x, 2, 1, 1).numpy(), np.full((1, 1, 3, 3), -np.inf))


@pytest.mark.parametrize("fast", [False, None])
def test_a_recorded_step_gives_the_bits_of_the_eager_one(fast):
    def step(x):
        y = sum(square(max_pool2d(x, 3, 2, 1)) + square(avg_pool2d(x, 3, 2, 1))) + sum(square(upsample_nearest(x, 2)))
        return y, backward(y, [x])[0]

    compiled, rng = mv.compile(step, fast), np.random.default_rng(2)
    for _ in range(3):
        x = Parameter(np.maximum(rng.standard_normal((3, 2, 5, 6)), 0).astype("float32"))
        for found, expected in zip(compiled(x), step(x), strict=True):
            np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((4,), r"x has shape \(1, 1, 3, 3\), kernel_size is 4 and padding 0; expected images"),
        ((0,), "kernel_size is 0; expected an integer of at least 1"),
        ((2, 0), "stride is 0; expected an integer of at least 1"),
        ((2, 1, 2), r"padding is 2; expected at most half of kernel_size, \(2, 2\)"),
        ((2, 1, -1), "padding is -1; expected an integer of at least 0"),
    ],
)
@pytest.mark.parametrize("pool", [max_pool2d, avg_pool2d])
def test_wrong_arguments_are_refused(pool, arguments, said):
    with pytest.raises(InputError, match=said):
        pool(np.ones((1, 1, 3, 3)), *arguments)
