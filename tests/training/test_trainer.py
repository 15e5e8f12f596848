"""Trainer: one step of Algorithm 1, and the state of a run."""

import copy
import pickle

import numpy as np
import pytest

from minivae import backend
from minivae.datasets import Dataset, Split
from minivae.errors import InputError, NonFiniteError
from minivae.models import VAE
from minivae.runs import History
from minivae.training import SCHEDULES, Settings, Trainer

from ..doubles.strict_device import strict
from .conftest import STEPS_PER_EPOCH, assert_same_state, made_of, small_model, small_trainer


def state_of(trainer):
    return {name: value.copy() for name, value in trainer.model.state_dict().items()}


def first_update(dataset, **settings):
    """What one step of gradient descent adds to each parameter, in float64."""
    trainer = small_trainer(dataset, small_model(dtype="float64"), optimizer="sgd", **settings)
    before = state_of(trainer)
    trainer.train_step()
    return {name: value - before[name] for name, value in trainer.model.state_dict().items()}


# ------------------------------------------------------------- Algorithm 1


def test_a_step_is_the_gradient_of_the_bound_by_the_step_size(digits):
    """Against the model alone: the same rows, the same noise, a numerical derivative."""
    model = small_model(dtype="float64")
    trainer = small_trainer(digits, model, optimizer="sgd", lr=0.25)
    x = digits.train.images[trainer.order.numpy()[0]] / 16.0
    noise = backend.generator(0).standard_normal((1, len(x), 3), "float64")
    bias = model.encoder.mean.bias.data

    def loss(shift):
        bias[1] += shift
        value = -model.bound(x, noise).value.numpy().mean()
        bias[1] -= shift
        return value

    slope = (loss(1e-5) - loss(-1e-5)) / 2e-5
    before = bias[1]
    terms = trainer.train_step()
    assert bias[1] - before == pytest.approx(-0.25 * slope, rel=1e-6)
    bias[1] = before
    assert trainer.samples_seen == 50
    assert {name: part.shape for name, part in terms.items()} == {"bound": (), "reconstruction": (), "kl": ()}


def test_the_weight_prior_counts_one_nth_and_over_weight_matrices_only(digits):
    weights = small_model(dtype="float64").state_dict()
    plain = first_update(digits, lr=0.5)
    with_prior = first_update(digits, lr=0.5, weight_prior=True)
    for name, weight in weights.items():
        # The gradient of -log N(W; 0, I) / N is W / N.
        expected = -0.5 * weight / len(digits.train) if weight.ndim == 2 else np.zeros_like(weight)
        np.testing.assert_allclose(with_prior[name] - plain[name], expected, rtol=1e-9, atol=1e-15)
    assert sum(weight.ndim == 2 for weight in weights.values()) == 5


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_schedule_scales_the_step(digits, schedule):
    """At step 30 of 40 the update is the factor times what it is without a schedule."""
    updates = {}
    for name in ("constant", schedule):
        trainer = small_trainer(digits, small_model(dtype="float64"), optimizer="sgd", schedule=name, epochs=10)
        trainer.step = 30
        before = state_of(trainer)
        trainer.train_step()
        updates[name] = {key: value - before[key] for key, value in trainer.model.state_dict().items()}
    for key, update in updates[schedule].items():
        np.testing.assert_allclose(
            update, SCHEDULES[schedule](30, 40) * updates["constant"][key], rtol=1e-8, atol=1e-15
        )


def test_every_row_is_visited_once_in_an_epoch(digits):
    seen = []
    trainer = small_trainer(digits, epochs=2, compile=False)  # so that every step asks for its minibatch
    serve = trainer.train.batch
    trainer.train.batch = lambda rows, generator: seen.append(rows.numpy()) or serve(rows, generator)
    for _ in range(2 * STEPS_PER_EPOCH):
        trainer.train_step()
    first, second = np.array(seen).reshape(2, -1)
    assert len(set(first)) == len(set(second)) == STEPS_PER_EPOCH * 50
    assert (first != second).any()
    assert (trainer.epoch, trainer.samples_seen, trainer.total_steps) == (2, 400, 8)


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "adamax", "sgd"])
def test_optimizer_options_arrive(digits, optimizer):
    trainer = small_trainer(digits, optimizer=optimizer, lr=0.125, optimizer_options={"max_norm": 2.0})
    assert [(o.lr, o.max_norm) for o in trainer.optimizers] == [(0.125, 2.0)]


