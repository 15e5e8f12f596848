"""SWAE: what the distance is of, fresh lines in each step, no log p(x)."""

import numpy as np
import pytest

from minivae import backend
from minivae.distributions import Delta
from minivae.errors import InputError
from minivae.models import Batch
from minivae.regularizers import sliced_wasserstein

from ..members import batch_for, member, shaken

M, P = 7, 5


def made(**options):
    return shaken(member("swae", dtype="float64", projections=P, **options))


def test_codes_are_points_and_the_objective_is_the_cost(rng):
    model = made(sw_weight=3.0)
    x, _ = batch_for(model, rng, M)
    drawn, normal = rng.normal(size=(M, 3)), rng.normal(size=(P, 3))
    (phase,) = model.phases(Batch(x), {"prior": drawn, "directions": normal})
    terms = {name: float(value) for name, value in phase.terms.items()}
    assert isinstance(model.posterior(x), Delta)
    z, lines = model.encode(x), normal / np.linalg.norm(normal, axis=1, keepdims=True)
    assert terms["sw"] == pytest.approx(float(sliced_wasserstein(z, drawn, lines)), rel=1e-12)
    assert terms["reconstruction"] == pytest.approx(model.likelihood(z).log_prob(x).numpy().mean(), rel=1e-12)
    assert float(phase.loss) == pytest.approx(3 * terms["sw"] - terms["reconstruction"], rel=1e-12)
    assert "bound" not in terms


def test_codes_that_are_draws_of_the_prior_are_at_no_distance(rng):
    model = made()
    x, _ = batch_for(model, rng, M)
    drawn = rng.permutation(model.encode(x).numpy())
    (phase,) = model.phases(Batch(x), {"prior": drawn, "directions": rng.normal(size=(P, 3))})
    assert float(phase.terms["sw"]) == pytest.approx(0, abs=1e-25)


def test_each_step_has_lines_of_its_own(rng):
    model = made()
    x, _ = batch_for(model, rng, M)
    generator, drawn = backend.generator(0), rng.normal(size=(M, 3))
    found = {float(model.phases(Batch(x), {"prior": drawn, "directions": generator})[0].terms["sw"]) for _ in range(3)}
    assert len(found) == 3


def test_it_bounds_nothing(rng):
    model = made()
    assert model.draws == 0
    assert model.no_log_likelihood
    with pytest.raises(InputError, match="SWAE has no bound by draws"):
        model.bound(batch_for(model, rng).x, backend.generator(0))
