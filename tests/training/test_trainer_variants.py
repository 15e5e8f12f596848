"""What training does for variants: the step that they are told, state of their own, labels."""

import numpy as np
import pytest

from minivae.datasets import Dataset, Split
from minivae.errors import InputError
from minivae.models import MODELS
from minivae.models.bound.disentangled_beta_vae import DisentangledBetaVAE
from minivae.models.posterior.vq_vae import VQVAE
from minivae.models.prior.cvae import CVAE
from minivae.training import Settings, Trainer, fit

from ..models.members import member
from .conftest import made_of, small_trainer


@pytest.mark.parametrize("compile", [True, False])
def test_the_model_is_told_the_step_before_each(digits, compile):
    """The loss of step t is D + gamma |KL - C(t)|, with C rising by 0.1 a step."""
    model = DisentangledBetaVAE(64, 3, (16,), capacity=1.0, capacity_steps=10, gamma=2.0)
    trainer = small_trainer(digits, model, compile=compile, epochs=10)
    for step in range(4):
        terms = {name: float(value) for name, value in trainer.train_step().items()}
        distance = abs(terms["kl"] - 0.1 * step)
        assert -terms["objective"] == pytest.approx(2 * distance - terms["reconstruction"], rel=1e-5)
    again = small_trainer(digits, DisentangledBetaVAE(64, 3, (16,), **_own(model)), compile=compile, epochs=10)
    again.load_state(*trainer.state())
    assert float(again.model.now) == float(model.now) == pytest.approx(0.3)


def _own(model):
    return {name: model.config[name] for name in ("capacity", "capacity_steps", "gamma")}


def test_state_that_gradients_do_not_train_moves_in_training_and_not_in_evaluation(digits):
    model = VQVAE(64, (16,), num_codes=4, entries=5)
    trainer = small_trainer(digits, model)
    before = model.state_dict()
    trainer.report()
    assert (model.state_dict()["codebook.counts"] == before["codebook.counts"]).all()
    trainer.train_step()
    after = model.state_dict()
    assert (after["codebook.counts"] != before["codebook.counts"]).any()
    assert after["codebook.counts"].sum() == pytest.approx(0.01 * 50 * 4, rel=1e-5)


def test_data_without_the_labels_that_a_model_is_told_are_refused(digits):
    with pytest.raises(InputError, match=r"some digits has labels from 0 to 9, .* context_dim=3"):
        small_trainer(digits, CVAE(64, 3, (16,), context_dim=3))
    with pytest.raises(InputError, match="made has no labels"):
        small_trainer(made_of(np.zeros((60, 64))), CVAE(64, 3, (16,), context_dim=3))


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.least_points > 1])
def test_a_statistic_of_too_few_points_is_refused_before_work_starts(name):
    """U-statistics need two points, a critic two in each half."""
    model, least = member(name, data_dim=64), MODELS[name].least_points
    rows = np.random.default_rng(0).uniform(size=(20, 64)).astype(np.float32)
    enough, too_few = (Dataset("made", Split(rows), Split(rows[:n]), None, 1.0, "made") for n in (least, least - 1))
    state = model.state_dict()
    for dataset, batch_size, message in (
        (enough, least - 1, f"batch_size is {least - 1}; expected at least {least}"),
        (too_few, 10, f"the number of test rows is {least - 1}; expected at least {least}"),
    ):
        with pytest.raises(InputError, match=message):
            Trainer(model, dataset, Settings(batch_size=batch_size))
        with pytest.raises(InputError, match=message):
            fit(model, dataset, batch_size=batch_size, progress=False)
    for part, value in model.state_dict().items():
        np.testing.assert_array_equal(value, state[part])
    history = fit(model, enough, batch_size=least, epochs=1, progress=False)
    assert np.isfinite(list(history.rows[-1].values())).all()
