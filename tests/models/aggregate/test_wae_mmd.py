"""WAE: points for codes, a cost, and no log p(x)."""

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.distributions import Delta
from minivae.models import Batch
from minivae.regularizers import KERNELS, mmd

from ..members import M, batch_for, member, shaken


def test_codes_are_points_and_the_objective_is_the_cost(rng):
    model = shaken(member("wae-mmd", mmd_weight=3.0, dtype="float64"))
    x, _ = batch_for(model, rng)
    drawn = tensor(rng.normal(size=(M, 3)))
    (phase,) = model.phases(Batch(x), drawn)
    terms = {name: float(value) for name, value in phase.terms.items()}
    assert isinstance(model.posterior(x), Delta)
    z = model.encode(x)
    assert terms["mmd"] == pytest.approx(float(mmd(z, drawn, KERNELS["imq"])), rel=1e-10)
    assert terms["reconstruction"] == pytest.approx(model.likelihood(z).log_prob(x).numpy().mean(), rel=1e-12)
    assert float(phase.loss) == pytest.approx(3 * terms["mmd"] - terms["reconstruction"], rel=1e-10)
    assert terms["objective"] == -float(phase.loss)
    assert "bound" not in terms


def test_moving_the_codes_away_from_the_prior_costs(rng):
    model = shaken(member("wae-mmd", dtype="float64"))
    x, _ = batch_for(model, rng)
    drawn, found = tensor(rng.normal(size=(M, 3))), []
    for shift in (0.0, 2.0, 5.0):
        model.encoder.layers[-1].bias.data[...] = shift
        found.append(float(model.phases(Batch(x), drawn)[0].terms["mmd"]))
    assert found == sorted(found)
    assert np.ptp(found) > 0.1


def test_it_draws_no_z():
    assert member("wae-mmd").draws == 0
