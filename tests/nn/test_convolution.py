"""The convolutional layers against PyTorch's; their initial weights; a step of training, recorded."""

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.autodiff import Parameter, backward, mean, square, tanh, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import Conv2d, ConvTranspose2d, from_torch_state_dict, to_torch_state_dict
from minivae.optim import Adam

from ..chance import assert_moments
from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)

CASES = {
    "conv": (Conv2d, {"padding": 1}),
    "conv, strided": (Conv2d, {"stride": (2, 1), "dilation": (1, 2)}),
    "conv, in groups": (Conv2d, {"groups": 2}),
    "conv, each channel": (Conv2d, {"groups": 4, "padding": 1}),
    "transposed": (ConvTranspose2d, {"padding": 1}),
    "transposed, strided": (ConvTranspose2d, {"stride": 2, "output_padding": (1, 0)}),
    "transposed, in groups": (ConvTranspose2d, {"groups": 2, "dilation": 2}),
}


def made(kind, dtype="float64", where="numpy", init="he", **options):
    options = {"kernel_size": (3, 2), **options}
    size = options.pop("kernel_size")
    return kind(4, 8, size, backend.generator(1, "numpy"), init=init, dtype=dtype, backend=where, **options)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-4)])
def test_it_is_pytorchs(name, rng, dtype, tolerance):
    """Value, and gradients by x and both parameters; the state goes there and back as it is."""
    kind, options = CASES[name]
    layer = made(kind, dtype, init="paper", **options)
    theirs = getattr(torch.nn, kind.__name__)(4, 8, (3, 2), dtype=getattr(torch, dtype), **options)
    theirs.load_state_dict(to_torch_state_dict(layer))
    x = rng.standard_normal((3, 4, 6, 5)).astype(dtype)
    ours, twin = Parameter(x), torch.tensor(x, requires_grad=True)
    y, z = layer(ours), theirs(twin)
    v = rng.standard_normal(y.shape).astype(dtype)
    found = [y, *backward(y, [ours, *layer.parameters()], v)]
    expected = [z, *torch.autograd.grad(z, [twin, *theirs.parameters()], torch.tensor(v))]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(force=True), rtol=tolerance, atol=tolerance)
    again = made(kind, dtype, init="paper", **options)
    from_torch_state_dict(again, theirs.state_dict())
    np.testing.assert_array_equal(again.weight.numpy(), layer.weight.numpy())


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name, rng):
    layer = made(CASES[name][0], init="paper", **CASES[name][1])
    x = rng.standard_normal((1, 4, 4, 5))
    check_gradients(lambda x, *_: tanh(layer(x)), [x, *layer.parameters()], order=2, mode="directions")


@pytest.mark.parametrize("name", ["conv", "transposed, strided"])
def test_every_backend_has_the_same_weights_and_values(name, rng, backend_name):
    kind, options = CASES[name]
    x = rng.standard_normal((2, 4, 5, 5))
    layer, expected = made(kind, where=backend_name, **options), made(kind, **options)
    np.testing.assert_array_equal(layer.weight.numpy(), expected.weight.numpy())
    np.testing.assert_allclose(layer(tensor(x, backend=backend_name)).numpy(), expected(x).numpy(), rtol=1e-12)
    with pytest.raises(InputError, match="x has shape"):
        layer(tensor(x[:, :3], backend=backend_name))


# ---------------------------------------------------------- initial weights

VARIANCES = {  # of 24 channels to 40, kernels of 3 x 4
    (Conv2d, "he", 1, 1): 2 / (24 * 12),
    (Conv2d, "he", 4, 2): 2 / (6 * 12),
    (Conv2d, "glorot", 1, 1): 2 / (24 * 12 + 40 * 12),
    (Conv2d, "glorot", 2, 1): 2 / (12 * 12 + 20 * 12),
    (Conv2d, "paper", 1, 1): 1e-4,
    (ConvTranspose2d, "he", 1, 1): 2 / (24 * 12),
    (ConvTranspose2d, "he", 1, 2): 2 / (24 * 3),
    (ConvTranspose2d, "glorot", 2, 2): 2 / (12 * 3 + 20 * 12),
}


