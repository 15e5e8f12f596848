"""The variational Renyi bound: what it is at 0, at 1 and far out, that it falls with alpha, its value on bench P."""

import numpy as np
import pytest

from minivae.autodiff import backward, mean, tensor
from minivae.bounds import importance_weighted, renyi, sgvb_a
from minivae.errors import InputError

from ...linear_gaussian import LinearGaussian
from ..bench import on_bench
from ..members import M, Repeated, batch_for, member, shaken

K = 5
ORDERS = (-1e30, -30.0, -2.0, -1e-9, 0.0, 0.5, 0.999, 1.0, 1.001, 3.0, 40.0, 1e30)


def weights_of(rng, samples=K, points=3):
    return [tensor(rng.normal(size=(samples, points)) * 3) for _ in range(3)]


def values(terms, alpha):
    return renyi(*terms, alpha).value.numpy()


def test_0_is_iwae_1_the_vae_and_a_large_number_one_weight(rng):
    terms = weights_of(rng)
    log_w = terms[0].numpy() + terms[1].numpy() - terms[2].numpy()
    np.testing.assert_allclose(values(terms, 0.0), importance_weighted(*terms).value.numpy(), rtol=1e-13)
    np.testing.assert_array_equal(values(terms, 1), sgvb_a(*terms).value.numpy())
    np.testing.assert_array_equal(values(terms, -1e30), log_w.max(0))
    np.testing.assert_array_equal(values(terms, 1e30), log_w.min(0))
    np.testing.assert_allclose(values(terms, -1.5), np.log(np.mean(np.exp(log_w) ** 2.5, axis=0)) / 2.5, rtol=1e-12)


def test_it_falls_as_alpha_rises_and_one_sample_knows_no_alpha(rng):
    terms = weights_of(rng)
    found = np.stack([values(terms, alpha) for alpha in ORDERS])
    assert (np.diff(found, axis=0) <= 1e-12).all()
    assert (found[0] - found[-1] > 1).all()
    one = weights_of(rng, samples=1)
    for alpha in ORDERS:
        np.testing.assert_allclose(values(one, alpha), values(one, 1.0), rtol=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_near_1_no_digits_are_lost(dtype, rng):
    """mean + (1 - alpha) / 2 variance: where 1 - alpha is 1e-6 a logarithm of a sum would keep one digit of float32."""
    terms = [tensor(t.numpy().astype(dtype)) for t in weights_of(rng)]
    log_w = sum(sign * t.numpy().astype(float) for sign, t in zip((1, 1, -1), terms, strict=True))
    for power in (1e-6, -1e-6, 1e-12):
        expected = log_w.mean(0) + power / 2 * log_w.var(0)
        np.testing.assert_allclose(values(terms, 1 - power), expected, rtol={"float32": 2e-6, "float64": 1e-9}[dtype])


def test_far_weights_do_not_overflow():
    log_w = tensor(np.array([[1000.0, -1000.0], [-1000.0, -2000.0]]))
    zero = log_w * 0.0
    for alpha in (-3.0, 0.5):
        found = renyi(log_w, zero, zero, alpha).value.numpy()
        np.testing.assert_allclose(found, np.array([1000, -1000]) - np.log(2) / (1 - alpha), rtol=1e-12)
    np.testing.assert_allclose(renyi(log_w, zero, zero, 3.0).value.numpy(), np.array([-1000, -2000]) + np.log(2) / 2)


def test_an_order_that_float32_cannot_take_is_refused_and_the_largest_is_finite(rng):
    for alpha in (1.1e30, -np.inf, np.nan):
        with pytest.raises(InputError, match=r"alpha is .*; expected a number from -1e\+30 to 1e\+30"):
            member("renyi", alpha=alpha)
    model = shaken(member("renyi", alpha=-1e30, samples=K))
    (phase,) = model.phases(batch_for(model, rng), Repeated()())
    assert all(np.isfinite(g.numpy()).all() for g in backward(phase.loss, phase.parameters))


@pytest.mark.parametrize("alpha", [-2.0, 0.5, 3.0])
def test_the_gradient_weights_each_sample_by_its_share_of_powers(alpha, rng):
    model = shaken(member("renyi", alpha=alpha, samples=K, dtype="float64"))
    batch, noise = batch_for(model, rng), Repeated()
    (phase,) = model.phases(batch, noise())
    found = backward(phase.loss, model.parameters())
    z, log_q = model.posterior(batch.x).sample_with_log_prob(noise(), K)
    log_w = model.likelihood(z).log_prob(batch.x) + model.prior().log_prob(z) - log_q
    powers = np.exp((1 - alpha) * log_w.numpy())
    expected = backward(log_w, model.parameters(), -powers / powers.sum(0) / M)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-9, atol=1e-13)


