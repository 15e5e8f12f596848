"""Annealed importance sampling: unbiased in both directions, exact on bench P, a sandwich that closes."""

import numpy as np
import pytest
from scipy import special, stats

from minivae import backend
from minivae.autodiff import tensor
from minivae.errors import InputError
from minivae.inference import Annealing, hmc, sandwich
from minivae.inference.ais import schedule
from minivae.models import MODELS, VAE

from ..chance import CRITICAL_Z, assert_mean
from ..doubles.strict_device import strict
from .grid import log_marginal
from .test_importance import LATENT, NOISE, LinearGaussian, drawn


def annealing(model, x, seed=0, **options):
    return Annealing(model, tensor(x), backend.generator(seed), **{"temperatures": 20, "leapfrog_steps": 4, **options})


def exact_posterior(model, x, seed=0):
    q = model.posterior(x)  # of this model it is the posterior itself
    return q.sample(backend.generator(seed))


def test_the_schedule_rises_from_0_to_1_and_is_slow_at_both_ends():
    betas = schedule(100)
    assert len(betas) == 101
    assert (betas[0], betas[-1]) == (0.0, 1.0)
    steps = np.diff(betas)
    assert (steps > 0).all()
    np.testing.assert_allclose(steps, steps[::-1])
    assert steps[0] < steps[50] / 5
    np.testing.assert_array_equal(schedule(1), [0, 1])


def betas_of(temperatures):
    """Wu et al. 2017: a logistic curve from -4 to 4, scaled to go from 0 to 1."""
    curve = special.expit(np.linspace(-4, 4, temperatures + 1))
    return (curve - curve[0]) / (curve[-1] - curve[0])


def test_the_schedule_is_the_logistic_curve():
    np.testing.assert_allclose(schedule(9), betas_of(9), rtol=1e-12)


# ------------------------------------------------- step by step, where the moves are known


def log_p_of_x(model, x, z):
    """log p(x|z) by SciPy."""
    return stats.norm(z @ model.weight.numpy(), NOISE).logpdf(x).sum(-1)


def scripted(path, positions, acceptance=()):
    """``path`` with moves that go to ``positions`` in turn; what they were asked: z, beta and step size."""
    asked, places = [], iter(positions)

    def moves(z, beta, size):
        asked.append((z.numpy().copy(), beta.item(), size))
        at = next(places)
        told = tensor(acceptance[len(asked) - 1]) if len(acceptance) else None
        return tensor(at), tensor(log_p_of_x(path.model, path.x.numpy(), at)), told

    path._moves = moves
    return asked


def assert_moves(asked, path, starts, times):
    """Each move began where the last one ended, at its own temperature, with the step size tuned for it."""
    assert [size for *_, size in asked] == [path.sizes[t] for t in times]
    np.testing.assert_allclose([beta for _, beta, _ in asked], betas_of(len(path.betas) - 1)[times], rtol=1e-12)
    np.testing.assert_array_equal([z for z, *_ in asked], starts)


def test_forwards_the_weights_are_those_of_the_formula(rng):
    """log w = sum_t (beta_t - beta_{t-1}) log p(x|z_{t-1}), from a z_0 of the prior."""
    model, chains, temperatures = LinearGaussian(), 6, 4
    path = annealing(model, x := drawn(model, 3), temperatures=temperatures)
    visited = rng.normal(size=(temperatures, chains, 3, LATENT))
    path._prior_draws = lambda count: tensor(visited[0][:count])
    asked = scripted(path, visited[1:])
    found = path.lower(chains)
    log_w = np.tensordot(np.diff(betas_of(temperatures)), log_p_of_x(model, x, visited), 1)
    np.testing.assert_allclose(found.value.numpy(), special.logsumexp(log_w, axis=0) - np.log(chains), rtol=1e-12)
    assert_moves(asked, path, visited[:-1], [1, 2, 3])


def test_backwards_the_weights_are_those_of_the_formula(rng):
    """The same sum over z_T to z_1, all chains from the z that was given; then -log of the mean of 1/w."""
    model, chains, temperatures = LinearGaussian(), 6, 4
    path = annealing(model, x := drawn(model, 3), temperatures=temperatures)
    visited = rng.normal(size=(temperatures, chains, 3, LATENT))
    visited[0] = visited[0, 0]
    asked = scripted(path, visited[1:])
    found = path.upper(tensor(visited[0, 0]), chains)
    log_w = np.tensordot(np.diff(betas_of(temperatures))[::-1], log_p_of_x(model, x, visited), 1)
    np.testing.assert_allclose(found.value.numpy(), np.log(chains) - special.logsumexp(-log_w, axis=0), rtol=1e-12)
    assert_moves(asked, path, visited[:-1], [3, 2, 1])


