"""beta-VAE: beta = 1 is the VAE, and how many dimensions stay active."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.compiler import compile
from minivae.models import MODELS, Batch
from minivae.optim import Adam

from ..bench import sigma_points
from ..members import Repeated, batch_for, member, shaken


def test_beta_1_is_the_vae(rng):
    batch, noise = batch_for(member("vae"), rng), Repeated()
    ours, vae = (shaken(member(name, dtype="float64", **options)) for name, options in KINDS)
    (found,), (expected,) = (model.phases(batch, noise()) for model in (ours, vae))
    assert float(found.loss) == pytest.approx(float(expected.loss), rel=1e-14)
    for a, b in zip(*(backward(o.loss, o.parameters) for o in (found, expected)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-10, atol=1e-14)


KINDS = [("beta-vae", {"beta": 1.0}), ("vae", {})]


def test_beta_weights_the_kl_alone(rng):
    model, noise = shaken(member("beta-vae", beta=7.0, dtype="float64")), Repeated()
    (phase,) = model.phases(batch_for(model, rng), noise())
    terms = {name: float(value) for name, value in phase.terms.items()}
    assert float(phase.loss) == pytest.approx(7 * terms["kl"] - terms["reconstruction"], rel=1e-12)
    assert terms["bound"] == pytest.approx(terms["reconstruction"] - terms["kl"], rel=1e-12)


@pytest.mark.parametrize(("beta", "active"), [(1.0, 4), (2.0, 3), (6.0, 2), (30.0, 1)])
def test_a_linear_decoder_keeps_the_dimensions_above_beta_times_the_variance(beta, active):
    """Of data whose covariance has the eigenvalues 8, 3, 1 and 0.4, with a decoder of variance 0.2."""
    eigenvalues, variance = np.array([8.0, 3.0, 1.0, 0.4]), 0.2
    assert (eigenvalues > beta * variance).sum() == active
    # Data with exactly this covariance: D and R depend on nothing else.
    x = np.sqrt(4 * eigenvalues) * np.concatenate([np.eye(4), -np.eye(4)]) / np.sqrt(2) * np.sqrt(2)
    options = {"likelihood": "gaussian", "variance": variance, "dtype": "float64"}
    model = MODELS["beta-vae"](4, 4, (), beta=beta, **options)
    noise, batch = tensor(sigma_points(len(x), 4)), Batch(tensor(x))
    parameters = model.parameters()
    optimizer = Adam(parameters, 0.02)

    def step():
        (phase,) = model.phases(batch, noise)
        optimizer.apply(backward(phase.loss, parameters))

    compiled = compile(step)
    for _ in range(1500):
        optimizer.advance()
        compiled()
    q = model.posterior(x)
    kl = 0.5 * (q.mean.numpy() ** 2 + np.exp(q.log_var.numpy()) - 1 - q.log_var.numpy()).mean(axis=0)
    assert (kl > 0.05).sum() == active
    # Each has 1/2 log(eigenvalue / (beta variance)). The sum does not depend on how they are turned; what training
    # left over was 0.03 at beta = 1 and 2, less than 1e-4 at 6 and 30.
    exact = 0.5 * np.log(np.maximum(eigenvalues / (beta * variance), 1)).sum()
    assert kl.sum() == pytest.approx(exact, abs=0.05)
