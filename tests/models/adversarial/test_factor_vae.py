"""FactorVAE: two phases that train apart, and gamma = 0 is the VAE."""

import numpy as np
import pytest

from minivae.autodiff import backward, tensor
from minivae.models import Batch
from minivae.regularizers import critic_loss, permute_columns
from minivae.training import Settings, Trainer

from ...training.conftest import digits  # noqa: F401 (a fixture)
from ..members import Repeated, batch_for, member, shaken


@pytest.fixture
def model():
    return shaken(member("factor-vae", dtype="float64"))


def test_neither_phase_reaches_the_networks_of_the_other(model, rng):
    """The critic's loss has no gradient by the encoder; the VAE's phase lists none of the critic's parameters."""
    first, second = model.phases(batch_for(model, rng), Repeated()())
    encoder, decoder, critic = (part.parameters() for part in (model.encoder, model.decoder, model.critic))
    assert [id(p) for p in first.parameters] == [id(p) for p in encoder + decoder]
    assert [id(p) for p in second.parameters] == [id(p) for p in critic]
    assert not any(g.numpy().any() for g in backward(second.loss, encoder + decoder))


def test_without_gamma_the_first_phase_is_the_vae(rng):
    model, vae = shaken(member("factor-vae", gamma=0.0, dtype="float64")), member("vae", dtype="float64")
    vae.load_state_dict({name: value for name, value in model.state_dict().items() if "critic" not in name})
    noise, batch = tensor(rng.normal(size=(1, 4, 3))), batch_for(vae, rng)
    first, _ = model.phases(batch, {"z": noise, "order": tensor(rng.uniform(size=(2, 3)))})
    (expected,) = vae.phases(batch, noise)
    assert float(first.loss) == pytest.approx(float(expected.loss), rel=1e-12)


def test_the_critic_learns_from_one_half_and_from_the_other_permuted(model, rng):
    for m in (4, 5, 3):
        x, _ = batch_for(model, rng, m)
        half = (m + 1) // 2
        epsilon, order = tensor(rng.normal(size=(1, m, 3))), tensor(rng.uniform(size=(half, 3)))
        first, second = model.phases(Batch(x), {"z": epsilon, "order": order})
        z = tensor(model.posterior(x).sample(epsilon).numpy()[0])
        expected = critic_loss(model.critic(z[:half]), model.critic(permute_columns(z[m - half :], order)))
        assert float(second.loss) == pytest.approx(float(expected), rel=1e-12)
        logits = model.critic(z).numpy()
        assert float(first.terms["tc"]) == pytest.approx((logits[:, 0] - logits[:, 1]).mean(), rel=1e-10)


def test_each_phase_has_its_optimizer(digits):  # noqa: F811
    trainer = Trainer(member("factor-vae", data_dim=64, critic_lr=0.02), digits, Settings(batch_size=50, lr=0.003))
    vae, critic = trainer.optimizers
    assert (vae.lr, vae.betas[0]) == (0.003, 0.9)
    assert (critic.lr, critic.betas[0]) == (0.02, 0.5)
    before = trainer.model.state_dict()
    trainer.train_step()
    after = trainer.model.state_dict()
    assert all((after[name] != value).any() for name, value in before.items())
    assert trainer.report().keys() >= {"train_tc", "test_tc", "train_critic"}
    assert np.isfinite(trainer.running_terms().get("critic", 0.0))
