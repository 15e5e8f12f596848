"""AAE: the WAE-GAN's parts in phases of their own, codes like draws of the prior."""

import numpy as np
import pytest

import minivae as mv
from minivae.autodiff import backward, tensor
from minivae.datasets import load
from minivae.models import AAE, Batch
from minivae.training import Settings, Trainer

from ...training.conftest import digits  # noqa: F401 (a fixture)
from ..members import batch_for, member, shaken

ROWS, WEIGHT = 7, 2.5


def phases(name, rng, **options):
    model = shaken(member(name, dtype="float64", **options))
    return model, model.phases(Batch(batch_for(model, rng, ROWS).x), tensor(rng.normal(size=(ROWS, 3))))


def test_its_phases_are_the_parts_of_the_wae_gan(rng):
    """The gradients of both, with any weight between them; the same critic's phase."""
    seed = int(rng.integers(1 << 30))
    model, (first, critic, last) = phases("aae", np.random.default_rng(seed))
    wae, (both, same) = phases("wae-gan", np.random.default_rng(seed), critic_weight=WEIGHT)
    assert model.state_dict().keys() == wae.state_dict().keys()
    own, fooling, whole = (
        [g.numpy() for g in backward(phase.loss, network.encoder.parameters(), retain_graph=True)]
        for phase, network in ((first, model), (last, model), (both, wae))
    )
    for a, b, c in zip(own, fooling, whole, strict=True):
        np.testing.assert_allclose(a + WEIGHT * b, c, rtol=1e-9)
    assert float(critic.loss) == pytest.approx(float(same.loss), rel=1e-12)
    assert float(first.loss) == -float(both.terms["reconstruction"])
    assert float(last.loss) == pytest.approx(float(both.terms["adversarial"]), rel=1e-12)


def test_each_phase_trains_what_the_paper_says_and_reaches_nothing_else(rng):
    model, (first, critic, last) = phases("aae", rng)
    encoder, decoder, own = ([id(p) for p in m.parameters()] for m in (model.encoder, model.decoder, model.critic))
    assert [[id(p) for p in phase.parameters] for phase in (first, critic, last)] == [encoder + decoder, own, encoder]
    assert not any(g.numpy().any() for g in backward(critic.loss, model.encoder.parameters(), retain_graph=True))
    assert not any(g.numpy().any() for g in backward(last.loss, model.decoder.parameters(), retain_graph=True))
    assert not any(g.numpy().any() for g in backward(first.loss, model.critic.parameters(), retain_graph=True))


def test_the_encoder_has_an_optimizer_in_each_of_its_phases(digits):  # noqa: F811
    trainer = Trainer(member("aae", data_dim=64, critic_lr=0.02), digits, Settings(batch_size=50, lr=0.003))
    assert [optimizer.lr for optimizer in trainer.optimizers] == [0.003, 0.02, 0.02]
    assert [optimizer.betas[0] for optimizer in trainer.optimizers] == [0.9, 0.5, 0.5]
    before = trainer.model.state_dict()
    trainer.train_step()
    assert all((trainer.model.state_dict()[name] != value).any() for name, value in before.items())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1])
def test_after_training_the_codes_have_the_moments_of_the_prior(seed):
    data = load("digits")
    model = AAE(data.data_dim, 8, (200,), critic_hidden=(200, 200), critic_lr=1e-3, seed=seed)
    mv.fit(model, data, epochs=150, lr=2e-3, schedule="cosine", report_every=150, seed=seed, progress=False)
    z = model.encode(data.test.images / data.scale).numpy()
    assert np.abs(z.mean(0)).max() < 0.3
    assert 0.7 < z.var(0).min() < z.var(0).max() < 1.3
