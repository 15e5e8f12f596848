"""BatchNorm against PyTorch's in training and outside of it: values, running means, gradients; and what it refuses."""

import numpy as np
import pytest

from minivae.autodiff import Parameter, assign, backward, mean, no_grad, square, sum, tensor
from minivae.compiler import compile
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.nn import BatchNorm, BatchNorm2d, from_torch_state_dict, to_torch_state_dict, training_mode

from ..doubles.oracle import torch

M, D, L = 7, 3, 4


def pair(rng, dtype="float64", **options):
    """A layer whose state is not its first, and PyTorch's with the same."""
    layer = BatchNorm(D, momentum=0.3, epsilon=1e-3, dtype=dtype, **options)
    state = {name: rng.uniform(0.5, 2.0, D).astype(dtype) for name in layer.state_dict()}
    layer.load_state_dict(state)
    theirs = torch.nn.BatchNorm1d(D, momentum=0.3, eps=1e-3, dtype=getattr(torch, dtype))
    theirs.load_state_dict(to_torch_state_dict(layer))  # strictly: the names are PyTorch's
    return layer, theirs


def write(moved):
    for target, value in moved:
        assign(target, value)


@pytest.mark.parametrize("lead", [(M,), (L, M)])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 3e-5)])
def test_it_is_pytorchs(rng, training, lead, dtype, tolerance):
    """Values, gradients by x, gamma and beta, and the running means after it."""
    layer, theirs = pair(rng, dtype)
    x = (rng.normal(size=(*lead, D)) * [1.0, 5.0, 0.1] + [0.0, 3.0, -1.0]).astype(dtype)
    weights = rng.normal(size=x.shape).astype(dtype)
    ours = Parameter(x)
    if training:
        with training_mode() as moved:
            y = layer(ours)
        write(moved)
    else:
        y = layer(ours)
    gradients = backward(sum(y * tensor(weights)), [ours, *layer.parameters()])
    theirs.train(training)
    their_x = torch.tensor(x, requires_grad=True)
    their_y = theirs(their_x.reshape(-1, D)).reshape(x.shape)
    (their_y * torch.tensor(weights)).sum().backward()
    close = lambda a, b: np.testing.assert_allclose(a.numpy(), b.detach().numpy(), rtol=tolerance, atol=tolerance)  # noqa: E731
    close(y, their_y)
    for found, expected in zip(gradients, (their_x.grad, theirs.weight.grad, theirs.bias.grad), strict=True):
        close(found, expected)
    close(layer.running_mean, theirs.running_mean)
    close(layer.running_var, theirs.running_var)
    assert y.dtype == layer.running_var.dtype == dtype


