"""The sigma-VAE: its variance is the best one, its gradient that of a trained one there, and a bound that is one."""

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.datasets import Dataset, Split
from minivae.models import VAE, Batch

from ..members import DATA_DIM, Repeated, batch_for, member, shaken


def made(**options):
    return shaken(member("sigma-vae", dtype="float64", **options))


def gaussian(model, log_var):
    """The VAE with the same networks and a variance for all that is trained, at this value."""
    vae = VAE(DATA_DIM, 3, (5,), likelihood="gaussian", variance_of="all", log_var_floor=-200.0, dtype="float64")
    networks = {name: p.numpy() for name, p in model.named_parameters()}
    vae.load_state_dict({**networks, "decoder.log_var": np.array([log_var])})
    return vae


def errors_of(model, batch, noise):
    z = model.posterior(batch.x).sample(noise(), model.samples)
    return float(((batch.x.numpy() - model.decoder(z).mean.numpy()) ** 2).mean())


def test_the_loss_is_the_least_that_any_variance_for_all_has(rng):
    model, noise = made(samples=2), Repeated()
    batch = batch_for(model, rng)
    best = np.log(errors_of(model, batch, noise))
    loss = float(model.phases(batch, noise())[0].loss)

    def at(log_var):
        vae = gaussian(model, log_var)
        return float(-vae.bound_and_draws(batch.x, noise(), samples=2)[0].terms()["bound"])

    assert loss == pytest.approx(at(best), rel=1e-12)
    assert min(at(best - 0.01), at(best + 0.01)) > loss + 1e-5
    kl = float(model.phases(batch, noise())[0].terms["kl"])
    assert loss - kl == pytest.approx(DATA_DIM / 2 * (np.log(2 * np.pi * np.exp(best)) + 1), rel=1e-12)


def test_its_gradient_is_that_with_a_trained_variance_at_its_best(rng):
    """Where that variance has no gradient itself."""
    model, noise = made(), Repeated()
    batch = batch_for(model, rng)
    vae = gaussian(model, np.log(errors_of(model, batch, noise)))
    (ours,), (theirs,) = (m.phases(batch, noise()) for m in (model, vae))
    names = dict(vae.named_parameters())
    found = dict(model.named_parameters())
    for name, g in zip(found, backward(ours.loss, list(found.values())), strict=True):
        (expected,) = backward(theirs.loss, [names[name]], retain_graph=True)
        np.testing.assert_allclose(g.numpy(), expected.numpy(), rtol=1e-9, atol=1e-13)
    (of_variance,) = backward(theirs.loss, [names["decoder.log_var"]])
    assert abs(of_variance.numpy().item()) < 1e-12


def test_the_bound_is_that_of_the_variance_known_before(rng):
    """Not of one that the data whose bound it is have told: until training it is 1, then a running mean."""
    model, noise = made(decay=0.9), Repeated()
    first, second = (batch_for(model, rng) for _ in range(2))
    assert float(model.log_variance()) == 0.0
    seen = []
    for batch in (first, second):
        (phase,) = model.phases(batch, noise())
        expected = gaussian(model, float(model.log_variance())).phases(batch, noise())[0].terms["bound"]
        assert float(phase.terms["bound"]) == pytest.approx(float(expected), rel=1e-12)
        assert float(phase.terms["objective"]) > float(phase.terms["bound"])
        for target, value in phase.assignments:
            target.data[...] = value.data
        seen.append(errors_of(model, batch, noise))
        mean = np.average(seen, weights=0.9 ** np.arange(len(seen))[::-1])
        assert float(model.log_variance()) == pytest.approx(np.log(mean), rel=1e-12)


def test_the_variance_has_the_floor_of_other_densities():
    model = made(log_var_floor=-3.0)
    model.decoder.mean.weight.data[...] = 0
    x = np.broadcast_to(model.decoder.mean.bias.numpy(), (4, DATA_DIM)) + 1e-4
    (phase,) = model.phases(Batch(tensor(x)), backend.generator(0))
    expected = DATA_DIM / 2 * (np.log(2 * np.pi) - 3 + 1e-8 / np.exp(-3.0)) + float(phase.terms["kl"])
    assert float(phase.loss) == pytest.approx(expected, rel=1e-12)
    (g,) = backward(phase.loss, [model.decoder.mean.bias])  # as of any Gaussian with that variance
    np.testing.assert_allclose(g.numpy(), -1e-4 / np.exp(-3.0), rtol=1e-9)


def test_training_comes_to_the_variance_of_the_noise(rng):
    """Of data with two directions and noise of variance 0.04; a trained variance comes to the same."""
    z = rng.normal(size=(600, 2))
    x = (z @ rng.normal(size=(2, 8)) + 0.2 * rng.normal(size=(600, 8))).astype("float32")
    data = Dataset("x", Split(x[:500]), Split(x[500:]), None, 1.0, "")
    options = {"epochs": 200, "batch_size": 50, "lr": 0.02, "schedule": "cosine", "progress": False}
    ours, trained = mv.models.SigmaVAE(8, 2, ()), VAE(8, 2, (), likelihood="gaussian", variance_of="all")
    found = {}
    for model in (ours, trained):
        history = mv.fit(model, data, **options)
        found[model] = float(np.exp(model.likelihood(np.zeros((1, 2))).log_var.numpy()).item())
        assert found[model] == pytest.approx(0.04, rel=0.25), history.rows[-1]
    assert found[ours] == pytest.approx(found[trained], rel=0.1)
