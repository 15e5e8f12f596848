"""A flow for a prior, and the f-VAE: without it the VAE, its density by the whole Jacobian, samples through it."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import backward, jacobian, mean, tensor
from minivae.compiler import compile
from minivae.optim import Adam

from ...chance import assert_mean
from ..members import M, Repeated, batch_for, member, shaken

BOTH = pytest.mark.parametrize("name", ["flow-prior-vae", "f-vae"])


def made(name, **options):
    return shaken(member(name, dtype="float64", **options))


def vae_of(model):
    """The VAE with the same networks; of an f-VAE's one log-variance, a head that gives it for every x."""
    state = {key: value for key, value in model.state_dict().items() if not key.startswith("flow")}
    vae = member("vae", estimator="A", dtype="float64", latent_dim=model.latent_dim)
    if "encoder.log_var" in state:
        one = state.pop("encoder.log_var")
        own = vae.state_dict()
        state["encoder.log_var.weight"] = own["encoder.log_var.weight"] * 0
        state["encoder.log_var.bias"] = own["encoder.log_var.bias"] * 0 + one
    vae.load_state_dict(state)
    return vae


@BOTH
@pytest.mark.parametrize("steps", [0, 3])
@pytest.mark.parametrize("latent_dim", [1, 4, 5])
def test_where_the_flow_is_the_identity_it_is_the_vae(name, steps, latent_dim, rng):
    model = made(name, steps=steps, latent_dim=latent_dim)
    for key, p in model.named_parameters():
        if key.startswith("flow") and ("shift" in key or "log_scale" in key):
            p.data[...] = 0
    vae = vae_of(model)
    batch = batch_for(vae, rng)
    (found,), (expected,) = (m.phases(batch, Repeated()()) for m in (model, vae))
    for part, value in expected.terms.items():
        assert float(found.terms[part]) == pytest.approx(float(value), rel=1e-12)
    z = model.sample_prior(backend.generator(0), 4).numpy()
    e = backend.generator(0).standard_normal((4, latent_dim), "float64")
    np.testing.assert_array_equal(z, e[:, ::-1] if steps % 2 else e)  # each step turns the order


@BOTH
@pytest.mark.parametrize("latent_dim", [1, 2, 5])
def test_the_density_is_that_of_n_by_the_jacobian_and_samples_go_the_other_way(name, latent_dim, rng):
    model = made(name, latent_dim=latent_dim, steps=3)
    prior, e = model.prior(), rng.normal(size=(latent_dim,))
    z = prior.sample(e)
    matrix = jacobian(prior.transform)(tensor(e)).numpy().reshape(latent_dim, latent_dim)
    log_p = stats.norm.logpdf(e).sum() - np.linalg.slogdet(matrix)[1]
    np.testing.assert_allclose(prior.log_prob(z).numpy(), log_p, rtol=1e-10)
    assert np.abs(matrix - np.eye(latent_dim)).max() > 0.05
    # And numerically, of the inverse that the loss has: F(v), log |F'(v)|.
    inverse = lambda v: np.array([*_back(prior, v)])  # noqa: E731
    h = 1e-6
    columns = [(inverse(z.numpy() + h * a) - inverse(z.numpy() - h * a)) / (2 * h) for a in np.eye(latent_dim)]
    np.testing.assert_allclose(inverse(z.numpy()), e, atol=1e-10)
    log_det = np.linalg.slogdet(np.stack(columns, -1))[1]
    assert log_p == pytest.approx(stats.norm.logpdf(e).sum() + log_det, rel=1e-7)


def _back(prior, v):
    for step in reversed(prior.steps):
        v = step.inverse(v)[0]
    return v.numpy()


@BOTH
def test_the_bound_is_that_of_its_draws(name, rng):
    model = made(name, samples=3)
    x, epsilon = batch_for(model, rng).x, rng.normal(size=(3, M, 3))
    q = model.posterior(x)
    z = q.mean.numpy() + np.exp(np.broadcast_to(q.log_var.numpy(), (M, 3)) / 2) * epsilon
    log_q = stats.norm(q.mean.numpy(), np.exp(q.log_var.numpy() / 2)).logpdf(z).sum(-1)
    log_p = model.likelihood(z).log_prob(x).numpy() + model.prior().log_prob(z).numpy()
    np.testing.assert_allclose(model.bound(x, epsilon).value.numpy(), (log_p - log_q).mean(0), rtol=1e-10)


def test_one_variance_for_every_data_point_and_dimension(rng):
    model = made("f-vae")
    q = model.posterior(batch_for(model, rng).x)
    assert q.log_var.shape == (1,)
    (phase,) = model.phases(batch_for(model, rng), Repeated()())
    (slope,) = backward(phase.loss, [model.encoder.log_var])
    assert abs(float(slope)) > 1e-3


def test_samples_have_the_density_of_the_prior(rng):
    """E 1 / p(z) over a box that holds nearly all of z is the box's size times the share that fell in it."""
    model = made("flow-prior-vae", latent_dim=2, steps=2)
    z = model.sample_prior(backend.generator(0), 20_000)
    side = np.array([0.6, 0.6])
    centre = np.median(z.numpy(), 0)
    inside = (np.abs(z.numpy() - centre) < side / 2).all(-1)
    density = np.exp(model.prior().log_prob(z).numpy())
    assert inside.sum() > 500
    assert_mean(inside / density, side.prod())


def test_the_prior_learns_a_distribution_that_n_is_not(rng):
    """Two places with nothing between them: -E log p(z) falls to within 0.1 nats of the entropy, from 1.4 above it."""
    model = member("flow-prior-vae", latent_dim=2, steps=6, flow_hidden=(20,), dtype="float64", seed=1)
    which = rng.integers(0, 2, 400)
    points = np.where(which, 2.0, -2.0)[:, None] + 0.3 * rng.normal(size=(400, 2))
    entropy = np.log(2) + 1 + np.log(2 * np.pi) + 2 * np.log(0.3)
    parameters, z = model.flow.parameters(), tensor(points)
    optimizer = Adam(parameters, 0.01)

    def step():
        loss = -mean(model.prior().log_prob(z))
        optimizer.apply(backward(loss, parameters))
        return loss

    compiled = compile(step)
    losses = []
    for i in range(400):
        optimizer.advance(0.5 * (1 + np.cos(np.pi * i / 400)))
        losses.append(float(compiled()))
    assert losses[0] > entropy + 1.4
    assert losses[-1] < entropy + 0.1
    drawn = model.sample_prior(backend.generator(0), 2000).numpy()
    assert np.mean(np.abs(drawn.sum(-1)) > 2) > 0.9
