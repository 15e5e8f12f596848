"""What is not finite is found by the next report and named, or, on request, left out and counted."""

import numpy as np
import pytest

from minivae.compiler import numba as replay_numba
from minivae.datasets import Dataset, Split
from minivae.errors import InputError, NonFiniteError
from minivae.models import MODELS
from minivae.runs import Run
from minivae.training import Settings, Trainer, fit, run_to_end

from ..doubles.strict_device import strict
from ..models.members import member
from .conftest import assert_same_state, made_of, small_model

DATA_DIM, CLASSES, ROWS, BATCH = 6, 3, 40, 10
BAD = 13  # the row that is spoilt; it comes once in each epoch of four steps
quiet = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, of what is skipped


@pytest.fixture
def data(rng):
    """Real values in [0, 1], which are not copied on the way to a minibatch, with labels."""
    split = Split(rng.uniform(size=(ROWS, DATA_DIM)).astype(np.float32), np.arange(ROWS) % CLASSES)
    return Dataset("made", split, split, None, 1.0, "the same rows")


def trainer_of(data, model=None, **settings):
    return Trainer(model or member("vae"), data, Settings(**{"batch_size": BATCH, "epochs": 3, **settings}))


def states(trainer):
    """Parameters, moments and running means, as bytes."""
    arrays = trainer.state()[0]
    return {name: a.tobytes() for name, a in arrays.items() if "running" not in name and "count" not in name}


def steps(trainer, count=12):
    """Take steps of which those that meet the bad row see a NaN; say which were skipped."""
    good, skipped = trainer.train.images.data[BAD].copy(), []
    trainer.train.images.data[BAD, 2] = np.nan
    for _ in range(count):
        if float(trainer.train_step()["skipped"]):
            skipped.append(trainer.step - 1)
    trainer.train.images.data[BAD] = good
    return skipped