@pytest.mark.parametrize("case", VARIANCES)
def test_weights_have_the_variance_of_what_goes_in_and_out(case):
    kind, init, groups, stride = case
    layer = kind(
        24, 40, (3, 4), backend.generator(2), init=init, groups=groups, stride=stride, dtype="float64", backend="numpy"
    )
    shape = (40, 24 // groups) if kind is Conv2d else (24, 40 // groups)
    assert layer.weight.shape == (*shape, 3, 4)
    assert_moments(layer.weight.numpy().ravel(), 0, VARIANCES[case])
    assert layer.bias.shape == (40,)
    assert bool(layer.bias.numpy().any()) == (init == "paper")


@pytest.mark.parametrize(("kind", "stride"), [(Conv2d, 1), (ConvTranspose2d, 1), (ConvTranspose2d, 2)])
def test_he_keeps_the_second_moment_of_what_relu_lets_through(kind, stride):
    """Of x = relu(u) the mean of x^2 is half that of u^2, which the next layer doubles."""
    layer = kind(64, 64, 4, backend.generator(3), init="he", stride=stride, dtype="float64", backend="numpy")
    x = np.maximum(np.random.default_rng(3).standard_normal((4, 64, 16, 16)), 0)
    inner = layer(x).numpy()[:, :, 4:-4, 4:-4]  # which all elements of a kernel go into
    # The mean of x, a third of its mean square, is common to a channel: of 64 that has a standard deviation of 0.06.
    assert abs(np.square(inner).mean() - 1) < 0.3


# ------------------------------------------------------------------ training


class Net(mv.nn.Module):
    def __init__(self, where="numpy"):
        noise = backend.generator(4, "numpy")
        self.down = Conv2d(1, 6, 3, noise, stride=2, padding=1, backend=where)
        self.up = ConvTranspose2d(6, 1, 4, noise, stride=2, padding=1, backend=where)
        self.adam = Adam(self.parameters(), 0.02)

    def step(self, x):
        loss = mean(square(self.up(tanh(self.down(x))) - x))
        self.adam.apply(backward(loss, self.parameters()))
        return loss


def test_a_recorded_step_of_training_is_the_eager_one(rng):
    x = tensor(rng.standard_normal((5, 1, 8, 8)).astype("float32"))
    eager, recorded = Net(), Net()
    compiled, losses = mv.compile(recorded.step), []
    for _ in range(20):
        for net, step in ((eager, eager.step), (recorded, compiled)):
            net.adam.advance()
            losses.append(step(x).item())
    assert losses[::2] == losses[1::2]
    assert losses[-1] < 0.8 * losses[0]
    for name, value in eager.state_dict().items():
        np.testing.assert_array_equal(recorded.state_dict()[name], value)


def test_training_in_a_cuda_graph_is_that_of_the_cpu(cuda, rng, caplog):
    x = rng.standard_normal((5, 1, 8, 8)).astype("float32")
    there, here = Net(cuda.name), Net()
    for net in (there, here):
        step = mv.compile(net.step)
        for _ in range(5):
            net.adam.advance()
            step(tensor(x, backend=backend.backend_of(net.down.weight.data).name)).item()
    assert cuda.launches
    assert not caplog.records
    for name, value in here.state_dict().items():
        np.testing.assert_allclose(there.state_dict()[name], value, rtol=1e-3, atol=1e-4)


def test_a_kernel_and_its_gradient_lie_alike_so_that_an_optimizer_reads_both_straight_on(rng):
    for kind, options in CASES.values():
        layer = made(kind, **options)
        (g,) = backward(mean(square(layer(rng.standard_normal((2, 4, 5, 5))))), [layer.weight])
        assert g.data.strides == layer.weight.data.strides
