"""BN-VAE: the floor under its KL at each step, in evaluation nearly the same, and a collapse that it prevents."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.datasets import load
from minivae.errors import InputError
from minivae.inference import active_units
from minivae.models import BNVAE, VAE, Batch
from minivae.nn import training_mode
from minivae.training import Settings, Trainer, fit

from ..members import M, Repeated, batch_for, member, shaken

D, GAMMA = 3, 0.6


def test_normalised_to_its_own_numbers_it_is_the_vae(rng):
    """gamma^2 the variance and beta the mean of a VAE's mu over the minibatch: z = mu + sigma eps, all as there."""
    model, vae = (shaken(member(name, dtype="float64")) for name in ("bn-vae", "vae"))
    batch, noise = batch_for(vae, rng), Repeated()
    mu = vae.posterior(batch.x).mean.numpy()
    own = {"norm.weight": np.sqrt(mu.var(0) + 1e-5), "norm.bias": mu.mean(0)}
    model.load_state_dict({**model.state_dict(), **vae.state_dict(), **own})
    with training_mode():
        (found,) = model.phases(batch, noise())
    (expected,) = vae.phases(batch, noise())
    for name, value in expected.terms.items():
        assert float(found.terms[name]) == pytest.approx(float(value), rel=1e-12)


def test_the_posterior_has_the_mean_beta_and_the_deviation_gamma(rng):
    model, vae = (shaken(member(name, dtype="float64", latent_dim=D)) for name in ("bn-vae", "vae"))
    model.norm.weight.data[...] = GAMMA
    x = batch_for(model, rng).x
    with training_mode():
        q = model.posterior(x)
    np.testing.assert_allclose(q.mean.numpy().mean(0), model.norm.bias.numpy(), rtol=1e-12)
    np.testing.assert_allclose(q.mean.numpy().std(0), GAMMA, rtol=1e-3)  # epsilon, beside small variances
    vae.load_state_dict({name: value for name, value in model.state_dict().items() if not name.startswith("norm")})
    np.testing.assert_array_equal(q.log_var.numpy(), vae.posterior(x).log_var.numpy())  # which is left as it is


def floor_of(model, variances):
    gamma, beta = model.norm.weight.numpy(), model.norm.bias.numpy()
    return 0.5 * (gamma**2 * variances / (variances + 1e-5) + beta**2).sum()


def test_at_each_step_the_kl_is_above_its_floor():
    """1/2 sum_j (gamma^2 + beta_j^2), as exactly as epsilon leaves it; without the KL the bound asks for 0."""
    digits = load("digits")
    model = BNVAE(64, D, (10,), gamma=GAMMA, dtype="float64", likelihood="gaussian", variance=5.0)
    trainer = Trainer(model, digits, Settings(epochs=4, lr=0.02))
    margins, betas = [], []
    for _ in range(trainer.total_steps):
        before = model.state_dict()
        rows = trainer.train.shuffled(100, 0, trainer.epoch).numpy()[trainer.step % trainer.steps_per_epoch]
        kl = float(trainer.train_step()["kl"])
        after, x = model.state_dict(), digits.train.images[rows] / digits.scale
        model.load_state_dict(before)
        floor = floor_of(model, model.encoder(x).mean.numpy().var(0))
        assert kl >= floor > 0.99 * D * GAMMA**2 / 2
        margins.append(kl / floor - 1)
        betas.append(np.abs(model.norm.bias.numpy()).max())
        model.load_state_dict(after)
    assert max(betas) > 0.01  # of which the floor depends, too
    # With a variance of x as large as that nothing pays for the KL, which is driven to what sigma = 1 leaves.
    assert margins[-1] < 0.01


def test_in_evaluation_the_floor_is_that_of_the_data():
    """Once the weights have come to rest, running means are those of all training points, and so is the KL."""
    digits = load("digits")
    model = BNVAE(64, D, (10,), gamma=GAMMA)
    fit(model, digits, epochs=20, lr=0.005, schedule="cosine", progress=False)
    x = digits.train.images / digits.scale
    mu = model.posterior(x).mean.numpy()
    np.testing.assert_allclose(mu.std(0), GAMMA, rtol=0.1)
    np.testing.assert_allclose(mu.mean(0), model.norm.bias.numpy(), atol=0.1 * GAMMA)
    (outside,) = model.phases(Batch(tensor(x.astype("float32"))), Repeated()())
    with training_mode():
        (inside,) = model.phases(Batch(tensor(x.astype("float32"))), Repeated()())
    assert float(outside.terms["kl"]) == pytest.approx(float(inside.terms["kl"]), rel=0.05)
    assert float(outside.terms["bound"]) == pytest.approx(float(inside.terms["bound"]), rel=0.02)


def test_where_the_vae_collapses_it_does_not():
    """p(x|z) of variance 1 on data whose largest eigenvalue is below it: the VAE's z says nothing at all."""
    digits = load("digits")
    options = {"likelihood": "gaussian", "variance": 1.0}
    vae, model = VAE(64, D, (50,), **options), BNVAE(64, D, (50,), **options)
    x = digits.test.images / digits.scale
    for trained in (vae, model):
        fit(trained, digits, epochs=15, lr=0.005, progress=False)
    counts = [active_units(m.encode(x)) for m in (vae, model)]
    assert counts == [0, D]
    errors = [((m.reconstruct(x).numpy() - x) ** 2).sum(-1).mean() for m in (vae, model)]
    assert errors[1] < 0.8 * errors[0]  # and what it says is about x


def test_one_point_is_a_minibatch_for_no_step():
    model = member("bn-vae")
    with pytest.raises(InputError, match="number of data points in a minibatch is 1; expected at least 2"):
        model.phases(Batch(tensor(np.zeros((1, 6)))), Repeated()())
    assert model.bound(np.zeros((1, 6)), Repeated()()).value.shape == (1,)  # of a trained model each point has one
    assert M > 2


@pytest.mark.parametrize("init", ["glorot", "paper"])
def test_what_is_taken_away_again_is_no_parameter(init):
    """The bias before the normalisation is 0, however weights begin, and nothing trains it."""
    model = member("bn-vae", init=init)
    assert not model.encoder.mean.bias.numpy().any()
    assert model.encoder.log_var.bias.numpy().any() == (init == "paper")
    assert not any(p is model.encoder.mean.bias for p in model.parameters())
