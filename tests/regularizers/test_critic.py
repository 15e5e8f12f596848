"""A critic that is trained finds the total correlation; apart from its parts' tests, for it takes seconds."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import backward, mean, standard_normal, tensor
from minivae.compiler import compile
from minivae.nn import MLP
from minivae.optim import Adam
from minivae.regularizers import critic_loss, density_ratio, permute_columns

RHO = 0.8
TC = -0.5 * np.log(1 - RHO**2)  # of two Gaussians with that correlation: 0.511 nats


def test_a_critic_finds_the_total_correlation_of_a_gaussian():
    """Within 15% of 0.511 nats; its loss is near that of the best critic, 0.560 nats by simulation."""
    root = np.linalg.cholesky([[1, RHO], [RHO, 1]])
    critic, source = MLP((2, 64, 64, 2), backend.generator(0), activation="leaky_relu", init="he"), backend.generator(1)
    optimizer = Adam(critic.parameters(), 3e-3)

    def draw(n):
        return standard_normal(source, (n, 2)) @ tensor(root.T, "float32")

    def step():
        loss = critic_loss(critic(draw(128)), critic(permute_columns(draw(128), source)))
        optimizer.apply(backward(loss, optimizer.parameters))

    compiled = compile(step)
    for i in range(800):
        optimizer.advance(0.5 * (1 + np.cos(np.pi * i / 800)))
        compiled()
    joint, product = critic(draw(20_000)), critic(draw(20_000) @ tensor(np.linalg.inv(root.T), "float32"))
    assert float(mean(density_ratio(joint))) == pytest.approx(TC, rel=0.15)
    assert float(critic_loss(joint, product)) == pytest.approx(0.560, rel=0.03)
    # At points of the plane, the logits' difference is the log ratio.
    z = np.array([[0.5, 0.5], [-1.0, -1.0], [1.0, 0.0]])
    precision = np.linalg.inv(root @ root.T) - np.eye(2)
    expected = TC - 0.5 * np.einsum("ni,ij,nj->n", z, precision, z)
    np.testing.assert_allclose(density_ratio(critic(tensor(z, "float32"))).numpy(), expected, atol=0.25)
