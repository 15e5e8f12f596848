"""Adamax: three steps of Algorithm 2 of its paper written out, how long its steps are, and a gradient of 0."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.optim import Adamax

from .problem import Problem, values


def by_hand(problem, lr, betas, eps):
    """Algorithm 2 of arXiv 1412.6980, line by line, with eps beside |g|."""
    theta = problem.start
    m, u = ([np.zeros_like(x) for x in theta] for _ in range(2))
    for step in range(3):
        t, g = step + 1, problem.gradients(step, theta)
        m = [betas[0] * mi + (1 - betas[0]) * gi for mi, gi in zip(m, g, strict=True)]
        u = [np.maximum(betas[1] * ui, np.abs(gi) + eps) for ui, gi in zip(u, g, strict=True)]
        theta = [x - lr / (1 - betas[0] ** t) * mi / ui for x, mi, ui in zip(theta, m, u, strict=True)]
    return theta


@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.5, 0.7), 0.1), ((0.0, 0.0), 1e-3)])
def test_three_steps_by_hand(betas, eps, backend_name):
    problem = Problem("float64", steps=3)
    found = problem.run(Adamax(problem.parameters(backend_name), 0.1, betas=betas, eps=eps))
    for a, b in zip(found, by_hand(problem, 0.1, betas, eps), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_first_step_moves_every_coordinate_by_lr_and_no_later_one_by_more(scale):
    """Section 7.1: |delta_t| <= lr, whatever the gradients are, where u is the largest of those that m has seen."""
    problem = Problem("float64", steps=20)
    optimizer = Adamax(problem.parameters(), 0.1, betas=(0.9, 0.9999999), eps=1e-12)
    before = problem.start
    for step, gradients in enumerate(problem.noise):
        optimizer.step([tensor(g * scale) for g in gradients])
        for a, b, g in zip(values(optimizer.parameters), before, gradients, strict=True):
            if step == 0:
                np.testing.assert_allclose(b - a, 0.1 * np.sign(g), rtol=1e-3)
            assert np.abs(b - a).max() < 0.1 * (1 + 1e-5)
        before = values(optimizer.parameters)


def test_where_the_gradient_has_always_been_0_nothing_moves():
    problem = Problem("float32")
    optimizer = Adamax(problem.parameters())
    for _ in range(3):
        optimizer.step([tensor(np.zeros_like(x)) for x in problem.start])
    for a, b in zip(values(optimizer.parameters), problem.start, strict=True):
        np.testing.assert_array_equal(a, b)
