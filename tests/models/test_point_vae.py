"""What models have in common whose z is a point E(x)."""

import numpy as np
import pytest

from minivae.distributions import Delta
from minivae.models import MODELS
from minivae.models.point_vae import PointVAE

from .members import batch_for, member, shaken

POINTS = [name for name, kind in MODELS.items() if issubclass(kind, PointVAE)]


@pytest.mark.parametrize("name", POINTS)
def test_a_code_is_what_the_encoder_gives_and_nothing_is_drawn(name, rng):
    model = shaken(member(name, dtype="float64"))
    x = batch_for(model, rng).x
    q = model.posterior(x)
    assert (type(q), model.draws, model.samples) == (Delta, 0, 1)
    np.testing.assert_array_equal(model.encode(x).numpy(), model.encoder(x).numpy())


def test_there_are_such():
    assert {"wae-mmd", "swae", "aae"} <= {*POINTS}