def test_below_0_it_is_no_bound_and_iwaes_is_told(rng):
    models = {a: shaken(member("renyi", alpha=a, samples=K, dtype="float64")) for a in (-1e30, -1.0, 0.0, 0.7)}
    batch, noise = batch_for(models[0.0], rng), Repeated()
    phases = {alpha: model.phases(batch, noise())[0] for alpha, model in models.items()}
    iwae = float(shaken(member("iwae", samples=K, dtype="float64")).phases(batch, noise())[0].terms["bound"])
    for alpha, phase in phases.items():
        bound, objective = (float(phase.terms[name]) for name in ("bound", "objective"))
        assert float(phase.loss) == -objective
        if alpha <= 0:
            assert bound == pytest.approx(iwae, rel=1e-13)
        else:
            assert bound == objective < iwae
        assert (objective > iwae + 0.01) == (alpha < 0)


@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.5, 1.0, 2.0])
def test_the_exact_posterior_has_log_p_of_x_at_any_order_and_another_one_its_divergence(alpha, rng):
    """log p(x) - D_alpha(q || p(z|x)), of Gaussians in closed form (Gil, Alajaji & Linder 2013)."""
    bench = LinearGaussian(rng, data=3, latent=1, orthogonal=True)
    x = bench.data(rng, 2)
    model = on_bench("renyi", bench, alpha=alpha)
    q = bench.posterior(x)
    variance = np.exp(q.log_var.numpy())[0, 0]
    for shift, ratio in ((0.0, 1.0), (0.3, 0.8)):
        for parameter in model.encoder.parameters():
            parameter.data[...] = 0
        mean_of_x = np.linalg.solve(bench.precision, bench.weight.T / bench.sigma**2)
        model.encoder.mean.weight.data[...] = mean_of_x.T
        model.encoder.mean.bias.data[...] = shift * np.sqrt(variance)
        model.encoder.log_var.bias.data[...] = np.log(ratio * variance)
        estimate = [renyi_bound(model, x, alpha, seed) for seed in range(20)]
        mixed = (1 - alpha) * ratio + alpha  # alpha v_p + (1 - alpha) v_q, over v_p
        if alpha == 1:
            divergence = 0.5 * (ratio - 1 - np.log(ratio) + shift**2)
        else:
            divergence = 0.5 * alpha * shift**2 / mixed
            divergence += 0.5 / (1 - alpha) * np.log(mixed / ratio ** (1 - alpha))
        expected = bench.log_marginal(x) - divergence
        error = np.std(estimate, axis=0, ddof=1) / np.sqrt(20)
        assert (error < 3e-3).all()
        np.testing.assert_allclose(np.mean(estimate, axis=0), expected, atol=1e-11 if ratio == 1 else 0.01)


def renyi_bound(model, x, alpha, seed, samples=20_000):
    noise = np.random.default_rng(seed).normal(size=(samples, len(x), 1))
    z, log_q = model.posterior(x).sample_with_log_prob(tensor(noise))
    value = renyi(model.likelihood(z).log_prob(x), model.prior().log_prob(z), log_q, alpha).value
    assert np.isfinite(float(mean(value)))
    return value.numpy()
