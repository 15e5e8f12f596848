"""iVAE: its prior, and what it is when u never changes. (What it identifies is in ``examples``.)"""

import numpy as np
import pytest

from minivae.datasets.domain import REAL
from minivae.distributions import kl

from ..members import CLASSES, M, Repeated, batch_for, member, shaken


def test_the_prior_has_no_mean_and_variances_that_u_tells(rng):
    prior = shaken(member("ivae")).prior(np.eye(CLASSES))
    assert not prior.mean.numpy().any()
    assert np.ptp(prior.log_var.numpy(), axis=0).min() > 0.01


def test_a_u_that_never_changes_leaves_the_vae_with_one_learnt_variance(rng):
    """The KL is to N(0, s^2) with the same s for all, the rest is the VAE's."""
    model = shaken(member("ivae", dtype="float64"))
    vae = member("vae", likelihood="gaussian", variance=model.config["variance"], dtype="float64")
    x, _ = batch_for(vae, rng)
    u = np.tile(np.eye(CLASSES)[2], (M, 1))
    state = {name: value for name, value in model.state_dict().items() if "prior" not in name}
    weight = state["encoder.hidden.layers.0.weight"]
    state["encoder.hidden.layers.0.bias"] = state["encoder.hidden.layers.0.bias"] + weight[6 + 2]
    state["encoder.hidden.layers.0.weight"] = weight[:6]
    vae.load_state_dict(state)
    found, plain = model.bound(x, Repeated()(), u), vae.bound(x, Repeated()())
    np.testing.assert_allclose(found.reconstruction.numpy(), plain.reconstruction.numpy(), rtol=1e-12)
    learnt = model.prior(u[:1])
    np.testing.assert_allclose(found.kl.numpy(), kl(vae.posterior(x), learnt).numpy(), rtol=1e-12)


def test_the_likelihood_is_a_gaussian_of_fixed_variance():
    model = member("ivae")
    assert np.exp(float(model.likelihood(np.zeros((1, 3))).log_var)) == pytest.approx(0.01)
    assert model.domain is REAL
    with pytest.raises(TypeError):
        type(model)(6, 3, (5,), context_dim=3, likelihood="bernoulli")