# ------------------------------------------------------------ measurements


def test_a_row_has_the_averages_since_the_last_one(digits):
    trainer = small_trainer(digits)
    terms = [{name: float(part) for name, part in trainer.train_step().items()} for _ in range(3)]
    row = trainer.report()
    for name in ("bound", "reconstruction", "kl"):
        assert row[f"train_{name}"] == pytest.approx(np.mean([p[name] for p in terms]), rel=1e-6)
        assert np.isfinite(row[f"test_{name}"])
    assert (row["epoch"], row["samples_seen"], row["seconds"]) == (0, 150, 0.0)
    assert trainer.history.rows == [row]
    next_bound = float(trainer.train_step()["bound"])
    assert trainer.running_terms()["bound"] == pytest.approx(next_bound)


def test_of_many_minibatches_only_some_have_their_bound_read(digits, monkeypatch):
    monkeypatch.setattr("minivae.training.trainer.READINGS", 2)
    trainer = small_trainer(digits, report_every=2)
    bounds = [float(trainer.train_step()["bound"]) for _ in range(2 * STEPS_PER_EPOCH)]
    assert trainer.running_steps == 2
    assert trainer.running_terms()["bound"] == pytest.approx((bounds[0] + bounds[STEPS_PER_EPOCH]) / 2, rel=1e-6)


def test_before_the_first_step_there_are_no_averages(digits):
    assert small_trainer(digits).running_terms() == {}


@pytest.mark.parametrize(
    ("bounds", "patience", "expected"),
    [
        ([-3, -2, -1], 1, False),
        ([-3, -2, -2], 1, True),
        ([-3, -1, -2], 2, False),
        ([-3, -1, -2, -1.5], 2, True),
        ([-3, -1, -2, -0.5], 2, False),
        ([-1], 1, False),
        ([-1, -2, -3, -4], None, False),
    ],
)
def test_patience_counts_the_reports_without_a_new_best(digits, bounds, patience, expected):
    trainer = small_trainer(digits, patience=patience)
    trainer.history = History({"validation_bound": bound, "test_bound": -bound} for bound in bounds)
    assert trainer.out_of_patience() is expected


def test_patience_needs_a_bound_or_an_objective_to_wait_for(digits):
    class Unnamed(VAE):
        """Its terms have names of their own."""

        def phases(self, batch, noise):
            return [phase._replace(terms={"mine": phase.loss}) for phase in super().phases(batch, noise)]

    model = Unnamed(digits.data_dim, 3, (8,))
    assert small_trainer(digits, model).train_step().keys() == {"mine"}
    with pytest.raises(InputError, match="patience is 2, but the terms are mine; expected bound or objective"):
        small_trainer(digits, model, patience=2)


# ----------------------------------------------------------- strict device


MODELS = {
    "bernoulli": {},
    "gaussian": {"likelihood": "gaussian", "sigmoid_mean": True},
    "estimator A": {"estimator": "A", "samples": 3},
}


@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "adamax", "sgd"])
@pytest.mark.parametrize("model", MODELS)
def test_a_step_never_waits_for_the_device(digits, model, optimizer):
    model = small_model(backend="strict", **MODELS[model])
    options = {"max_norm": 1.0, "weight_decay": 0.01}
    trainer = small_trainer(
        digits, model, optimizer=optimizer, binarize="dynamic", weight_prior=True, epochs=2, optimizer_options=options
    )
    with (
        strict.counter.count() as counts,
        strict.counter.forbid_synchronization(),
        strict.counter.forbid_dtype("float64"),
    ):
        for _ in range(2 * STEPS_PER_EPOCH):
            trainer.train_step()
    assert counts.to_device == 2  # the order of each epoch


