"""What a model changes from step to step: trained as without compile, or refused with the line of code."""

import numpy as np
import pytest

from minivae import fit
from minivae.autodiff import exp
from minivae.errors import InputError
from minivae.models.bound.beta_vae import BetaVAE

SETTINGS = {"epochs": 3, "lr": 0.005, "batch_size": 50, "progress": False}
OUTSIDE = {"beta": 0.0}


class Annealed(BetaVAE):
    """A weight that is an attribute."""

    def advance(self, step, total_steps):
        self.beta = 20.0 * step / total_steps


class AnnealedOutside(BetaVAE):
    """A weight of which no module knows."""

    def advance(self, step, total_steps):
        OUTSIDE["beta"] = 20.0 * step / total_steps

    def phases(self, batch, noise):
        (phase,) = super().phases(batch, noise)
        return [phase._replace(loss=phase.loss + phase.terms["kl"] * OUTSIDE["beta"])]


class NumbersOfNumPy(BetaVAE):
    """A weight that NumPy computes from a parameter."""

    def phases(self, batch, noise):
        (phase,) = super().phases(batch, noise)
        scale = float(np.square(self.parameters()[0].data).mean())
        return [phase._replace(loss=phase.loss + exp(phase.terms["kl"] * 0.0) * scale)]


def trained(kind, digits, **settings):
    model = kind(digits.data_dim, latent_dim=4, hidden=(16,), beta=0.0)
    history = fit(model, digits, **SETTINGS, **settings)
    return model.state_dict(), [{**row, "seconds": 0} for row in history.rows]


def test_an_attribute_that_changes_at_every_step_is_seen(digits):
    (found, rows), (expected, others) = (trained(Annealed, digits, compile=compile) for compile in (True, False))
    assert rows == others
    assert rows[-1]["test_kl"] < rows[0]["test_kl"]
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("kind", [AnnealedOutside, NumbersOfNumPy])
def test_what_nobody_can_see_ends_the_run_at_the_first_report(kind, digits):
    with pytest.raises(InputError, match=r"test_baked\.py:\d+: return .*0-d tensor.*compile=False") as raised:
        trained(kind, digits)
    assert "multiply with" in str(raised.value) or "add with" in str(raised.value)
    trained(kind, digits, compile=False)
