"""The critic's phase, whose gradient reaches nothing that its samples come from."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, backward
from minivae.models.adversarial.critic import Critic


@pytest.fixture
def samples(rng):
    """Of each kind five, that something could learn."""
    return [Parameter(rng.normal(size=(5, 3))) for _ in range(2)]


def made():
    return Critic(3, (4,), backend.generator(0), lr=1e-3, dtype="float64")


def test_the_phase_that_trains_it_holds_what_it_is_shown(samples):
    critic = made()
    phase = critic.phase(*samples)
    assert phase.parameters == critic.parameters()
    reached = backward(phase.loss, [*samples, *critic.parameters()])
    assert not any(g.numpy().any() for g in reached[:2])
    assert all(g.numpy().any() for g in reached[2:])


def test_to_fool_it_is_to_move_the_samples(samples):
    (reached,) = backward(made().fooled(samples[0]), samples[:1])
    assert np.abs(reached.numpy()).min() > 0
