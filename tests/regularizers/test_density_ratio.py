"""A critic's losses and its ratio of densities; what the best critic of known densities says."""

import numpy as np
import pytest
from scipy import stats

from minivae import backend
from minivae.autodiff import backward, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients
from minivae.models.adversarial.critic import Critic
from minivae.optim import Adam
from minivae.regularizers import critic_loss, density_ratio, fooling_loss


def test_the_loss_of_a_critic_that_knows_nothing_is_log_2():
    assert float(critic_loss(tensor(np.ones((3, 2))), tensor(np.zeros((4, 2))))) == pytest.approx(np.log(2))


def test_the_loss_is_half_of_each_cross_entropy(rng):
    joint, product = rng.normal(size=(2, 5, 2)) * 3
    first = np.exp(joint[:, 0]) / np.exp(joint).sum(-1)
    second = np.exp(product[:, 1]) / np.exp(product).sum(-1)
    expected = -0.5 * np.log(first).mean() - 0.5 * np.log(second).mean()
    assert float(critic_loss(tensor(joint), tensor(product))) == pytest.approx(expected, rel=1e-12)


def test_the_ratio_is_the_difference_of_the_logits_and_both_have_gradients(rng):
    logits = rng.normal(size=(4, 2))
    np.testing.assert_allclose(density_ratio(logits).numpy(), logits[:, 0] - logits[:, 1], rtol=1e-15)
    check_gradients(density_ratio, [logits])
    check_gradients(critic_loss, [logits, rng.normal(size=(5, 2))], order=2)
    check_gradients(fooling_loss, [logits], order=2)


def test_fooling_costs_minus_the_log_of_what_the_critic_gives_the_first_kind(rng):
    logits = rng.normal(size=(5, 2)) * 3
    first = np.exp(logits[:, 0]) / np.exp(logits).sum(-1)
    assert float(fooling_loss(tensor(logits))) == pytest.approx(-np.log(first).mean(), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_critic_that_is_sure_gives_finite_losses_and_a_gradient_to_whom_it_catches(dtype):
    """-log D has the gradient -1 by the logit where D is 0; log (1 - D) would have none."""
    far = tensor(np.array([[-5000.0, 5000.0]]), dtype)
    far.requires_grad = True
    assert float(fooling_loss(far)) == pytest.approx(10_000)
    (gradient,) = backward(fooling_loss(far), [far])
    np.testing.assert_allclose(gradient.numpy(), [[-1.0, 1.0]])
    assert float(critic_loss(far, tensor(-far.numpy()))) == pytest.approx(10_000)


def test_no_draws_have_no_mean():
    for first, second, name in ((0, 2, "first"), (2, 0, "second")):
        with pytest.raises(InputError, match=rf"{name} has shape \(0, 2\); expected at least 1 row"):
            critic_loss(tensor(np.ones((first, 2))), tensor(np.ones((second, 2))))


def test_a_trained_critic_knows_the_densities():
    """Of p = N(0, 1) and q = N(1.5, 0.7^2): D = p / (p + q) within .03 where draws of either come."""
    source, rng = backend.generator(0), np.random.default_rng(0)
    critic = Critic(1, (32, 32), source, lr=5e-3)
    optimizer = Adam(critic.parameters(), 5e-3)
    steps = 600
    for step in range(steps):
        p, q = rng.normal(size=(500, 1)), 1.5 + 0.7 * rng.normal(size=(500, 1))
        phase = critic.phase(tensor(p, "float32"), tensor(q, "float32"))
        optimizer.step(backward(phase.loss, phase.parameters), 1 - step / steps)
    x = np.linspace(-2, 2.5, 41)
    p, q = stats.norm.pdf(x), stats.norm.pdf(x, 1.5, 0.7)
    found = 1 / (1 + np.exp(-critic.ratio(tensor(x[:, None], "float32")).numpy()))
    np.testing.assert_allclose(found, p / (p + q), atol=0.03)
