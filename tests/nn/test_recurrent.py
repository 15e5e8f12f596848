"""GRU and LSTM against PyTorch's, value for value and gradient for gradient; their start, and sequences in parts."""

import numpy as np
import pytest

from minivae import backend, compiler
from minivae.autodiff import backward, concatenate, tensor
from minivae.autodiff import sum as total
from minivae.gradcheck import check_gradients
from minivae.nn import GRU, LSTM, from_torch_state_dict, to_torch_state_dict
from minivae.optim import SGD

INPUTS, UNITS = 3, 4
EVERY_LAYER = pytest.mark.parametrize("kind", [GRU, LSTM])


def make(kind, rng, **options):
    """A layer with biases that are not 0."""
    layer = kind(INPUTS, UNITS, backend.generator(5, "numpy"), **{"dtype": "float64"} | options)
    layer.load_state_dict({name: 0.7 * rng.standard_normal(p.shape) for name, p in layer.named_parameters()})
    return layer


def begin(kind, rng, *lead):
    return tuple(rng.standard_normal((*lead, UNITS)) for _ in range(kind.states))


@EVERY_LAYER
@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("steps", [1, 6])
def test_values_and_every_gradient_are_those_of_pytorch(kind, given, steps, rng):
    from ..doubles.oracle import torch

    layer, x, state = make(kind, rng), rng.standard_normal((2, steps, INPUTS)), begin(kind, rng, 2)
    other = getattr(torch.nn, kind.__name__)(INPUTS, UNITS, batch_first=True, dtype=torch.float64)
    other.load_state_dict(to_torch_state_dict(layer))
    inputs = [x, *state] if given else [x]
    ours, theirs = [tensor(v) for v in inputs], [torch.tensor(v, requires_grad=True) for v in inputs]
    for value in ours:
        value.requires_grad = True
    h, last = layer(ours[0], tuple(ours[1:]) or None)
    began = [v[None] for v in theirs[1:]]  # there with an axis for the layers
    expected, end = other(theirs[0], (tuple(began) if kind is LSTM else began[0]) if given else None)
    ends = list(end) if kind is LSTM else [end]
    np.testing.assert_allclose(h.numpy(), expected.detach().numpy(), rtol=1e-12, atol=1e-15)
    for mine, its in zip(last, ends, strict=True):
        np.testing.assert_allclose(mine.numpy(), its[0].detach().numpy(), rtol=1e-12, atol=1e-15)
    by_all, by_last = rng.standard_normal(h.shape), rng.standard_normal(last[-1].shape)
    loss = total(h * by_all) + total(last[-1] * by_last)
    ((expected * torch.tensor(by_all)).sum() + (ends[-1][0] * torch.tensor(by_last)).sum()).backward()
    named = dict(other.named_parameters())
    found = backward(loss, [*ours, *layer.parameters()])
    wanted = [*theirs, *(named[name] for name, _ in layer.named_parameters())]
    for g, value in zip(found, wanted, strict=True):
        np.testing.assert_allclose(g.numpy(), value.grad.numpy(), rtol=1e-10, atol=1e-14)


@EVERY_LAYER
def test_a_state_of_pytorch_is_loaded_as_it_is(kind, rng):
    from ..doubles.oracle import torch

    other, layer = getattr(torch.nn, kind.__name__)(INPUTS, UNITS, batch_first=True), make(kind, rng, dtype="float32")
    from_torch_state_dict(layer, other.state_dict())
    x = rng.standard_normal((5, 7, INPUTS)).astype("float32")
    np.testing.assert_allclose(layer(x)[0].numpy(), other(torch.tensor(x))[0].detach().numpy(), atol=1e-6)


@EVERY_LAYER
def test_gradients(kind, rng):
    layer, x, state = make(kind, rng), rng.standard_normal((2, 3, INPUTS)), begin(kind, rng, 2)

    def f(x, *state_and_weights):
        h, last = layer(x, state_and_weights[: kind.states])
        return concatenate([h[..., -2:, :].reshape((2, -1)), *last], axis=-1)

    check_gradients(f, [x, *state, *layer.parameters()], order=2)


@EVERY_LAYER
def test_a_sequence_may_come_in_parts_and_before_any_axes(kind, rng, backend_name):
    layer = make(kind, rng, backend=backend_name)
    x = tensor(rng.standard_normal((5, 2, 7, INPUTS)), backend=backend_name)
    whole, last = layer(x)
    first, state = layer(x[..., :3, :])
    second, end = layer(x[..., 3:, :], state)
    assert whole.shape == (5, 2, 7, UNITS)
    np.testing.assert_allclose(concatenate([first, second], axis=-2).numpy(), whole.numpy(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose([v.numpy() for v in end], [v.numpy() for v in last], rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(last[0].numpy(), whole.numpy()[..., -1, :])
    np.testing.assert_allclose(layer(x[1, 1])[0].numpy(), whole.numpy()[1, 1], rtol=1e-12, atol=1e-15)


@EVERY_LAYER
def test_a_compiled_step_is_the_eager_one(kind, rng):
    x, ways = rng.standard_normal((2, 5, INPUTS)), []
    for compiled in (False, True):
        layer = make(kind, np.random.default_rng(0))
        optimizer = SGD(layer.parameters(), 0.1)

        def step(x, layer=layer, optimizer=optimizer):
            loss = total(layer(x)[0] ** 2)
            optimizer.apply(backward(loss, layer.parameters()))
            return loss

        run = compiler.compile(step) if compiled else step
        losses = []
        for _ in range(4):
            optimizer.advance()
            losses.append(float(run(tensor(x))))
        ways.append([losses, *(p.numpy() for p in layer.parameters())])
    for mine, its in zip(*ways, strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-12, atol=1e-15)


@EVERY_LAYER
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_gate_starts_as_a_layer_of_its_own(kind, dtype):
    """Glorot's uniform weights lie within sqrt(6 / (inputs + units)), and fill it; biases are 0."""
    layer = kind(30, 50, backend.generator(0), dtype=dtype)
    for weight, inputs in ((layer.weight_ih_l0, 30), (layer.weight_hh_l0, 50)):
        assert weight.dtype == dtype
        assert weight.shape == (kind.gates * 50, inputs)
        limit = (6 / (inputs + 50)) ** 0.5
        for gate in np.split(weight.numpy(), kind.gates):
            assert 0.99 * limit < np.abs(gate).max() <= limit
    assert not np.concatenate([layer.bias_ih_l0.numpy(), layer.bias_hh_l0.numpy()]).any()
    assert layer(np.ones((2, 3, 30)))[0].dtype == dtype


@EVERY_LAYER
def test_gates_are_stable_at_any_size(kind, rng):
    layer = make(kind, rng)
    h, _ = layer(rng.standard_normal((2, 5, INPUTS)) * 1e4)
    assert (np.abs(h.numpy()) <= 1).all()
    grads = backward(total(h), layer.parameters())
    assert all(np.isfinite(g.numpy()).all() for g in grads)