def test_step_sizes_follow_the_acceptance_of_four_chains(rng):
    """From 0.3 on, times exp((acceptance - 0.9) / 2) after each move, for each data point by itself."""
    model = LinearGaussian()
    path = annealing(model, drawn(model, 3), temperatures=5)
    acceptance = rng.uniform(size=(4, 3))
    asked = scripted(path, rng.normal(size=(4, 4, 3, LATENT)), acceptance)
    path.sizes = path._tuned()
    expected = 0.3 * np.exp(np.cumsum([np.zeros(3), *(acceptance - 0.9) / 2], axis=0))
    np.testing.assert_allclose([size.numpy()[:, 0] for size in path.sizes], expected, rtol=1e-12)
    assert [z.shape for z, *_ in asked] == [(4, 3, LATENT)] * 4
    np.testing.assert_allclose([beta for _, beta, _ in asked], betas_of(5)[1:-1], rtol=1e-12)
    # Each move was made with the size that the moves before it gave.
    np.testing.assert_allclose([size.numpy()[:, 0] for *_, size in asked], expected[:-1], rtol=1e-12)


@pytest.mark.parametrize("beta", [0.0, 0.3, 1.0])
def test_a_move_is_one_on_the_density_in_between(beta, rng):
    """p(z) p(x|z)^beta is a Gaussian: hmc.step on it draws the same numbers."""
    model = LinearGaussian()
    path, z = annealing(model, x := drawn(model, 3), temperatures=1), tensor(rng.normal(size=(6, 3, LATENT)))
    precision = np.eye(LATENT) + beta * model.weight.numpy() @ model.weight.numpy().T / NOISE**2
    mean = np.linalg.solve(precision, beta * model.weight.numpy() @ x.T / NOISE**2).T

    def density(z):
        return -0.5 * ((z - mean) @ tensor(precision) * (z - mean)).sum(axis=-1)

    state = path.generator.state
    found = path._move(z, tensor(np.float64(beta)), tensor(np.full((3, 1), 0.4)))
    path.generator.state = state
    after, info = hmc.step(hmc.init(z, density), density, path.generator, 0.4, path.leapfrog_steps)
    expected = after.position.numpy(), log_p_of_x(model, x, after.position.numpy()), info.acceptance.numpy().mean(0)
    for part, value in zip(found, expected, strict=True):
        np.testing.assert_allclose(part.numpy(), value, rtol=1e-9)


# ----------------------------------------------------------------------------- as a whole


def test_one_temperature_is_importance_sampling_from_the_prior(rng):
    """log w = log p(x|z), z from the prior: no move is made."""
    model = LinearGaussian()
    x = drawn(model, 3)
    path = annealing(model, x, temperatures=1)
    state = path.generator.state
    value = path.lower(50).value.numpy()
    path.generator.state = state
    z = path._prior_draws(50)
    log_w = model.likelihood(z).log_prob(tensor(x)).numpy()
    np.testing.assert_allclose(value, np.log(np.exp(log_w).mean(0)), rtol=1e-10)


def test_the_weights_have_mean_p_of_x():
    """E[w] = p(x) forwards, with few temperatures and so great variance; E[1/w] = 1/p(x) backwards."""
    model = LinearGaussian()
    x = np.repeat(drawn(model, 1), 4000, 0)
    exact = model.exact.logpdf(x[0])
    path = annealing(model, x, temperatures=6)
    assert_mean(np.exp(path.lower(1).value.numpy() - exact), 1.0)
    assert_mean(np.exp(exact - path.upper(exact_posterior(model, x), 1).value.numpy()), 1.0)


def test_forwards_lies_below_and_backwards_above():
    model = LinearGaussian()
    x = np.repeat(drawn(model, 1), 2000, 0)
    exact = model.exact.logpdf(x[0])
    path = annealing(model, x, temperatures=6)
    lower, upper = path.lower(2), path.upper(exact_posterior(model, x), 2)
    assert [(found.side, found.samples) for found in (lower, upper)] == [("below", 2), ("above", 2)]
    lower, upper = lower.value.numpy(), upper.value.numpy()
    for side in (exact - lower, upper - exact):
        assert side.mean() > 5 * side.std() / np.sqrt(2000)


