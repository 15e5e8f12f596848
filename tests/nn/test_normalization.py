"""LayerNorm and GroupNorm against PyTorch's; what they leave; what they refuse."""

import numpy as np
import pytest

import minivae as mv
from minivae.autodiff import Parameter, backward, sum, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import GroupNorm, LayerNorm, to_torch_state_dict

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)

CASES = {
    "rows": (lambda **o: LayerNorm(5, **o), lambda **o: torch.nn.LayerNorm(5, **o), (4, 5)),
    "several axes": (lambda **o: LayerNorm((3, 5), **o), lambda **o: torch.nn.LayerNorm((3, 5), **o), (2, 4, 3, 5)),
    "one axis of more": (lambda **o: LayerNorm([5], **o), lambda **o: torch.nn.LayerNorm(5, **o), (2, 3, 5)),
    "groups": (lambda **o: GroupNorm(2, 6, **o), lambda **o: torch.nn.GroupNorm(2, 6, **o), (3, 6, 4, 5)),
    "one group": (lambda **o: GroupNorm(1, 6, **o), lambda **o: torch.nn.GroupNorm(1, 6, **o), (3, 6, 4, 5)),
    "each channel": (lambda **o: GroupNorm(6, 6, **o), lambda **o: torch.nn.GroupNorm(6, 6, **o), (3, 6, 4, 5)),
    "no images": (lambda **o: GroupNorm(2, 6, **o), lambda **o: torch.nn.GroupNorm(2, 6, **o), (3, 6)),
}


def shaken(name, rng, dtype="float64", **options):
    layer = CASES[name][0](dtype=dtype, **options)
    layer.load_state_dict({k: rng.uniform(0.5, 2, v.shape).astype(dtype) for k, v in layer.state_dict().items()})
    return layer


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-11), ("float32", 1e-4)])
def test_it_is_pytorchs(name, rng, dtype, tolerance):
    layer = shaken(name, rng, dtype, epsilon=1e-3)
    theirs = CASES[name][1](eps=1e-3, dtype=getattr(torch, dtype))
    theirs.load_state_dict(to_torch_state_dict(layer))
    x = (rng.standard_normal(CASES[name][2]) * 3 + 2).astype(dtype)
    ours, twin = Parameter(x), torch.tensor(x, requires_grad=True)
    y, z = layer(ours), theirs(twin)
    v = rng.standard_normal(y.shape).astype(dtype)
    found = [y, *backward(y, [ours, *layer.parameters()], v)]
    expected = [z, *torch.autograd.grad(z, [twin, *theirs.parameters()], torch.tensor(v))]
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(force=True), rtol=tolerance, atol=tolerance)
    assert y.dtype == dtype


@pytest.mark.parametrize("name", CASES)
def test_derivatives(name, rng):
    layer = shaken(name, rng)
    inputs = [rng.standard_normal(CASES[name][2]), *layer.parameters()]
    check_gradients(lambda x, *_: layer(x), inputs, order=2, mode="directions")


@pytest.mark.parametrize("name", ["several axes", "groups"])
def test_a_recorded_step_and_every_backend_give_the_same(name, rng, backend_name):
    layer, x = CASES[name][0](backend=backend_name), rng.standard_normal(CASES[name][2]).astype("float32")
    expected = CASES[name][0](backend="numpy")(x)
    found = mv.compile(lambda x: sum(layer(x) * 2, 0))(tensor(x, backend=backend_name))
    np.testing.assert_allclose(found.numpy(), 2 * expected.numpy().sum(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "shape", "said"),
    [
        (lambda: LayerNorm((3, 5)), (4, 3, 4), r"x has shape \(4, 3, 4\); expected \(\.\.\., 3, 5\)"),
        (lambda: GroupNorm(2, 6), (2, 4, 6), r"x has shape \(2, 4, 6\); expected \(N, 6, \.\.\.\)"),
        (lambda: GroupNorm(2, 6), (6,), r"x has shape \(6,\); expected"),
        (lambda: GroupNorm(4, 6), (), "groups is 4; expected an integer that divides 6"),
        (lambda: LayerNorm(0), (), "shape is 0; expected the lengths"),
        (lambda: LayerNorm(()), (), r"shape is \(\); expected the lengths"),
    ],
)
def test_other_shapes_are_refused(layer, shape, said):
    with pytest.raises(InputError, match=said):
        layer()(np.ones(shape))
