"""SGD: three steps written out."""

import numpy as np
import pytest

from minivae.optim import SGD

from .problem import Problem


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_three_steps_by_hand(momentum, backend_name):
    problem = Problem("float64", steps=3)
    lr = 0.1
    theta, v = problem.start, [np.zeros_like(x) for x in problem.start]
    for step in range(3):
        g = problem.gradients(step, theta)
        v = [momentum * vi + gi for vi, gi in zip(v, g, strict=True)]
        theta = [t - lr * vi for t, vi in zip(theta, v, strict=True)]
    found = problem.run(SGD(problem.parameters(backend_name), lr, momentum=momentum))
    for a, b in zip(found, theta, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_constant_gradient_accelerates_to_one_over_one_minus_momentum():
    """Steps of a ball that rolls down a slope: lr g (1 + b + b^2 + ...)."""
    problem = Problem("float64", shapes=[(4,)], steps=1)
    optimizer = SGD(problem.parameters(), 0.1, momentum=0.5)
    (g,) = problem.noise[0]
    for _ in range(60):
        before = optimizer.parameters[0].numpy().copy()
        optimizer.step([optimizer.parameters[0].detach() * 0.0 + g])
    np.testing.assert_allclose(before - optimizer.parameters[0].numpy(), 0.1 * g / (1 - 0.5), rtol=1e-12)