def test_a_report_and_samples_make_no_float64_on_the_device(digits):
    model = small_model(backend="strict")
    trainer = small_trainer(digits, model)
    trainer.train_step()
    with strict.counter.forbid_dtype("float64"):
        with strict.counter.count() as counts:
            trainer.report()
        with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers():
            model.sample(trainer.generator, 5)
            x = trainer.train.batch(trainer.order[0], trainer.generator).x
        model.reconstruct(x)  # (looks at the values)
    assert counts.to_device == 0


def test_a_run_in_float64_stays_in_float64(digits):
    trainer = small_trainer(digits, small_model(dtype="float64", backend="strict"), binarize="dynamic")
    with strict.counter.forbid_dtype("float32"):
        terms = trainer.train_step()
        trainer.report()
    arrays, _ = trainer.state()
    assert {array.dtype.name for array in arrays.values()} == {"float64", "int64"}  # int64: the step count
    assert terms["bound"].dtype == np.float64


def test_a_run_in_float32_stays_in_float32(digits):
    trainer = small_trainer(digits)
    terms = trainer.train_step()
    arrays, _ = trainer.state()
    assert {array.dtype.name for array in arrays.values()} == {"float32", "int64"}
    assert terms["bound"].dtype == np.float32


def test_the_device_computes_what_numpy_does(digits, backend_name):
    if backend_name == "cupy":
        pytest.skip("CuPy draws other noise")
    trainers = [
        small_trainer(digits, small_model(backend=name), binarize="dynamic") for name in ("numpy", backend_name)
    ]
    for trainer in trainers:
        for _ in range(STEPS_PER_EPOCH):
            trainer.train_step()
    for name, value in state_of(trainers[0]).items():
        np.testing.assert_allclose(value, state_of(trainers[1])[name], rtol=1e-5, atol=1e-6)


# --------------------------------------------------------------- bad input


def refusal(*args, **settings):
    with pytest.raises(InputError) as raised:
        small_trainer(*args, **settings)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_data_of_another_width_are_refused(digits):
    message = refusal(digits, small_model(data_dim=63))
    assert message == "some digits has 64 columns, but this model was built for data_dim=63"


def test_a_minibatch_larger_than_the_data_is_refused(digits):
    assert refusal(digits, batch_size=231) == "batch_size is 231; the data have only 230 training rows"


@pytest.mark.parametrize("model", [{}, {"likelihood": "gaussian", "sigmoid_mean": True}])
@pytest.mark.parametrize("images", [[[-0.1, 0.5]], [[0.0, 1.5]]])
def test_data_outside_the_unit_interval_are_refused(model, images):
    message = refusal(made_of(images, name="my.npy"), small_model(data_dim=2, **model), batch_size=1)
    assert "my.npy has values from" in message
    assert "expected values in [0, 1]" in message


def test_real_data_suit_a_gaussian_but_not_binarization():
    data, model = made_of([[-3.0, 5.0]]), small_model(data_dim=2, likelihood="gaussian")
    small_trainer(data, model, batch_size=1).train_step()
    assert "in [0, 1]" in refusal(data, model, batch_size=1, binarize="dynamic")


def test_unknown_optimizer_options_are_refused(digits):
    message = refusal(digits, optimizer="sgd", optimizer_options={"betas": (0.9, 0.99)})
    assert message.startswith("optimizer_options do not suit sgd:")
    assert "betas" in message


def test_a_bad_seed_is_refused(digits):
    assert "seed is -1; expected an integer of at least 0" in refusal(digits, seed=-1)


# ------------------------------------------------------------------ resume


@pytest.fixture
def saved(digits):
    trainer = small_trainer(digits, optimizer_options={"betas": (0.9, 0.99)}, epochs=3, patience=2)
    for _ in range(3):
        trainer.train_step()
    return trainer


