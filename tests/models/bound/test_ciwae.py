"""CIWAE: the bounds at both ends, and a straight line between them."""

import numpy as np
import pytest

from minivae.autodiff import backward
from minivae.errors import InputError

from ..members import Repeated, batch_for, member, shaken

K = 5


def phase_of(name, rng_batch, **options):
    model = shaken(member(name, dtype="float64", samples=K, **options))
    (phase,) = model.phases(rng_batch, Repeated()())
    return phase, [g.numpy() for g in backward(phase.loss, phase.parameters)]


def test_it_is_iwae_at_0_and_the_vae_at_1_and_lies_between(rng):
    batch = batch_for(member("ciwae"), rng)
    iwae, by_iwae = phase_of("iwae", batch)
    vae, by_vae = phase_of("vae", batch, estimator="A")
    assert float(vae.loss) > float(iwae.loss) + 0.01
    for beta in (0.0, 0.3, 1.0):
        found, gradients = phase_of("ciwae", batch, beta=beta)
        assert float(found.loss) == pytest.approx(beta * float(vae.loss) + (1 - beta) * float(iwae.loss), rel=1e-13)
        assert float(found.terms["bound"]) == -float(found.loss)
        for ours, a, b in zip(gradients, by_vae, by_iwae, strict=True):
            np.testing.assert_allclose(ours, beta * a + (1 - beta) * b, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("beta", [1.01, -0.1, np.nan])
def test_a_share_that_is_none_is_refused(beta):
    with pytest.raises(InputError, match=r"beta is .*; expected"):
        member("ciwae", beta=beta)