def test_it_is_exact_on_bench_p_within_its_standard_error():
    """Measured with 3 seeds in both directions: bias up to 0.013, sd 0.1 nats, 1.06 to 1.22 times the standard errors.

    Of 200 points the mean error then has an sd of 0.007 nats, the mean z one of 0.085, its sd one of 0.06.
    """
    model = LinearGaussian()
    x = drawn(model, 200)
    path = annealing(model, x, temperatures=100)
    for found in (path.lower(), path.upper(exact_posterior(model, x))):
        error = found.value.numpy() - model.exact.logpdf(x)
        assert abs(error.mean()) < 0.03
        z = error / found.stderr.numpy()
        assert abs(z.mean()) < 0.4
        assert 0.8 < z.std() < 1.5
        assert (found.effective_samples.numpy() > 5).all()


def test_more_temperatures_bring_it_nearer():
    model = LinearGaussian()
    x = drawn(model, 100)
    errors = [
        np.abs(annealing(model, x, temperatures=t).lower(4).value.numpy() - model.exact.logpdf(x)).mean()
        for t in (3, 10, 60)
    ]
    # Measured with three seeds: 0.64 to 0.84, 0.34 to 0.43, 0.16 to 0.19 nats.
    assert errors[0] > 1.4 * errors[1] > 2 * errors[2]


def test_the_sandwich_closes_on_data_of_a_vae():
    model = VAE(20, 3, (10,), dtype="float64", seed=2)
    found = sandwich(model, backend.generator(0), 50, temperatures=100, leapfrog_steps=5, chains=8)
    assert [side.samples for side in found] == [8, 8]
    gap = found.upper.value.numpy() - found.lower.value.numpy()
    # Measured with 3 seeds: -0.007 to 0.010, sd of a gap 0.05 to 0.06, so of the mean 0.008; none is below 0 in theory.
    assert -CRITICAL_Z * gap.std() / np.sqrt(50) < gap.mean() < 0.05


def test_with_a_context_the_prior_has_a_row_for_each_point():
    model = MODELS["cvae"](6, 2, (4,), context_dim=3, learned_prior=True)
    found = sandwich(model, backend.generator(0), 4, temperatures=3, chains=10, context=np.eye(3)[[0, 1, 2, 0]])
    for side in found:
        assert (side.value.shape, side.told, side.value.requires_grad) == ((4,), True, False)
        assert np.isfinite(side.value.numpy()).all()


def test_it_is_near_the_exact_value_of_a_vae(rng):
    """Measured with 3 seeds: bias up to 0.006, sd 0.020 to 0.026 nats, so that of the bias 0.005."""
    model = VAE(20, 2, (10,), dtype="float64", seed=2)
    x = (rng.uniform(size=(30, 20)) < 0.5).astype(float)
    error = annealing(model, x, temperatures=100).lower().value.numpy() - log_marginal(model, x)
    assert abs(error.mean()) < 0.025
    assert error.std() < 0.05


def test_step_sizes_are_tuned_before_and_then_kept():
    """So that the estimate has no bias: a run that counts changes none of them."""
    model = LinearGaussian()
    path = annealing(model, drawn(model, 5), temperatures=100)
    sizes = [size.numpy().copy() for size in path.sizes]
    assert sizes[0].shape == (5, 1)
    assert len({float(size[0, 0]) for size in sizes}) > 50
    path.lower(3)
    for size, before in zip(path.sizes, sizes, strict=True):
        np.testing.assert_array_equal(size.numpy(), before)


def test_moves_that_diverge_are_refused_without_a_warning():
    """Then all z stay where they began, and the weights are those of importance sampling."""
    model = LinearGaussian()
    path, z = annealing(model, x := drawn(model, 3), temperatures=6), exact_posterior(model, drawn(model, 3))
    path.sizes = [size * 1e200 for size in path.sizes]
    expected = log_p_of_x(model, x, z.numpy())
    np.testing.assert_allclose(path.upper(z, 2).value.numpy(), expected, rtol=1e-12)


def test_on_the_device_a_run_makes_no_host_wait():
    model = VAE(6, 2, (8,), backend="strict")
    x = tensor(np.full((3, 6), 0.5, np.float32), backend="strict")
    path = Annealing(model, x, backend.generator(0, "strict"), temperatures=4, leapfrog_steps=2)
    path.lower(4)
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        found = path.lower(4)
    assert np.isfinite(found.value.numpy()).all()


def test_a_sandwich_of_no_chains_is_refused_before_anything_is_drawn():
    generator = backend.generator(0)
    before = generator.state
    with pytest.raises(InputError, match="chains is 0"):
        sandwich(LinearGaussian(), generator, 3, chains=0)
    assert generator.state == before
