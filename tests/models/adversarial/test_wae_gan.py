"""WAE-GAN: codes against draws of the prior, by a critic whose phase trains nothing else."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.distributions import Delta
from minivae.models import Batch
from minivae.regularizers import critic_loss, fooling_loss
from minivae.training import Settings, Trainer

from ...training.conftest import digits  # noqa: F401 (a fixture)
from ..members import batch_for, member, shaken

ROWS = 7


@pytest.fixture
def model():
    return shaken(member("wae-gan", critic_weight=3.0, dtype="float64"))


def test_the_objective_is_the_cost_and_what_the_critic_says_of_the_codes(model, rng):
    x, _ = batch_for(model, rng, ROWS)
    drawn = rng.normal(size=(ROWS, 3))
    first, second = model.phases(Batch(x), drawn)
    terms = {name: float(value) for name, value in first.terms.items()}
    z = model.encode(x)
    assert isinstance(model.posterior(x), Delta)
    assert terms["adversarial"] == pytest.approx(float(fooling_loss(model.critic(z))), rel=1e-12)
    assert terms["reconstruction"] == pytest.approx(model.likelihood(z).log_prob(x).numpy().mean(), rel=1e-12)
    assert float(first.loss) == pytest.approx(3 * terms["adversarial"] - terms["reconstruction"], rel=1e-12)
    assert terms["objective"] == -float(first.loss)
    # The critic is to call draws of the prior 0 and codes 1.
    assert float(second.loss) == pytest.approx(float(critic_loss(model.critic(drawn), model.critic(z))), rel=1e-12)


def test_neither_phase_reaches_the_networks_of_the_other(model, rng):
    first, second = model.phases(*batch_and_draws(model, rng))
    encoder, decoder, critic = (part.parameters() for part in (model.encoder, model.decoder, model.critic))
    assert [id(p) for p in first.parameters] == [id(p) for p in encoder + decoder]
    assert [id(p) for p in second.parameters] == [id(p) for p in critic]
    assert not any(g.numpy().any() for g in backward(second.loss, encoder + decoder))


def batch_and_draws(model, rng):
    return Batch(batch_for(model, rng, ROWS).x), tensor(rng.normal(size=(ROWS, 3)))


def test_with_a_critic_of_no_weight_it_is_the_wae_without_a_discrepancy(rng):
    models = [shaken(member(name, dtype="float64", **{w: 0.0})) for name, w in MEMBERS]
    own = {name: value for name, value in models[0].state_dict().items() if "critic" not in name}
    models[1].load_state_dict(own)
    batch, drawn = batch_and_draws(models[0], rng)
    losses = [float(model.phases(batch, drawn)[0].loss) for model in models]
    assert losses[0] == pytest.approx(losses[1], rel=1e-12)


MEMBERS = (("wae-gan", "critic_weight"), ("wae-mmd", "mmd_weight"))


def test_the_critic_has_its_own_adam(digits):  # noqa: F811
    trainer = Trainer(member("wae-gan", data_dim=64, critic_lr=0.02), digits, Settings(batch_size=50, lr=0.003))
    first, critic = trainer.optimizers
    assert (first.lr, first.betas) == (0.003, (0.9, 0.999))
    assert (critic.lr, critic.betas) == (0.02, (0.5, 0.999))
    trainer.train_step()
    assert trainer.report().keys() >= {"train_adversarial", "test_adversarial", "train_critic"}


def test_an_encoder_that_is_far_away_costs_its_distance_and_is_pulled_back(rng):
    """A critic that is sure leaves a gradient: -log D, not log (1 - D), is what the encoder is given."""
    model = shaken(member("wae-gan", latent_dim=1, critic_hidden=(), dtype="float64"))
    model.critic.layers[0].weight.data[...] = [[-1.0, 1.0]]
    model.critic.layers[0].bias.data[...] = 0
    model.encoder.layers[-1].bias.data[...] = 400.0
    batch = Batch(batch_for(model, rng, ROWS).x)
    first, _ = model.phases(batch, np.zeros((ROWS, 1)))
    assert float(first.terms["adversarial"]) == pytest.approx(800, rel=0.05)
    (gradient,) = backward(first.terms["adversarial"], [model.encoder.layers[-1].bias])
    np.testing.assert_allclose(gradient.numpy(), [2.0], rtol=1e-12)
