"""InfoVAE: alpha = 0, lambda = 1 is the VAE; what the MMD is of; weights that are refused."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.errors import InputError
from minivae.models import Batch
from minivae.regularizers import mmd

from ..members import M, Repeated, batch_for, member, shaken


def test_alpha_0_and_lambda_1_is_the_vae(rng):
    model = shaken(member("info-vae", alpha=0.0, lambd=1.0, dtype="float64"))
    vae = shaken(member("vae", dtype="float64"))
    batch = batch_for(vae, rng)
    (found,), (expected,) = (m.phases(batch, Repeated()()) for m in (model, vae))
    assert float(found.loss) == pytest.approx(float(expected.loss), rel=1e-12)
    for a, b in zip(*(backward(o.loss, o.parameters) for o in (found, expected)), strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-9, atol=1e-14)


def test_the_mmd_is_between_the_codes_that_were_drawn_and_the_prior(rng):
    model = shaken(member("info-vae", dtype="float64"))
    x, _ = batch_for(model, rng)
    epsilon, drawn = tensor(rng.normal(size=(1, M, 3))), tensor(rng.normal(size=(M, 3)))
    (phase,) = model.phases(Batch(x), {"z": epsilon, "prior": drawn})
    terms = {name: float(value) for name, value in phase.terms.items()}
    z = model.posterior(x).sample(epsilon)[0]
    assert terms["mmd"] == pytest.approx(float(mmd(z, drawn)), rel=1e-10)
    expected = 0.7 * terms["kl"] + 4.3 * terms["mmd"] - terms["reconstruction"]
    assert float(phase.loss) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("alpha", "lambd"), [(1.5, 10.0), (0.0, 0.5), (-2.0, 1.0), (float("nan"), 1.0)])
def test_weights_below_zero_are_refused(alpha, lambd):
    with pytest.raises(InputError, match="alpha is"):
        member("info-vae", alpha=alpha, lambd=lambd)
