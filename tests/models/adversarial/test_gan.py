"""GAN: two phases that train apart, no codes, and draws that cover the modes of the data."""

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.datasets import Dataset, Split
from minivae.distributions import Delta
from minivae.errors import InputError
from minivae.models import GAN, Batch
from minivae.regularizers import critic_loss, fooling_loss

from ..members import batch_for, member, shaken

ROWS = 7


@pytest.mark.parametrize("output", [True, False])
def test_both_phases_are_of_the_same_draws(output, rng):
    model = shaken(member("gan", sigmoid_output=output, dtype="float64"))
    x, z = batch_for(model, rng, ROWS).x, tensor(rng.normal(size=(ROWS, 3)))
    generator, critic = model.phases(Batch(x), z)
    made = model.generator(z).numpy()
    made = 1 / (1 + np.exp(-made)) if output else made
    np.testing.assert_allclose(model.decode(z).numpy(), made, rtol=1e-12)
    assert float(generator.loss) == pytest.approx(float(fooling_loss(model.critic(made))), rel=1e-12)
    assert float(critic.loss) == pytest.approx(float(critic_loss(model.critic(x), model.critic(made))), rel=1e-12)


def test_neither_phase_trains_or_reaches_the_network_of_the_other(rng):
    model = shaken(member("gan", dtype="float64"))
    generator, critic = model.phases(Batch(batch_for(model, rng, ROWS).x), tensor(rng.normal(size=(ROWS, 3))))
    assert [id(p) for p in generator.parameters] == [id(p) for p in model.generator.parameters()]
    assert [id(p) for p in critic.parameters] == [id(p) for p in model.critic.parameters()]
    assert not any(g.numpy().any() for g in backward(critic.loss, model.generator.parameters()))


def test_what_there_is_not_is_refused_in_a_line(rng):
    model = member("gan")
    x = rng.uniform(size=(4, 6))
    assert isinstance(model.likelihood(np.zeros((4, 3))), Delta)
    for call in (model.encode, model.reconstruct, model.posterior, lambda x: model.bound(x, backend.generator(0))):
        with pytest.raises(InputError, match="GAN has no encoder: no posterior, codes, reconstruction or bound"):
            call(x)
    with pytest.raises(InputError, match=r"GAN; expected one with log p.x.: a GAN has no encoder"):
        mv.inference.log_likelihood(model, x, backend.generator(0))


def test_data_outside_of_what_the_output_gives_are_refused(rng):
    data = Dataset("real", Split(rng.normal(size=(30, 6))), Split(rng.normal(size=(5, 6))), None, 1.0, "")
    with pytest.raises(InputError, match="real"):
        mv.fit(member("gan"), data, epochs=1, batch_size=10, progress=False)
    assert mv.fit(member("gan", sigmoid_output=False), data, epochs=1, batch_size=10, progress=False).rows


MODES, RADIUS, SPREAD = 8, 2.0, 0.05
ANGLES = 2 * np.pi * np.arange(MODES) / MODES
CENTRES = RADIUS * np.stack([np.cos(ANGLES), np.sin(ANGLES)], axis=1)


def ring(points, seed):
    rng = np.random.default_rng(seed)
    x = CENTRES[rng.integers(0, MODES, points)] + SPREAD * rng.normal(size=(points, 2))
    return Split(x.astype(np.float32))


def modes_of(x):
    """How many modes have a tenth of their share of the draws, or more, within 5 standard deviations."""
    distances = np.linalg.norm(x[:, None] - CENTRES, axis=-1)
    there = distances.argmin(1)[distances.min(1) < 5 * SPREAD]
    return (np.bincount(there, minlength=MODES) > 0.1 * len(x) / MODES).sum()


def test_modes_are_counted():
    assert modes_of(ring(1000, 0).images) == MODES
    assert modes_of(CENTRES[np.arange(1000) % 5]) == 5
    assert modes_of(np.zeros((1000, 2))) == 0


@pytest.mark.slow
def test_the_modes_of_a_ring_are_covered():
    found = []
    for seed in range(5):
        data = Dataset("ring", ring(5000, seed), ring(500, 99), None, 1.0, "drawn")
        model = GAN(2, 2, (128, 128), sigmoid_output=False, critic_hidden=(128, 128), seed=seed)
        adam = {"lr": 2e-4, "optimizer_options": {"betas": (0.5, 0.999)}}
        mv.fit(model, data, epochs=100, report_every=100, seed=seed, progress=False, **adam)
        found.append(modes_of(model.sample(backend.generator(0), 2000).numpy()))
    assert sorted(found)[1] >= 7, found