def meeting_the_bad_row(trainer, count=12):
    """The steps whose minibatch has the bad row, by the order of the epochs alone."""
    return [4 * e + m for e in range(count // 4) for m in range(4) if BAD in trainer._shuffled(e).numpy()[m]]


# --------------------------------------------------------------------- skipping


def skipped_by_hand(data, model, **settings):
    """The same steps without a guard: where the row is met, all that can be saved is put back."""
    trainer = trainer_of(data, model, compile=False, **settings)
    bad = meeting_the_bad_row(trainer)
    for step in range(12):
        arrays, _ = trainer.state()
        trainer.train_step()
        if step in bad:
            trainer.model.load_state_dict({k[6:]: a for k, a in arrays.items() if k.startswith("model/")})
            for i, optimizer in enumerate(trainer.optimizers):
                mine = {k.split("/")[2]: a for k, a in arrays.items() if k.startswith(f"optimizer/{i}/")}
                optimizer.load_state_dict({**mine, "count": step + 1})
    return trainer


@quiet
@pytest.mark.parametrize("name", MODELS)
def test_a_skipped_step_changes_nothing_in_any_model(data, name):
    found, expected = trainer_of(data, member(name), skip_nonfinite=True), skipped_by_hand(data, member(name))
    assert steps(found) == meeting_the_bad_row(found)
    assert found.skipped == 3
    assert {**states(found), "skipped": b""} == {**states(expected), "skipped": b""}


@quiet
@pytest.mark.parametrize("how", ["eager", "compiled", "numba"])
@pytest.mark.parametrize("optimizer", ["adam", "adagrad", "adamax", "sgd"])
def test_and_with_any_optimizer_however_it_runs(data, optimizer, how, monkeypatch):
    if how == "numba":
        pytest.importorskip("numba")
        monkeypatch.setattr(replay_numba, "LEAST_SIZE", 2)
    settings = {"optimizer": optimizer, "optimizer_options": {"max_norm": 1.0, "weight_decay": 0.01}}
    found = trainer_of(data, skip_nonfinite=True, compile=how != "eager", **settings)
    expected = skipped_by_hand(data, member("vae"), **settings)
    assert steps(found) == meeting_the_bad_row(found)
    assert {**states(found), "skipped": b""} == {**states(expected), "skipped": b""}


@quiet
@pytest.mark.parametrize("compile", [False, True])
def test_skipping_never_waits_for_the_device(data, compile):
    trainer = trainer_of(data, member("vae", backend="strict"), skip_nonfinite=True, compile=compile)
    trainer.train.images.data[BAD] = np.nan
    with strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64"):
        for _ in range(4):
            trainer.train_step()
    assert trainer.skipped == 1


def test_where_all_is_finite_skipping_changes_no_bit(data):
    found, expected = trainer_of(data, skip_nonfinite=True), trainer_of(data)
    for _ in range(4):
        terms = [{name: float(part) for name, part in t.train_step().items()} for t in (found, expected)]
        assert terms[0] == {**terms[1], "skipped": 0}
    rows = found.report(), expected.report()
    assert rows[0] == {**rows[1], "skipped": 0}
    assert {**states(found), "skipped": b""} == {**states(expected), "skipped": b""}


@quiet
def test_the_report_counts_skipped_steps_and_averages_the_others(data):
    trainer = trainer_of(data, skip_nonfinite=True)
    trainer.train.images.data[BAD] = np.inf
    terms = [{name: float(part) for name, part in trainer.train_step().items()} for _ in range(4)]
    trainer.train.images.data[BAD] = 0.5
    row = trainer.report()
    assert row["skipped"] == sum(p["skipped"] for p in terms) == 1
    taken = [p["bound"] for p in terms if not p["skipped"]]
    assert row["train_bound"] == pytest.approx(np.mean(taken), rel=1e-6)
    assert [p["bound"] for p in terms if p["skipped"]] == [0.0]


@quiet
def test_an_update_that_overflows_is_skipped_too(data):
    trainer = trainer_of(data, optimizer="sgd", lr=1e38, skip_nonfinite=True)
    before = states(trainer)
    trainer.train.images.data[...] = 1e5  # finite, as are bound and gradient; only the update is not
    assert float(trainer.train_step()["skipped"]) == 1
    assert {**states(trainer), "skipped": b""} == {**before, "skipped": b""}


@quiet
def test_a_run_in_which_every_step_is_skipped_ends(data):
    trainer = trainer_of(data, skip_nonfinite=True)
    trainer.model.encoder.mean.bias.data[1] = np.inf
    with pytest.raises(NonFiniteError) as raised:
        run_to_end(trainer, progress=False)
    message = str(raised.value)
    assert message.startswith(
        "all of the last 4 steps read were skipped at step 4: encoder.mean.bias holds an infinity;"
    )


@quiet
@pytest.mark.parametrize("stop", [2, 6, 8])
def test_a_run_that_skips_is_resumed_exactly(data, stop):
    whole, begun, resumed = (trainer_of(data, skip_nonfinite=True) for _ in range(3))
    assert steps(whole) == [*steps(begun, stop), *_resumed_steps(begun, resumed, 12 - stop)]
    assert_same_state(resumed, whole)
    assert resumed.skipped == whole.skipped == 3


def _resumed_steps(begun, resumed, count):
    resumed.load_state(*begun.state())
    return steps(resumed, count)


@quiet
def test_skipping_may_begin_or_end_when_a_run_is_resumed(data):
    stopped, skipping, stopping = trainer_of(data), trainer_of(data, skip_nonfinite=True), trainer_of(data)
    for _ in range(2):
        stopped.train_step()
    skipping.load_state(*stopped.state())
    steps(skipping, 4)
    stopping.load_state(*skipping.state())
    counts = skipping.running_terms(), stopping.running_terms()
    assert counts[0] == counts[1]


# ---------------------------------------------------------------------- naming


@quiet
@pytest.mark.parametrize(("value", "kind"), [(np.nan, "NaN"), (np.inf, "an infinity"), (-np.inf, "an infinity")])
def test_the_error_names_a_parameter(data, value, kind):
    trainer = trainer_of(data)
    trainer.model.decoder.logits.layers[1].bias.data[2] = value
    with pytest.raises(
        NonFiniteError, match=rf"at step 0: bound.*; decoder\.logits\.layers\.1\.bias holds {kind}; lower"
    ):
        trainer.report()


@quiet
def test_of_many_faults_the_error_names_three_and_counts_the_others(data):
    trainer = trainer_of(data)
    trainer.model.decoder.logits.layers[1].bias.data[2] = np.nan
    trainer.train_step()
    with pytest.raises(
        NonFiniteError, match=r"encoder\.hidden\.layers\.0\.weight holds NaN;.*; 27 more are not finite"
    ):
        trainer.report()


def test_the_error_names_an_optimizers_moment_that_has_no_effect(data):
    trainer = trainer_of(data)
    for _ in range(4):
        trainer.train_step()
    trainer.optimizers[0].state[1].data[-1] = np.inf  # the step over its root is 0
    with pytest.raises(NonFiniteError) as raised:
        trainer.report()
    expected = "parameters or moments are not finite at step 4: Adam's v of decoder.logits.layers.1.bias holds an infin"
    assert str(raised.value).startswith(expected)
    assert not trainer.history.rows


@quiet
@pytest.mark.parametrize("name", ["train", "test"])
def test_the_error_names_a_row_of_data_that_has_been_spoilt(data, name):
    data = Dataset("made", Split(data.train.images.copy()), Split(data.test.images.copy()), None, 1.0, "")
    trainer = trainer_of(data)
    getattr(trainer, name).images.data[BAD, 2] = np.nan
    where = {"train": "training", "test": "test"}[name]
    with pytest.raises(NonFiniteError, match=f"the {where} bound.* at step 4: bound nan,.*; {where} row 13 .*value 2;"):
        run_to_end(trainer, progress=False)


@pytest.mark.parametrize("part", ["training", "test"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_data_that_are_not_finite_are_refused_before_work_starts(rng, value, part, likelihood):
    images = rng.uniform(size=(2, 2000, 6))
    images[int(part == "test"), 1500, 4] = value
    data = Dataset("mine", Split(images[0]), Split(images[1]), None, 1.0, "")
    with pytest.raises(InputError) as raised:
        trainer_of(data, member("vae", likelihood=likelihood))
    assert str(raised.value) == f"mine has {value} in {part} row 1500, value 4; expected finite float32 numbers"


def test_what_float32_cannot_hold_float64_can():
    images = np.array([[1e39, 0.0]])
    with np.errstate(over="ignore"):
        trainer_of(made_of(images), small_model(data_dim=2, likelihood="gaussian", dtype="float64"), batch_size=1)


# ----------------------------------------------------------------- anomaly mode


@pytest.mark.parametrize("name", MODELS)
def test_anomaly_mode_finds_nothing_in_a_good_run_and_changes_no_bit(data, name):
    found, expected = trainer_of(data, member(name), detect_anomaly=True), trainer_of(data, member(name))
    for trainer in (found, expected):
        for _ in range(2):
            trainer.train_step()
    assert states(found) == states(expected)


@quiet
def test_anomaly_mode_names_operation_line_step_and_row(data):
    trainer = trainer_of(data, detect_anomaly=True)
    bad = meeting_the_bad_row(trainer)[0]
    trainer.train.images.data[BAD, 2] = np.nan
    with pytest.raises(NonFiniteError) as raised:
        run_to_end(trainer, progress=False)
    message = str(raised.value)
    assert f"the first NaN or infinity arose at step {bad}: take of (40, 6), " in message
    assert "minibatches.py:" in message
    assert "training row 13 is not finite at value 2" in message


@quiet
def test_anomaly_mode_names_a_parameter_before_the_step_that_reads_it(data):
    trainer = trainer_of(data, detect_anomaly=True)
    trainer.train_step()
    trainer.model.encoder.mean.bias.data[0] = -np.inf
    with pytest.raises(NonFiniteError, match=r"are not finite at step 1: encoder\.mean\.bias holds an infinity"):
        trainer.train_step()


@quiet
def test_a_run_that_stopped_goes_on_in_anomaly_mode_to_the_operation(data, tmp_path):
    """The last good checkpoint leads to the same fault again, since a resumed run is exact."""
    run = Run.create(tmp_path / "run", {"model": "vae"})

    class Spoilt(type(member("vae"))):
        def phases(self, batch, noise):
            phase = super().phases(batch, noise)[0]
            return [phase._replace(loss=phase.loss / self.divisor)]

        def advance(self, step, total_steps):
            self.divisor.data[...] = 0.0 if step == 6 else 1.0

    def model():
        made = Spoilt(DATA_DIM, 3, (5,))
        made.divisor = made.scalar(1.0)
        return made

    options = {"run": run, "batch_size": BATCH, "epochs": 3, "progress": False}
    with pytest.raises(NonFiniteError, match="training bound is not finite at step 8"):
        fit(model(), data, **options)
    with pytest.raises(NonFiniteError) as raised:
        fit(model(), data, resume=True, detect_anomaly=True, **options)
    message = str(raised.value)
    assert "arose at step 6: divide of (), () produced an infinity, called at" in message
    assert "test_finite.py:" in message
    assert "phase.loss / self.divisor" in message
