"""Mistakes that known implementations of the model made, each shown not to stand here."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.models import Batch
from minivae.models.vae import LOG_VAR_FLOOR

from ..chance import assert_mean, assert_moments
from .kinds import DATA_DIM, EVERY_KIND, LATENT_DIM, M, data, noise, small_vae


def log_likelihoods(model, z, x):
    """log p(x_i|z) of each pixel, by SciPy."""
    p = model.likelihood(z)
    if model.config["likelihood"] == "gaussian":
        return stats.norm.logpdf(x, p.mean.numpy(), np.exp(p.log_var.numpy() / 2))
    y = p.mean.numpy()
    return x * np.log(y) + (1 - x) * np.log(1 - y)


# -------------------------------------------------------------- sums and means


@EVERY_KIND
def test_sum_over_pixels_and_latents_mean_over_samples_and_batch(kind, rng):
    """Eq. 10 with its sums as loops. The mean over pixels would be a beta-VAE with beta = data_dim."""
    model, x, epsilon = small_vae(kind, dtype="float64"), data(rng), noise(rng, 2)
    q, bounds = model.posterior(x), []
    for i in range(M):
        mu, var = q.mean.numpy()[i], np.exp(q.log_var.numpy()[i])
        kl = sum(-0.5 * (1 + np.log(var[j]) - mu[j] ** 2 - var[j]) for j in range(LATENT_DIM))
        z = [mu + np.sqrt(var) * epsilon[sample, i] for sample in range(2)]
        reconstruction = np.mean([sum(log_likelihoods(model, z_, x[i])) for z_ in z])
        bounds.append(reconstruction - kl)
    np.testing.assert_allclose(model.bound(x, epsilon).value.numpy(), bounds, rtol=1e-10)
    (phase,) = model.phases(Batch(tensor(x)), epsilon)
    np.testing.assert_allclose(phase.loss.item(), -np.mean(bounds), rtol=1e-10)


@EVERY_KIND
def test_parts_are_unweighted_and_add_up_to_the_loss(kind, rng):
    (phase,) = small_vae(kind, dtype="float64").phases(Batch(tensor(data(rng))), noise(rng))
    terms = {name: part.item() for name, part in phase.terms.items()}
    assert list(terms) == ["bound", "reconstruction", "kl"]
    assert terms["bound"] == pytest.approx(terms["reconstruction"] - terms["kl"], rel=1e-12)
    assert phase.loss.item() == -terms["bound"]


@EVERY_KIND
def test_a_minibatch_twice_has_the_same_loss_and_gradient(kind, rng):
    model, x, epsilon = small_vae(kind, dtype="float64"), data(rng), noise(rng)
    once, twice = (model.phases(Batch(tensor(np.tile(x, (n, 1)))), np.tile(epsilon, (1, n, 1)))[0] for n in (1, 2))
    assert once.loss.item() == pytest.approx(twice.loss.item(), rel=1e-12)
    gradients = zip(backward(once.loss, once.parameters), backward(twice.loss, twice.parameters), strict=True)
    for a, b in gradients:
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-14)


def test_every_pixel_twice_has_twice_the_reconstruction_and_the_same_kl(rng):
    """What a mean over pixels cannot have."""
    x, epsilon, model = data(rng), noise(rng), small_vae(dtype="float64")
    wide = type(model)(**model.config | {"data_dim": 2 * DATA_DIM}, dtype="float64")
    state = model.state_dict()
    first, last = "encoder.hidden.layers.0.weight", "decoder.logits.layers.2"
    state[first] = np.tile(state[first], (2, 1)) / 2
    state |= {name: np.tile(state[name], 2) for name in (f"{last}.weight", f"{last}.bias")}
    wide.load_state_dict(state)
    narrow_bound, wide_bound = model.bound(x, epsilon), wide.bound(np.tile(x, 2), epsilon)
    np.testing.assert_allclose(wide_bound.reconstruction.numpy(), 2 * narrow_bound.reconstruction.numpy(), rtol=1e-12)
    np.testing.assert_allclose(wide_bound.kl.numpy(), narrow_bound.kl.numpy(), rtol=1e-12)


# --------------------------------------------------------- variance or deviation


def constant_posterior(log_var):
    """A model whose posterior is N(0, exp(log_var)) whatever x is."""
    model = small_vae("unbounded", hidden=(), dtype="float64")
    for p in (*model.encoder.mean.parameters(), *model.encoder.log_var.parameters()):
        p.data[...] = 0
    model.encoder.log_var.bias.data[...] = log_var
    return model


@pytest.mark.parametrize("variance", [0.25, 4.0])
def test_log_var_is_the_logarithm_of_the_variance_everywhere(variance, rng):
    """Drawn as a standard deviation and penalised as a variance, it would be two different things."""
    model, x = constant_posterior(np.log(variance)), data(rng)
    q = model.posterior(x)
    z = q.sample(backend.generator(1), 20_000).numpy()
    assert_moments(z, 0.0, variance)
    density = stats.norm(0, np.sqrt(variance))
    np.testing.assert_allclose(q.log_prob(z[0]).numpy(), density.logpdf(z[0]).sum(-1), rtol=1e-12)
    kl = 0.5 * (variance - 1 - np.log(variance)) * LATENT_DIM
    np.testing.assert_allclose(model.bound(x, noise(rng)).kl.numpy(), kl, rtol=1e-12)


def test_the_decoders_log_var_is_the_logarithm_of_the_variance(rng):
    model, x = small_vae("unbounded", dtype="float64"), data(rng)
    z = noise(rng)[0]
    mean, log_var = model.likelihood(z).mean.numpy(), model.likelihood(z).log_var.numpy()
    drawn = model.likelihood(z).sample(backend.generator(1), 20_000).numpy()
    assert_moments(drawn, mean, np.exp(log_var))
    expected = log_likelihoods(model, z, x).sum(-1)
    np.testing.assert_allclose(model.likelihood(z).log_prob(x).numpy(), expected, rtol=1e-12)


# -------------------------------------------------------------------- saturation


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log_likelihoods_do_not_saturate(dtype):
    """Through clipped probabilities a logit of -90 would give 0 or -inf for a 1, and -1e-7 for a 0."""
    model = small_vae(dtype=dtype)
    last = model.decoder.logits.layers[-1]
    last.weight.data[...], last.bias.data[...] = 0, -90.0
    x = np.array([[0.0] * DATA_DIM, [1.0] * DATA_DIM])
    log_p = model.likelihood(np.zeros((2, LATENT_DIM))).log_prob(x).numpy()
    assert -1e-30 < log_p[0] <= 0
    assert log_p[1] == pytest.approx(-90 * DATA_DIM, rel=1e-6)


@EVERY_KIND
@pytest.mark.parametrize("estimator", ["A", "B"])
@pytest.mark.parametrize("log_var", [-30.0, 30.0])
@pytest.mark.parametrize("output", [-1e4, 1e4])
def test_extreme_outputs_of_the_networks_in_float32(kind, estimator, log_var, output, rng):
    """Log-variances of both networks, and logits or means: the loss is as in float64, the gradients are finite."""
    x, epsilon, losses = data(rng), noise(rng), []
    for dtype in ("float64", "float32"):
        model = small_vae(kind, estimator=estimator, dtype=dtype)
        heads = [(model.encoder.log_var, log_var)]
        if kind == "bernoulli":
            heads += [(model.decoder.logits.layers[-1], output)]
        else:
            heads += [(model.decoder.log_var, log_var), (model.decoder.mean, output)]
        for head, value in heads:
            head.weight.data[...], head.bias.data[...] = 0, value
        (phase,) = model.phases(Batch(tensor(x, dtype)), tensor(epsilon, dtype))
        losses.append(phase.loss.item())
        assert all(np.isfinite(g.numpy()).all() for g in backward(phase.loss, phase.parameters))
    # For A, z - mu has lost its digits beside a mu of 1 where sigma is 3e-7.
    assert losses[1] == pytest.approx(losses[0], rel=1e-5, abs=5.0 if estimator == "A" else 1e-5)


# ------------------------------------------------------------- bounded by log p(x)


def linear_model(estimator, rng):
    """x = W z + b + s * noise, W with orthogonal rows, and its exact posterior as the encoder; log p(x) beside it."""
    model = small_vae("unbounded", hidden=(), estimator=estimator, dtype="float64")
    rows = np.linalg.qr(rng.standard_normal((DATA_DIM, LATENT_DIM)))[0].T * np.array([[2.0], [0.5]])
    b, s2 = rng.standard_normal(DATA_DIM), 0.3
    raw = LOG_VAR_FLOOR + np.log(np.expm1(np.log(s2) - LOG_VAR_FLOOR))  # what the floor makes log s^2 of
    variance = 1 / (1 + (rows**2).sum(axis=1) / s2)
    values = {
        "decoder.mean": (rows, b),
        "decoder.log_var": (0, raw),
        "encoder.mean": (rows.T * variance / s2, -(rows @ b) * variance / s2),
        "encoder.log_var": (0, np.log(variance)),
    }
    state = model.state_dict()
    for name, (weight, bias) in values.items():
        state[f"{name}.weight"][...], state[f"{name}.bias"][...] = weight, bias
    model.load_state_dict(state)
    return model, stats.multivariate_normal(b, rows.T @ rows + s2 * np.eye(DATA_DIM))


def test_with_the_exact_posterior_estimator_a_is_log_p_whatever_the_noise(rng):
    model, p = linear_model("A", rng)
    x = p.rvs(M, random_state=rng)
    np.testing.assert_allclose(model.bound(x, noise(rng)).value.numpy(), p.logpdf(x), rtol=1e-10)


@pytest.mark.parametrize("estimator", ["A", "B"])
def test_with_another_posterior_the_bound_lies_below_by_its_kl(estimator, rng):
    model, p = linear_model(estimator, rng)
    x, shift, draws = p.rvs(1, random_state=rng), 0.7, 20_000
    variance = np.exp(model.posterior(x).log_var.numpy())
    model.encoder.mean.bias.data[...] += shift
    values = model.bound(np.tile(x, (draws, 1)), noise(rng, m=draws)).value.numpy()
    expected = p.logpdf(x) - 0.5 * (shift**2 / variance).sum()  # KL of two Gaussians of one variance
    assert_mean(values, expected)
    assert expected < p.logpdf(x) - 1
