"""Every contender computes the same: from equal weights, with equal minibatches and noise, equal losses.

They run in a process of their own, as libraries with threads do not go well with the rest of
the suite.
"""

import numpy as np
import pytest

from benchmarks import contenders
from benchmarks.cases import CASES, Case
from benchmarks.contenders import CONTENDERS, FLOOR
from benchmarks.worker import Remote

STEPS = 20
# Relative. Float32 rounds each loss by some 1e-7, and twenty steps add to it; a step
# size that is wrong by a tenth shows as 1e-4.
TOLERANCE = 5e-6
TINY = {
    likelihood: Case(likelihood, 12, (7, 5), 3, 8, likelihood, rows=40, scale=scale)
    for likelihood, scale in (("bernoulli", 255.0), ("gaussian", 256.0))
}
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name == "torch-compile" else name
    for name in CONTENDERS
    if name not in (FLOOR, "minivae-eager")
]


class Losses:
    """Runs contenders; lives in a worker."""

    def with_noise(self, name, likelihood):
        """The loss of each of the first steps, on the same minibatches and noise for everyone."""
        case = TINY[likelihood]
        contender, rows = contenders.make(CONTENDERS[name], case), case.minibatches()
        losses = []
        for i, epsilon in enumerate(case.noise(STEPS)):
            contender.step(contender.array(rows[i % len(rows)]), contender.array(epsilon))
            losses.append(contender.loss())
        return losses

    def first(self, name, noise):
        """The loss of the first step: with noise drawn inside, or with these numbers for it."""
        case = TINY["bernoulli"]
        contender = contenders.make(CONTENDERS[name], case)
        given = [] if noise is None else [contender.array(np.full((8, 3), noise, "float32"))]
        contender.step(contender.array(case.minibatches()[0]), *given)
        return contender.loss()


@pytest.fixture(scope="module")
def remote():
    with Remote(Losses) as remote:
        yield remote


@pytest.fixture(params=NAMES)
def name(request):
    for why in contenders.missing({request.param: CONTENDERS[request.param]}).values():
        pytest.skip(f"{why}: {contenders.INSTALL}")
    return request.param


@pytest.mark.parametrize("likelihood", TINY)
def test_losses_of_twenty_steps_are_those_of_minivae(remote, name, likelihood):
    expected = remote.call("with_noise", "minivae-eager", likelihood)
    assert len(set(expected)) == STEPS
    np.testing.assert_allclose(remote.call("with_noise", name, likelihood), expected, rtol=TOLERANCE)


def test_noise_is_drawn_inside_a_step(remote, name):
    drawn, none = remote.call("first", name, None), remote.call("first", name, 0.0)
    assert abs(drawn - none) > 1e-3
    assert abs(drawn - none) < 1.0  # N(0, 1) moves this small model so far, and no farther


def test_the_floor_of_mnist_is_its_five_large_products():
    floor = contenders.make(CONTENDERS[FLOOR], CASES["mnist-100"])
    shapes = [(*a.shape, b.shape[1]) for a, b, _ in floor.products]
    into_hidden, out_of_hidden = (100, 784, 500), (100, 500, 784)
    assert shapes == [into_hidden, (784, 100, 500), out_of_hidden, (500, 100, 784), (100, 784, 500)]
    for _, _, out in floor.products:
        out[...] = np.nan
    floor.step(None)
    for a, b, out in floor.products:
        np.testing.assert_allclose(out, a @ b, rtol=1e-4, atol=1e-3)


def test_the_floor_of_two_heads_and_more_layers():
    floor = contenders.make(CONTENDERS[FLOOR], TINY["gaussian"])
    assert len(floor.products) == 2 + 3 + 3 + 2 * 3  # x to 7, 7 to 5, 5 to 7, 7 to mean and log-variance


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(contenders, "find_spec", lambda package: None if package == "jax" else object())
    assert contenders.missing(CONTENDERS) == {"jax": "jax is not installed"}
