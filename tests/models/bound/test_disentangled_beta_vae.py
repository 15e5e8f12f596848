"""Disentangled beta-VAE: its capacity, and its gradient on either side of it."""

import numpy as np
import pytest

from minivae.autodiff import backward

from ..members import Repeated, batch_for, member, shaken


def gradients(model, batch):
    (phase,) = model.phases(batch, Repeated()())
    return [g.numpy() for g in backward(phase.loss, phase.parameters)]


@pytest.mark.parametrize(("capacity", "beta"), [(0.0, 7.0), (1e3, -7.0)])
def test_the_gradient_is_that_of_a_beta_vae(rng, capacity, beta):
    """Of beta = gamma while the KL is above C; below C the KL is rewarded."""
    model = shaken(member("disentangled-beta-vae", gamma=7.0, capacity=capacity, capacity_steps=0.1, dtype="float64"))
    model.advance(1, 10)
    batch, twin = batch_for(model, rng), shaken(member("beta-vae", dtype="float64"))
    twin.beta = beta
    for ours, theirs in zip(gradients(model, batch), gradients(twin, batch), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-13)


def test_the_distance_is_that_of_the_mean_kl(rng):
    """Not the mean of the distances: half of the points may lie above, half below."""
    model, batch = shaken(member("disentangled-beta-vae", dtype="float64")), batch_for(member("vae"), rng)
    bound = model.bound(batch.x, Repeated()())
    each, middle = bound.kl.numpy(), float(bound.kl.numpy().mean())
    assert np.ptp(each) > 0.1
    model.now.data[...] = middle
    (phase,) = model.phases(batch, Repeated()())
    assert float(phase.loss) == pytest.approx(-float(phase.terms["reconstruction"]), rel=1e-12)


def test_the_capacity_rises_in_a_line_and_stays():
    model = member("disentangled-beta-vae", capacity=25.0, capacity_steps=100)
    found = []
    for step in (0, 1, 50, 100, 1000):
        model.advance(step, 2000)  # a number of steps, however long the run
        found.append(float(model.now))
    assert found == pytest.approx([0, 0.25, 12.5, 25, 25])


def test_by_default_it_is_there_after_half_of_the_run_however_long_that_is():
    model = member("disentangled-beta-vae")
    for total in (10, 9000):
        found = []
        for step in (0, total // 4, total // 2, total - 1):
            model.advance(step, total)
            found.append(float(model.now))
        assert found == pytest.approx([0, 25 * (total // 4) / (total / 2), 25, 25])
