"""Adam: three steps of Algorithm 1 of its paper written out, and what the correction is for."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.optim import Adam

from .problem import Problem, values


def by_hand(problem, lr, betas, eps):
    """Algorithm 1 of arXiv 1412.6980, line by line."""
    theta = problem.start
    m = [np.zeros_like(x) for x in theta]
    v = [np.zeros_like(x) for x in theta]
    for step in range(3):
        t, g = step + 1, problem.gradients(step, theta)
        m = [betas[0] * mi + (1 - betas[0]) * gi for mi, gi in zip(m, g, strict=True)]
        v = [betas[1] * vi + (1 - betas[1]) * gi**2 for vi, gi in zip(v, g, strict=True)]
        m_hat = [mi / (1 - betas[0] ** t) for mi in m]
        v_hat = [vi / (1 - betas[1] ** t) for vi in v]
        theta = [x - lr * mi / (np.sqrt(vi) + eps) for x, mi, vi in zip(theta, m_hat, v_hat, strict=True)]
    return theta


# A large eps tells this form from the folded one, whose eps is another.
@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.5, 0.7), 0.1), ((0.0, 0.0), 1e-3)])
def test_three_steps_by_hand(betas, eps, backend_name):
    problem = Problem("float64", steps=3)
    found = problem.run(Adam(problem.parameters(backend_name), 0.1, betas=betas, eps=eps))
    for a, b in zip(found, by_hand(problem, 0.1, betas, eps), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_the_first_step_moves_every_coordinate_by_lr(scale):
    """The bias correction: running means that begin at 0 count as if they had always run."""
    problem = Problem("float64")
    optimizer = Adam(problem.parameters(), 0.1)
    optimizer.step([tensor(g * scale) for g in problem.noise[0]])
    for a, b, g in zip(values(optimizer.parameters), problem.start, problem.noise[0], strict=True):
        np.testing.assert_allclose(b - a, 0.1 * np.sign(g), rtol=0.01)