def test_the_running_variance_is_the_unbiased_one(rng):
    layer, x = BatchNorm(D, momentum=1.0, dtype="float64"), rng.normal(size=(M, D))
    with training_mode() as moved:
        y = layer(x)
    np.testing.assert_allclose(y.numpy().mean(0), 0, atol=1e-14)
    np.testing.assert_allclose(y.numpy().var(0), x.var(0) / (x.var(0) + 1e-5), rtol=1e-12)
    write(moved)
    np.testing.assert_allclose(layer.running_mean.numpy(), x.mean(0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var.numpy(), x.var(0, ddof=1), rtol=1e-12)


def test_twice_in_a_step_its_running_means_move_twice(rng):
    """As PyTorch's do."""
    layer, theirs = pair(rng)
    xs = rng.normal(size=(2, M, D))
    with training_mode() as moved:
        for x in xs:
            layer(x)
    assert len(moved) == 2  # each tensor once
    write(moved)
    for x in xs:
        theirs(torch.tensor(x))
    for name in ("running_mean", "running_var"):
        np.testing.assert_allclose(getattr(layer, name).numpy(), getattr(theirs, name).numpy(), rtol=1e-12)


def test_outside_of_training_nothing_moves_and_rows_do_not_matter_to_each_other(rng):
    layer, _ = pair(rng)
    x, before = rng.normal(size=(M, D)), layer.state_dict()
    np.testing.assert_allclose(layer(x).numpy()[2], layer(x[2]).numpy(), rtol=1e-14)
    assert all((value == before[name]).all() for name, value in layer.state_dict().items())


def test_a_fixed_gamma_is_state_and_not_trained(rng):
    layer = BatchNorm(D, gamma=0.4, dtype="float64")
    assert [name for name, _ in layer.named_parameters()] == ["bias"]
    with training_mode():
        y = layer(rng.normal(size=(M, D)) * 100)
    np.testing.assert_allclose(y.numpy().std(0), 0.4, rtol=1e-5)


@pytest.mark.parametrize("training", [True, False])
def test_gradients(rng, training):
    layer, _ = pair(rng)

    def f(x, *_):
        if not training:
            return square(layer(x))
        with training_mode():
            return square(layer(x))

    check_gradients(f, [rng.normal(size=(M, D)), *layer.parameters()], order=2)


def test_no_gradient_flows_through_what_is_collected(rng):
    layer = BatchNorm(D)
    with training_mode() as moved:
        layer(Parameter(rng.normal(size=(M, D))))
    assert not any(value.requires_grad for _, value in moved)
    with no_grad(), training_mode() as moved:  # and it is collected where nothing is recorded
        layer(rng.normal(size=(M, D)))
    assert len(moved) == 2


def test_a_compiled_step_knows_whether_it_is_one_of_training(rng):
    """Within a block that was opened outside of it, it runs as it is written: a program would collect nothing."""
    layer, x = BatchNorm(D, dtype="float64"), rng.normal(size=(M, D))
    step = compile(lambda x: layer(x))
    outside = step(x).numpy().copy()
    for _ in range(2):
        with training_mode() as moved:
            inside = step(x).numpy().copy()
        assert len(moved) == 2
        np.testing.assert_allclose(inside.mean(0), 0, atol=1e-14)
        np.testing.assert_array_equal(step(x).numpy(), outside)


@pytest.mark.parametrize("shape", [(1, D), (D,), (0, D), (1, 1, D)])
def test_fewer_than_two_vectors_are_refused_in_training_alone(shape):
    layer = BatchNorm(D)
    assert layer(np.ones(shape)).shape == shape
    with training_mode(), pytest.raises(InputError, match=r"x has shape \(.*expected at least 2 vectors in training"):
        layer(np.ones(shape))


def test_a_state_of_pytorchs_is_taken_without_its_count_of_minibatches(rng):
    theirs = torch.nn.BatchNorm1d(D)
    theirs(torch.tensor(rng.normal(size=(M, D)).astype("float32")))
    layer = BatchNorm(D)
    assert "num_batches_tracked" in theirs.state_dict()
    from_torch_state_dict(layer, theirs.state_dict())
    np.testing.assert_array_equal(layer.running_mean.numpy(), theirs.running_mean.numpy())


def test_a_constant_unit_has_finite_values_and_gradients():
    layer, x = BatchNorm(2), Parameter(np.full((M, 2), 3.0, "float32"))
    with training_mode():
        y = layer(x)
    assert (y.numpy() == 0).all()
    (g,) = backward(mean(square(y + 1.0)), [x])
    assert np.isfinite(g.numpy()).all()


# -------------------------------------------------------------------- images


@pytest.mark.parametrize("training", [True, False])
def test_of_images_it_is_pytorchs(rng, training):
    layer = BatchNorm2d(D, momentum=0.3, epsilon=1e-3, dtype="float64")
    layer.load_state_dict({name: rng.uniform(0.5, 2.0, D) for name in layer.state_dict()})
    theirs = torch.nn.BatchNorm2d(D, momentum=0.3, eps=1e-3, dtype=torch.float64)
    theirs.load_state_dict(to_torch_state_dict(layer))
    theirs.train(training)
    x = rng.normal(size=(M, D, 4, 5)) * 3 + 1
    ours, twin = Parameter(x), torch.tensor(x, requires_grad=True)
    if training:
        with training_mode() as moved:
            y = layer(ours)
        write(moved)
    else:
        y = layer(ours)
    v = rng.normal(size=x.shape)
    found = [y, *backward(y, [ours, *layer.parameters()], v), layer.running_mean, layer.running_var]
    z = theirs(twin)
    expected = [z, *torch.autograd.grad(z, [twin, *theirs.parameters()], torch.tensor(v))]
    for a, b in zip(found, [*expected, theirs.running_mean, theirs.running_var], strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(force=True), rtol=1e-11, atol=1e-11)


def test_other_images_are_refused():
    layer = BatchNorm2d(D)
    for shape in ((M, D), (M, D + 1, 2, 2), (D, 2, 2)):
        with pytest.raises(InputError, match=rf"x has shape .*; expected images \(N, {D}, H, W\)"):
            layer(np.ones(shape))
    with training_mode(), pytest.raises(InputError, match=r"x has shape \(1, 3, 1, 1\); expected at least 2 pixels"):
        layer(np.ones((1, D, 1, 1)))
