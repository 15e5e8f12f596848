"""Inverse autoregressive flow: its density by Jacobians, its inverse, and what it is without steps."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import grad, jacobian, sum, tensor
from minivae.distributions import Flow, Normal
from minivae.gradcheck import check_gradients
from minivae.nn import MADE

EVENT, FEATURES, M = 4, 3, 2


def random_flow(rng, steps=2, dtype="float64", m=M):
    """A flow over vectors, with steps that are far from the identity."""
    generator = backend.generator(3)
    made = [MADE(EVENT, (7,), generator, outputs=2, context_dim=FEATURES, dtype=dtype, init="he") for _ in range(steps)]
    base = Normal(tensor(rng.normal(size=(m, EVENT)), dtype), tensor(rng.normal(size=(m, EVENT)), dtype))
    return Flow(base, made, tensor(rng.normal(size=(m, FEATURES)), dtype))


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_the_density_is_that_of_the_base_over_the_jacobian(steps, rng):
    """log q(z_T) = log N(epsilon; 0, I) - log |d z_T / d epsilon|, by the whole Jacobian."""
    flow, epsilon = random_flow(rng, steps, m=1), rng.normal(size=(1, EVENT))
    matrix = jacobian(flow.transform)(tensor(epsilon)).numpy().reshape(EVENT, EVENT)
    expected = -0.5 * (epsilon**2 + np.log(2 * np.pi)).sum() - np.linalg.slogdet(matrix)[1]
    z, log_q = flow.sample_with_log_prob(epsilon)
    assert log_q.numpy()[0] == pytest.approx(expected, abs=1e-10)
    assert flow.log_prob(z).numpy()[0] == pytest.approx(expected, abs=1e-10)


def test_a_step_is_triangular(rng):
    """Before the elements are reversed, element i of z_1 depends on elements up to i of z_0."""
    flow = random_flow(rng, 1, m=1)
    matrix = jacobian(lambda e: flow.transform(e)[..., ::-1])(tensor(rng.normal(size=(1, EVENT)))).numpy()
    matrix = matrix.reshape(EVENT, EVENT)
    assert not np.triu(matrix, 1).any()
    assert (np.diag(matrix) > 0).all()
    assert np.tril(matrix, -1).any()


def test_the_inverse_finds_the_density_of_any_point(rng):
    flow = random_flow(rng)
    z, log_q = flow.sample_with_log_prob(backend.generator(1), 5)
    assert z.shape == (5, M, EVENT)
    np.testing.assert_allclose(flow.log_prob(z).numpy(), log_q.numpy(), rtol=1e-9)
    np.testing.assert_allclose(sum(flow.elements(rng.normal(size=(5, M, EVENT)))[1], -1).shape, (5, M))


def test_the_density_integrates_to_one(rng):
    """Importance sampling of 1 from a wider Gaussian."""
    flow = random_flow(rng, m=1)
    draws = flow.sample(backend.generator(2), 5_000).numpy()[:, 0]
    wide = Normal(tensor(draws.mean(0)), tensor(np.log(4 * draws.var(0))))
    x = wide.sample(backend.generator(4), 30_000)
    ratio = np.exp((flow.log_prob(x[:, None])[:, 0] - wide.log_prob(x)).numpy())
    assert ratio.mean() == pytest.approx(1, abs=4 * ratio.std() / np.sqrt(len(ratio)))
    assert ratio.std() < 20


def test_without_steps_it_is_the_base(rng):
    flow = random_flow(rng, 0)
    noise = rng.normal(size=(5, M, EVENT))
    z, log_q = flow.sample_with_log_prob(noise)
    np.testing.assert_array_equal(z.numpy(), flow.base.sample(noise).numpy())
    np.testing.assert_allclose(log_q.numpy(), flow.base.log_prob(z).numpy(), rtol=1e-12)


def test_gates_that_are_open_change_nothing(rng):
    """s' large: two steps, so that the elements are in their order again."""
    flow = random_flow(rng, 0)
    open_gate = lambda z, h: (z * 3 + 1, z * 0.0 + 60.0)  # noqa: E731
    noise = rng.normal(size=(5, M, EVENT))
    gated = Flow(flow.base, [open_gate, open_gate], flow.h)
    np.testing.assert_allclose(gated.transform(noise).numpy(), flow.base.sample(noise).numpy(), rtol=1e-12)
    np.testing.assert_allclose(gated.elements(noise)[1].numpy(), flow.elements(noise)[1].numpy(), rtol=1e-12)


def test_the_features_of_x_count(rng):
    flow, noise = random_flow(rng), rng.normal(size=(M, EVENT))
    other = Flow(flow.base, flow.steps, flow.h + 1.0)
    assert np.abs(flow.transform(noise).numpy() - other.transform(noise).numpy()).max() > 0.01


def test_gradients_by_base_and_features(rng):
    flow, noise = random_flow(rng), rng.normal(size=(3, M, EVENT))

    def f(mean, log_var, h):
        z, log_q = Flow(Normal(mean, log_var), flow.steps, h).sample_with_log_prob(noise)
        return sum(z, -1) + log_q

    check_gradients(f, [flow.base.mean.numpy(), flow.base.log_var.numpy(), flow.h.numpy()], tolerance=1e-6)
    assert grad(lambda x: sum(flow.log_prob(x)))(tensor(rng.normal(size=(M, EVENT)))).shape == (M, EVENT)
