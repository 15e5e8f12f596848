"""Adagrad: three steps written out, the size of its first step, and its warm-up."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.optim import Adagrad

from .problem import Problem, values


def test_three_steps_by_hand(backend_name):
    problem = Problem("float64", steps=3)
    lr, eps = 0.1, 1e-3
    theta, h = problem.start, [np.zeros_like(x) for x in problem.start]
    for step in range(3):
        g = problem.gradients(step, theta)
        h = [hi + gi**2 for hi, gi in zip(h, g, strict=True)]
        theta = [t - lr * gi / (np.sqrt(hi) + eps) for t, gi, hi in zip(theta, g, h, strict=True)]
    found = problem.run(Adagrad(problem.parameters(backend_name), lr, eps=eps))
    for a, b in zip(found, theta, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_without_a_warm_up_the_first_step_moves_every_coordinate_by_lr(scale):
    """However small the gradient is: why the paper's step size of 0.1 diverges without one."""
    problem = Problem("float64")
    optimizer = Adagrad(problem.parameters(), 0.1)
    optimizer.step([tensor(g * scale) for g in problem.noise[0]])
    for a, b, g in zip(values(optimizer.parameters), problem.start, problem.noise[0], strict=True):
        np.testing.assert_allclose(b - a, 0.1 * np.sign(g), rtol=0.01)


@pytest.mark.parametrize("warmup", [0, 1, 4])
def test_the_warm_up_lasts_exactly_so_many_steps(warmup, backend_name):
    problem = Problem("float64", steps=warmup + 1)
    optimizer = Adagrad(problem.parameters(backend_name), 0.1, warmup=warmup)
    for a, b in zip(problem.run(optimizer, range(warmup)), problem.start, strict=True):
        np.testing.assert_array_equal(a, b)  # not moved at all
    gradients = [problem.gradients(step, problem.start) for step in range(warmup + 1)]
    for i, a in enumerate(problem.run(optimizer, [warmup])):
        h = sum(g[i] ** 2 for g in gradients)  # of every step so far
        np.testing.assert_allclose(optimizer.state_dict()[f"sum_of_squares.{i}"], h, rtol=1e-12)
        np.testing.assert_allclose(problem.start[i] - a, 0.1 * gradients[-1][i] / (np.sqrt(h) + 1e-8), rtol=1e-9)


def test_a_warm_up_makes_the_first_steps_small():
    problem = Problem("float64", steps=101)
    moved = [
        np.abs(after - before).max()
        for warmup in (0, 100)
        for optimizer in [Adagrad(problem.parameters(), 0.1, warmup=warmup)]
        for before, after in [(problem.run(optimizer, range(warmup))[0], problem.run(optimizer, [warmup])[0])]
    ]
    assert moved[0] == pytest.approx(0.1, rel=1e-6)
    assert moved[1] < 0.05  # a gradient is about 1/10 of the root of the sum of 100 squares
