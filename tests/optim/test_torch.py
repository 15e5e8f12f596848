"""Every optimizer, with every option, against PyTorch's over 500 steps."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.optim import OPTIMIZERS, SGD, Adagrad, Adam
from minivae.optim.optimizer import clip_by_norm

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from .problem import Problem, joint_norm

STEPS = 500
MAX_NORM = 6.4  # about the median norm of the problem's noise
# Relative to the largest element of a parameter, as rounding errors are.
TOLERANCE = {"float64": 1e-10, "float32": 1e-5}

# Name, our options, PyTorch's class and its options where they differ.
TWINS = [
    ("sgd", {"lr": 0.05}, torch.optim.SGD, {}),
    ("sgd", {"lr": 0.05, "momentum": 0.9}, torch.optim.SGD, {}),
    ("sgd", {"lr": 0.05, "momentum": 0.5, "weight_decay": 0.3}, torch.optim.SGD, {}),
    ("adagrad", {"lr": 0.1}, torch.optim.Adagrad, {"eps": 1e-8}),
    ("adagrad", {"lr": 0.1, "eps": 1e-3, "weight_decay": 0.3}, torch.optim.Adagrad, {}),
    ("adam", {"lr": 0.01}, torch.optim.Adam, {}),
    ("adam", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3}, torch.optim.Adam, {}),
    ("adam", {"lr": 0.01, "weight_decay": 0.3}, torch.optim.Adam, {}),
    ("adamax", {}, torch.optim.Adamax, {}),
    ("adamax", {"lr": 0.01, "betas": (0.5, 0.9), "eps": 1e-3}, torch.optim.Adamax, {}),
    ("adamax", {"lr": 0.01, "weight_decay": 0.3}, torch.optim.Adamax, {}),
]


def torch_run(problem, family, options, max_norm=None, lr_of_step=None):
    """The parameters after the problem's steps by PyTorch."""
    parameters = [torch.nn.Parameter(torch.tensor(x)) for x in problem.start]
    optimizer = family(parameters, **options)
    for step in range(STEPS):
        for p, g in zip(parameters, problem.gradients(step, [p.detach().numpy() for p in parameters]), strict=True):
            p.grad = torch.tensor(g)
        if max_norm is not None:
            torch.nn.utils.clip_grad_norm_(parameters, max_norm)
        if lr_of_step is not None:
            optimizer.param_groups[0]["lr"] = lr_of_step(step)
        optimizer.step()
    return [p.detach().numpy() for p in parameters]


def assert_twins(found, expected, dtype):
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.dtype == theirs.dtype == dtype
        error = np.abs(ours - theirs).max() / np.abs(theirs).max()
        assert error <= TOLERANCE[dtype], f"relative error {error:.2g}"


def test_every_optimizer_has_a_twin():
    assert {name for name, *_ in TWINS} == set(OPTIMIZERS)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("max_norm", [None, MAX_NORM])
@pytest.mark.parametrize(("name", "options", "family", "other"), TWINS)
def test_500_steps_equal_those_of_pytorch(name, options, family, other, max_norm, dtype):
    problem = Problem(dtype, steps=STEPS)
    found = problem.run(OPTIMIZERS[name](problem.parameters(), max_norm=max_norm, **options))
    assert_twins(found, torch_run(problem, family, options | other, max_norm), dtype)


def test_max_norm_clips_some_steps_and_not_others():
    problem = Problem(steps=STEPS)
    clipped = sum(joint_norm(gradients) > MAX_NORM for gradients in problem.noise)
    assert STEPS // 4 < clipped < 3 * STEPS // 4


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_clipping_equals_that_of_pytorch(dtype):
    for gradients in Problem(dtype, steps=STEPS).noise:
        parameters = [torch.nn.Parameter(torch.zeros_like(torch.tensor(g))) for g in gradients]
        for p, g in zip(parameters, gradients, strict=True):
            p.grad = torch.tensor(g)
        torch.nn.utils.clip_grad_norm_(parameters, MAX_NORM)
        found = clip_by_norm([tensor(g) for g in gradients], MAX_NORM)
        assert_twins([g.numpy() for g in found], [p.grad.numpy() for p in parameters], dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_schedule_equals_one_of_pytorch(dtype):
    problem = Problem(dtype, steps=STEPS)
    adam = Adam(problem.parameters(), 0.01)
    for step in range(STEPS):
        gradients = problem.gradients(step, [p.numpy() for p in adam.parameters])
        adam.step([tensor(g) for g in gradients], lr_factor=0.99**step)
    expected = torch_run(problem, torch.optim.Adam, {}, lr_of_step=lambda step: 0.01 * 0.99**step)
    assert_twins([p.numpy() for p in adam.parameters], expected, dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_the_warm_up_equals_steps_of_size_0_of_pytorch(dtype):
    problem = Problem(dtype, steps=STEPS)
    found = problem.run(Adagrad(problem.parameters(), 0.1, warmup=100))
    expected = torch_run(
        problem, torch.optim.Adagrad, {"eps": 1e-8}, lr_of_step=lambda step: 0.0 if step < 100 else 0.1
    )
    assert_twins(found, expected, dtype)


def test_a_wrong_momentum_is_noticed():
    """The comparison can fail: a difference of 1e-6 in one option is seen."""
    problem = Problem("float64", steps=STEPS)
    found = problem.run(SGD(problem.parameters(), 0.05, momentum=0.9 + 1e-6))
    with pytest.raises(AssertionError, match="relative error"):
        assert_twins(found, torch_run(problem, torch.optim.SGD, {"lr": 0.05, "momentum": 0.9}), "float64")
