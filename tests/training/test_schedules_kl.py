"""What the KL costs: the weight by step, the loss of every member beside its own, refusals, and recorded steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.autodiff import backward
from minivae.distributions import kl, kl_by_dimension
from minivae.errors import InputError
from minivae.models import MODELS
from minivae.training import Settings
from minivae.training.schedules import KLCost

from ..doubles.strict_device import strict
from ..models.members import EVERY_MEMBER, Repeated, batch_for, member, shaken
from .conftest import STEPS_PER_EPOCH, assert_same_state, small_model, small_trainer

WARM = {"kl_warmup": 2.0}
FREE = {"free_bits": 0.3}


def cost_of(model, steps_per_epoch=10, **settings):
    return KLCost(model, Settings(**settings), steps_per_epoch)


def weights(total=100, **settings):
    cost, found = cost_of(small_model(dtype="float64"), epochs=total // 10, **settings), []
    for step in range(total):
        cost.advance(step, total)
        found.append(float(cost.weight))
    return found


def test_the_weight_rises_over_so_many_epochs_and_stays():
    np.testing.assert_allclose(weights(kl_warmup=3), np.minimum(np.arange(100) / 30, 1))
    np.testing.assert_allclose(weights(kl_warmup=0.5), np.minimum(np.arange(100) / 5, 1))


def test_in_cycles_it_rises_anew_for_half_of_each_or_for_the_warm_up():
    step = np.arange(100) % 25
    np.testing.assert_allclose(weights(kl_cycles=4), np.minimum(step / 12.5, 1))
    np.testing.assert_allclose(weights(kl_cycles=4, kl_warmup=1), np.minimum(step / 10, 1))


def test_nothing_asked_for_leaves_the_models_own_phases():
    model = small_model()
    assert set(weights()) == {1.0}
    cost, seen = cost_of(model), []
    model.phases = lambda *arguments: seen.append(arguments) or "its own"
    assert cost.phases(1, 2) == "its own"
    assert seen == [(1, 2)]


@given(
    total=st.integers(1, 300), cycles=st.none() | st.integers(1, 5), warmup=st.floats(0, 4), steps=st.integers(1, 20)
)
def test_every_weight_is_from_0_to_1_and_each_cycle_begins_at_0(total, cycles, warmup, steps):
    cost = cost_of(small_model(), steps, epochs=1000, kl_cycles=cycles, kl_warmup=warmup)
    cost.advance(0, total)
    assert float(cost.weight) == (0 if cycles or warmup else 1)
    cost.advance(total - 1, total)
    assert 0 <= float(cost.weight) <= 1


def test_a_warm_up_longer_than_its_cycle_is_refused():
    with pytest.raises(InputError, match="kl_warmup is 6 epochs; expected at most a cycle, 5 epochs"):
        cost_of(small_model(), epochs=10, kl_cycles=2, kl_warmup=6)
    cost_of(small_model(), epochs=10, kl_warmup=60)  # a trial of a long run


# ------------------------------------------------------------- every member


# Without free bits of its own, and without what only a warm-up changes beside the weight.
OWN = {"iaf-vae": {"free_bits": 0.0}, "ladder-vae": {"balance": False}}


def phases_at(name, weight, **settings):
    """The member, its own phases, and those with the KL at a weight; all of the same noise."""
    model = shaken(member(name, dtype="float64", **OWN.get(name, {})))
    batch, noise = batch_for(model, np.random.default_rng(1)), Repeated()
    cost = cost_of(model, **settings)
    cost.weight.data[...] = weight
    return model, batch, model.phases(batch, noise()), cost.phases(batch, noise())


@EVERY_MEMBER
def test_warm_up_weighs_the_kl_or_is_refused_in_words(name):
    if MODELS[name].no_kl:
        with pytest.raises(InputError, match=rf"kl_warmup is 2.0, but {MODELS[name].__name__} cannot have it: .+"):
            phases_at(name, 0.25, **WARM)
        return
    model, _, own, warm = phases_at(name, 0.25, **WARM)
    if model.no_free_bits.startswith("its bound is no sum"):  # importance weights: below
        return
    r = float(own[0].terms["kl"])
    assert float(warm[0].loss) == pytest.approx(float(own[0].loss) - 0.75 * model.kl_weight * r, rel=1e-10)
    assert float(warm[0].terms["objective"]) == pytest.approx(-float(warm[0].loss), rel=1e-12)
    for key in ("bound", "reconstruction", "kl"):
        assert float(warm[0].terms[key]) == float(own[0].terms[key])
    assert len(warm) == len(own)


@EVERY_MEMBER
def test_at_the_full_weight_loss_and_gradients_are_the_models_own(name):
    if MODELS[name].no_kl:
        return
    _, _, own, warm = phases_at(name, 1.0, **WARM)
    assert float(warm[0].loss) == pytest.approx(float(own[0].loss), rel=1e-10)
    pairs = [backward(p.loss, p.parameters, retain_graph=True) for p in (own[0], warm[0])]
    for expected, found in zip(*pairs, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-8, atol=1e-10)


@EVERY_MEMBER
def test_free_bits_put_a_floor_below_each_dimension_or_are_refused_in_words(name):
    kind = MODELS[name]
    if kind.no_kl or kind.no_free_bits:
        with pytest.raises(InputError, match=rf"free_bits is 0.3, but {kind.__name__} cannot have it: .+"):
            phases_at(name, 1.0, **FREE)
        return
    model, batch, own, free = phases_at(name, 1.0, **FREE)
    q, p = model.posterior(batch.x, batch.context), model.prior(batch.context)
    by_dimension = kl_by_dimension(q, p).numpy()
    np.testing.assert_allclose(by_dimension.sum(-1), kl(q, p).numpy(), rtol=1e-12)
    paid = np.maximum(by_dimension.mean(0), 0.3).sum()
    change = model.kl_weight * (paid - float(own[0].terms["kl"]))
    assert float(free[0].loss) == pytest.approx(float(own[0].loss) + change, rel=1e-10)
    assert float(free[0].terms["bound"]) == float(own[0].terms["bound"])


@pytest.mark.parametrize("name", ["vae", "categorical-vae"])
def test_what_is_below_the_floor_pulls_at_nothing(name):
    model, batch, _, free = phases_at(name, 1.0, free_bits=1e6)
    noise = Repeated()
    own = model.phases(batch, noise())[0]
    without = own.loss - own.terms["kl"]
    for found, expected in zip(
        *(backward(loss, own.parameters, retain_graph=True) for loss in (free[0].loss, without)), strict=True
    ):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("name", ["iwae", "miwae"])
def test_of_importance_weights_the_ratio_of_prior_and_posterior_is_weighed(name):
    """log w = log p(x|z) + weight (log p(z) - log q(z|x)), written out; the terms stay those of the true bound."""
    model, batch, own, warm = phases_at(name, 0.25, **WARM)
    q = model.posterior(batch.x)
    z, log_q = q.sample_with_log_prob(model.noise(q, Repeated()()))
    log_w = model.likelihood(z).log_prob(batch.x) + (model.prior().log_prob(z) - log_q) * 0.25
    groups = log_w.numpy().reshape(model.groups, model.samples, -1)
    expected = np.log(np.exp(groups).mean(1)).mean()
    assert -float(warm[0].loss) == pytest.approx(expected, rel=1e-10)
    assert {key: float(value) for key, value in own[0].terms.items()} == {
        key: float(value) for key, value in warm[0].terms.items() if key != "objective"
    }


def test_a_model_without_the_term_is_refused_before_a_step(digits):
    class Unnamed(type(small_model())):
        """Its terms have names of their own."""

        def phases(self, batch, noise):
            return [phase._replace(terms={"bound": phase.loss}) for phase in super().phases(batch, noise)]

    with pytest.raises(InputError, match="the terms of Unnamed are bound; expected kl among them"):
        small_trainer(digits, Unnamed(64, 3, (8,)), **WARM)


# ----------------------------------------------------------------- training


@pytest.mark.parametrize("settings", [WARM, {"kl_cycles": 2}, FREE, {**FREE, "kl_warmup": 1}], ids=str)
@pytest.mark.parametrize("name", ["vae", "beta-vae", "iwae", "categorical-vae"])
def test_recorded_steps_follow_the_weight(digits, name, settings):
    if name == "iwae" and "free_bits" in settings:
        pytest.skip("it has none")
    runs = [
        small_trainer(digits, member(name, data_dim=64), compile=compiled, epochs=4, **settings)
        for compiled in (True, False)
    ]
    for _ in range(4 * STEPS_PER_EPOCH):
        replayed, eager = (run.train_step() for run in runs)
        for key in eager:
            assert float(replayed[key]) == pytest.approx(float(eager[key]), rel=1e-5), key
    for one, other in zip(*(run.model.parameters() for run in runs), strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-4, atol=1e-5)


def test_the_history_has_the_true_bound_and_what_was_trained(digits):
    trainer = small_trainer(digits, epochs=4, kl_warmup=4)
    for _ in range(STEPS_PER_EPOCH):
        trainer.train_step()
    row = trainer.report()
    assert row["train_bound"] == pytest.approx(row["train_reconstruction"] - row["train_kl"], rel=1e-5)
    assert row["train_objective"] > row["train_bound"]
    assert "test_objective" not in row


def test_warm_up_keeps_codes_that_the_full_price_drives_to_the_prior(digits):
    """From weights that make nothing of z the KL falls at once; at a weight near 0 it rises."""
    kls = []
    for settings in ({}, {"kl_warmup": 40}):
        trainer = small_trainer(digits, epochs=40, lr=0.01, **settings)
        for _ in range(5 * STEPS_PER_EPOCH):
            terms = trainer.train_step()
        kls.append(float(terms["kl"]))
    assert kls[1] > 2 * kls[0]


@pytest.mark.parametrize("settings", [WARM, {"kl_cycles": 2}, {**FREE, "kl_warmup": 1}], ids=str)
def test_a_resumed_run_ends_like_an_undisturbed_one(digits, settings):
    whole = small_trainer(digits, epochs=4, **settings)
    for _ in range(whole.total_steps):
        whole.train_step()
        if whole.step == 6:
            resumed = small_trainer(digits, small_model(seed=9), epochs=4, **settings)
            resumed.load_state(*whole.state())
    while resumed.step < resumed.total_steps:
        resumed.train_step()
    assert_same_state(resumed, whole)


def test_another_cost_is_no_resume(digits):
    trainer = small_trainer(digits, **WARM)
    with pytest.raises(InputError, match=r"kl_warmup is 0.0; the run to resume has 2.0"):
        small_trainer(digits).load_state(*trainer.state())


def test_a_step_never_waits_for_the_device(digits):
    trainer = small_trainer(digits, small_model(backend="strict"), epochs=2, **WARM, **FREE)
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        for _ in range(2 * STEPS_PER_EPOCH):
            trainer.train_step()