def like_saved(dataset, model=None, **changes):
    settings = {"optimizer_options": {"betas": (0.9, 0.99)}, "epochs": 3, "patience": 2, **changes}
    return small_trainer(dataset, model or small_model(seed=9), **settings)


def test_a_state_goes_into_another_trainer_whole(digits, saved):
    other = like_saved(digits)
    other.load_state(*saved.state())
    assert_same_state(other, saved)
    for trainer in (saved, other):
        for _ in range(STEPS_PER_EPOCH):
            trainer.train_step()
        trainer.report()
    assert_same_state(other, saved)


def test_how_long_to_train_may_change(digits, saved):
    other = like_saved(digits, epochs=7, patience=9)
    other.load_state(*saved.state())
    assert other.total_steps == 7 * STEPS_PER_EPOCH


def test_the_step_size_may_change(digits, saved):
    """It counts from the next step on, at once, with moments as they are."""
    other, same = like_saved(digits, lr=1e-30), like_saved(digits)
    for trainer in (other, same):
        trainer.load_state(*saved.state())
        trainer.train_step()
    for found, moved, before in zip(*(t.model.parameters() for t in (other, same, saved)), strict=True):
        np.testing.assert_array_equal(found.numpy(), before.numpy())
        assert (moved.numpy() != before.numpy()).any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": 1}, "seed is 1; the run to resume has 0"),
        ({"batch_size": 46}, "batch_size is 46; the run to resume has 50"),
        ({"optimizer_options": {}}, "optimizer_options is {}; the run to resume has {'betas': [0.9, 0.99]}"),
        ({"model": small_model(latent_dim=5)}, "latent_dim is 5; the run to resume has 3"),
        ({"model": small_model(hidden=(9, 9))}, "hidden is [9, 9]; the run to resume has [16]"),
        ({"model": small_model(activation="relu")}, "activation is 'relu'; the run to resume has 'tanh'"),
        ({"model": small_model(dtype="float64")}, "dtype is 'float64'; the run to resume has 'float32'"),
        ({"model": small_model(backend="strict")}, "backend is 'strict'; the run to resume has 'numpy'"),
        ({"dataset": made_of(np.zeros((99, 64)))}, "validation_rows is 10; the run to resume has 23"),
        ({"dataset": made_of(np.zeros((228, 64)))}, "training_rows is 205; the run to resume has 207"),
    ],
)
def test_another_run_is_no_resume(digits, saved, changes, message):
    other = like_saved(**{"dataset": digits, **changes})
    before = state_of(other)
    with pytest.raises(InputError) as raised:
        other.load_state(*saved.state())
    assert str(raised.value) == message
    for name, value in other.model.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


def test_a_state_that_is_not_finite_is_not_given(saved):
    saved.optimizers[0].state[1].data[0] = np.inf
    with pytest.raises(NonFiniteError, match=r"at step 3: Adam's v of encoder\.hidden\.layers\.0\.weight holds an inf"):
        saved.state()


@pytest.mark.parametrize(("factor", "said"), [(1.0, False), (1e4, True), (1e-4, True)])
def test_real_values_far_from_1_are_told_of_unless_they_are_prepared(factor, said, rng, caplog):
    x = rng.normal(size=(40, 3)) * factor
    data = Dataset("mine", Split(x[:30]), Split(x[30:]), None, 1.0, "")
    Trainer(VAE(3, 2, (4,), likelihood="gaussian"), data, Settings(batch_size=10))
    assert ("mine has values from" in caplog.text and 'prepared("standardize")' in caplog.text) is said
    caplog.clear()
    Trainer(VAE(3, 2, (4,), likelihood="gaussian"), data.prepared("standardize"), Settings(batch_size=10))
    assert not caplog.text


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_trainer_is_not_copied(copied, digits):
    with pytest.raises(InputError, match="a Trainer cannot be copied or pickled; make another"):
        copied(small_trainer(digits, small_model()))
