"""Weight normalization against PyTorch's; what it is at first; that v never becomes shorter."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, backward, mean, square
from minivae.gradcheck import check_gradients
from minivae.nn import Conv2d, Linear, WeightNormConv2d, WeightNormLinear
from minivae.optim import SGD

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)

CASES = {
    "rows": (WeightNormLinear, Linear, (3, 4), {}, (5, 3)),
    "images": (WeightNormConv2d, Conv2d, (4, 6, (3, 2)), {"groups": 2, "padding": 1, "stride": 2}, (2, 4, 5, 6)),
}


def made(name, plain=False):
    kind, without, sizes, options, shape = CASES[name]
    noise, options = backend.generator(0), {"dtype": "float64", "backend": "numpy", **options}
    return (without if plain else kind)(*sizes, noise, **options), np.random.default_rng(0).standard_normal(shape)


@pytest.mark.parametrize("name", CASES)
def test_at_first_it_is_the_layer_without(name):
    (layer, x), (plain, _) = made(name), made(name, plain=True)
    np.testing.assert_allclose(layer(x).numpy(), plain(x).numpy(), rtol=1e-13)


@pytest.mark.parametrize("name", CASES)
def test_it_is_pytorchs(name, rng):
    layer, x = made(name)
    layer.gain.data[...] = rng.uniform(0.5, 2.0, layer.gain.shape)
    sizes = CASES[name][2]
    if name == "rows":
        twin, order = torch.nn.Linear(*sizes, dtype=torch.float64), (1, 0)
    else:
        twin, order = torch.nn.Conv2d(*sizes, dtype=torch.float64, **CASES[name][3]), (0, 1, 2, 3)
    twin = torch.nn.utils.parametrizations.weight_norm(twin)
    ours = [layer.gain, layer.weight, layer.bias]
    values = [p.numpy().transpose(order) if p.ndim > 1 else p.numpy() for p in ours]
    weight = twin.parametrizations.weight
    theirs = [weight.original0, weight.original1, twin.bias]
    with torch.no_grad():
        for p, value in zip(theirs, values, strict=True):
            p.copy_(torch.tensor(value))
    given, their_x = Parameter(x), torch.tensor(x, requires_grad=True)
    y, z = layer(given), twin(their_x)
    v = rng.standard_normal(y.shape)
    found, expected = backward(y, [given, *ours], v), torch.autograd.grad(z, [their_x, *theirs], torch.tensor(v))
    np.testing.assert_allclose(y.numpy(), z.numpy(force=True), rtol=1e-12)
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        a = a.numpy().transpose(order) if i in (1, 2) else a.numpy()
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name):
    layer, x = made(name)
    check_gradients(lambda x, *_: layer(x), [x, *layer.parameters()], order=2, mode="directions")


@pytest.mark.parametrize("name", CASES)
def test_v_never_becomes_shorter(name):
    layer, x = made(name)
    optimizer, lengths = SGD(layer.parameters(), 0.5), []
    for _ in range(5):
        lengths.append(np.square(layer.weight.numpy()).sum())
        optimizer.step(backward(mean(square(layer(x))), layer.parameters()))
    assert (np.diff(lengths) > 0).all()
