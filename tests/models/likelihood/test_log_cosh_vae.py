"""The log-cosh VAE: its loss by its formula, the limits of it, and what it is a density of."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.errors import InputError
from minivae.inference import log_likelihood
from minivae.models import VAE, Batch

from ..members import Repeated, batch_for, member, shaken


def made(**options):
    return shaken(member("log-cosh-vae", dtype="float64", **options))


def test_the_loss_is_the_papers_and_a_constant(rng):
    model, noise = made(sharpness=3.0, beta=0.4, samples=2), Repeated()
    batches = [batch_for(model, rng) for _ in range(2)]
    found = [model.phases(batch, noise())[0] for batch in batches]
    differences = []
    for batch in batches:
        z = model.posterior(batch.x).sample(noise(), 2)
        t = 3.0 * (model.likelihood(z).mean.numpy() - batch.x.numpy())
        differences.append((np.log(np.cosh(t)) / 3.0).sum(-1).mean())
    kl = [float(phase.terms["kl"]) * 0.4 for phase in found]
    expected = differences[0] + kl[0] - differences[1] - kl[1]
    assert float(found[0].loss) - float(found[1].loss) == pytest.approx(expected, rel=1e-10)


def test_the_gradient_by_what_is_decoded_is_tanh(rng):
    model, (x, _) = made(), batch_for(member("log-cosh-vae"), rng)
    z = rng.normal(size=(4, 3))
    bias = model.decoder.loc.bias
    (gradient,) = backward(-model.likelihood(z).log_prob(x).sum(), [bias])
    error = model.likelihood(z).mean.numpy() - x.numpy()
    np.testing.assert_allclose(gradient.numpy(), np.tanh(10 * error).sum(0), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(
    ("sharpness", "likelihood", "options"), [(1e-4, "gaussian", {"variance": 1e4}), (1e7, "laplace", {})]
)
def test_its_limits_are_the_square_and_the_size(sharpness, likelihood, options, rng):
    """With a -> 0 it is the VAE of a Gaussian with variance 1 / a, with a -> infinity that of a Laplace of scale 1."""
    ours = made(sharpness=sharpness)
    other = VAE(6, 3, (5,), likelihood=likelihood, log_var_floor=-50.0, dtype="float64", **options)
    state = {name.replace("loc", "mean") if options else name: v for name, v in ours.state_dict().items()}
    flat = {name: np.zeros(p.shape) for name, p in other.named_parameters() if "decoder.log_scale" in name}
    other.load_state_dict({**state, **flat})
    batch, noise = batch_for(ours, rng), Repeated()
    (found,), (expected,) = (m.phases(batch, noise()) for m in (ours, other))
    assert float(found.loss) == pytest.approx(float(expected.loss), abs=1e-3)  # (the integral: a / 4 for each x_i)
    for name in ("encoder.mean.weight", "decoder.hidden.layers.0.weight"):
        a, b = (
            backward(phase.loss, [dict(m.named_parameters())[name]])[0].numpy()
            for m, phase in ((ours, m_phase(ours, batch, noise)), (other, m_phase(other, batch, noise)))
        )
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-9)


def m_phase(model, batch, noise):
    return model.phases(batch, noise())[0]


def test_errors_of_any_size_leave_everything_finite():
    model = shaken(member("log-cosh-vae"))
    x = tensor(np.full((4, 6), 1e3, "float32") * np.array([1, -1, 1, -1, 1, -1], "float32"))
    (phase,) = model.phases(Batch(x), backend.generator(0))
    assert np.isfinite(float(phase.loss))
    assert all(np.isfinite(g.numpy()).all() for g in backward(phase.loss, phase.parameters))


def test_log_p_of_x_is_a_densitys(rng):
    """Of one x_i and one z: by importance samples it is the integral over z, which a grid gives as well."""
    model = made(data_dim=1, latent_dim=1, sharpness=4.0)
    x = np.array([[0.3], [-1.2]])
    z, step = np.linspace(-12, 12, 4001, retstep=True)
    mean = model.likelihood(z[:, None]).mean.numpy()[:, 0]
    wide = np.linspace(-400, 400, 160_001)
    integral = (np.cosh(np.clip(4 * wide, -700, 700)) ** (-1 / 4)).sum() * (wide[1] - wide[0])
    p = np.cosh(4 * (x - mean)) ** (-1 / 4) / integral
    expected = np.log((p * np.exp(-0.5 * z**2)).sum(-1) * step / np.sqrt(2 * np.pi))
    found = log_likelihood(model, x, backend.generator(0), 40_000).value.numpy()
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize("sharpness", [0.0, -1.0, np.nan, np.inf, "10"])
def test_a_sharpness_that_is_none_is_refused(sharpness):
    with pytest.raises(InputError, match=r"sharpness is .*; expected a finite number above 0"):
        member("log-cosh-vae", sharpness=sharpness)
