"""The validation part decides when to stop and which model is kept; the test part decides nothing."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.datasets import Dataset, Split
from minivae.errors import InputError
from minivae.runs import Pace, Run, load_checkpoint
from minivae.training import Minibatches, Settings, Trainer, evaluate, fit, run_to_end
from minivae.training.validation import Judge, with_validation

from ..models.members import member
from .conftest import assert_same_state, made_of, small_model, small_trainer


@pytest.fixture
def parted(digits):
    """The digits with a validation part of their own."""
    rows, labels = digits.train.images, digits.train.labels
    train, apart = (Split(rows[part], labels[part]) for part in (slice(30, None), slice(30)))
    return replace(digits, train=train, validation=apart)


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "run", {"model": "vae"})


# ------------------------------------------------------------- setting apart


@given(rows=st.integers(2, 200), seed=st.integers(0, 99), contiguous=st.booleans())
def test_a_tenth_is_set_apart_and_no_row_is_lost_or_in_both(rows, seed, contiguous):
    split = Split(np.arange(rows, dtype=np.float32)[:, None], np.arange(rows))
    whole = Dataset("n", split, split, None, 1.0, "contiguous: ..." if contiguous else "random, seed 0")
    data = with_validation(whole, seed)
    assert len(data.validation) == max(1, round(rows / 10))
    both = np.concatenate([data.train.images, data.validation.images])[:, 0]
    assert sorted(both) == list(range(rows))
    np.testing.assert_array_equal(data.validation.labels, data.validation.images[:, 0])
    assert data.test is whole.test
    if contiguous:
        np.testing.assert_array_equal(both, np.arange(rows))
    again = with_validation(whole, seed)
    np.testing.assert_array_equal(again.validation.images, data.validation.images)
    assert str(len(data.validation)) in data.account["set_apart"]


def test_a_part_of_their_own_is_taken_and_one_row_is_too_few(parted):
    assert with_validation(parted, 0) is parted
    with pytest.raises(InputError, match="made has 1 training rows; expected more than 1"):
        with_validation(made_of(np.ones((1, 2))), 0)


def test_as_many_are_set_apart_as_an_objective_compares():
    model = member("factor-vae")
    trainer = Trainer(model, made_of(np.zeros((20, 6))), Settings(batch_size=5, patience=2))
    assert len(trainer.validation) == model.least_points == 3
    trainer.report()


def test_rows_are_set_apart_for_patience_alone(digits):
    assert small_trainer(digits).validation is None
    assert len(small_trainer(digits, patience=3).validation) == 23


@pytest.mark.parametrize("wrong", [3, np.ones((3, 64)), "x"])
def test_a_validation_part_that_is_none_is_refused(digits, wrong):
    with pytest.raises(InputError, match=r"validation is .*; expected a Split"):
        replace(digits, validation=wrong)


def test_a_validation_part_is_looked_at_like_the_others(digits):
    with pytest.raises(InputError, match="validation has 3 columns; expected 64"):
        replace(digits, validation=Split(np.ones((2, 3))))
    rows = np.zeros((2, 64))
    rows[1, 2] = np.nan
    with pytest.raises(InputError, match="validation row 1, value 2"):
        small_trainer(replace(digits, validation=Split(rows)))
    with pytest.raises(InputError, match=r"values from .* to 2; expected values in"):
        small_trainer(replace(digits, validation=Split(np.full((2, 64), 32.0))))


# -------------------------------------------------------------- what decides

REPORTS = st.lists(st.floats(-50, 0), min_size=1, max_size=30)


@given(bounds=REPORTS, patience=st.integers(1, 5))
def test_the_rules_by_their_definition(bounds, patience):
    rows = [{"validation_bound": bound, "test_bound": -bound} for bound in bounds]
    growing: list[dict[str, float]] = []
    judge = Judge(growing)
    assert judge.best() == -1
    for number, row in enumerate(rows, 1):
        growing.append(row)
        seen = bounds[:number]
        assert judge.best() == Judge(rows[:number]).best() == seen.index(max(seen))
        stopped = len(seen) > patience and max(seen[-patience:]) <= max(seen[:-patience])
        assert judge.out_of_patience(patience) is stopped
        assert judge.out_of_patience(None) is False


def test_the_objective_counts_where_a_model_has_one():
    rows = [{"validation_bound": b, "validation_objective": o} for b, o in ((-1, -9), (-2, -8))]
    assert Judge(rows).best() == 1


def trained(dataset, run=None, **settings):
    trainer = small_trainer(dataset, **{"epochs": 30, "lr": 0.3, **settings})
    run_to_end(trainer, run, progress=False)
    return trainer


def test_the_test_part_has_no_say(parted):
    """Other test data: the same steps, the same stop, the same best model."""
    other = replace(parted, test=Split(np.full((5, 64), 16, np.uint8), np.zeros(5, int)))
    one, two = (trained(data, patience=3) for data in (parted, other))
    assert one.step == two.step < 30 * one.steps_per_epoch
    assert one.history.columns()["validation_bound"] == two.history.columns()["validation_bound"]
    assert one.history.columns()["test_bound"] != two.history.columns()["test_bound"]
    for name, value in one.best.items():
        np.testing.assert_array_equal(value, two.best[name])


def test_fit_leaves_the_best_model(parted):
    model = small_model()
    history = fit(model, parted, epochs=15, lr=0.3, batch_size=50, progress=False)
    bounds = history.columns()["validation_bound"]
    assert bounds[-1] < max(bounds)  # so that there is a difference
    found = evaluate(model, Minibatches(parted.validation, parted.scale))["bound"]
    assert found == pytest.approx(max(bounds), rel=1e-6)


# ------------------------------------------------------------- the checkpoint


def bound_of(model, data):
    return evaluate(model, Minibatches(data.validation, data.scale))["bound"]


def test_the_run_keeps_the_best_beside_the_last(parted, run):
    trainer = trained(parted, run, patience=4)
    bounds = trainer.history.columns()["validation_bound"]
    assert {path.name for path in run.folder.iterdir()} == {"config.json", "history.csv", "model.npz", "best.npz"}
    assert bound_of(run.load_model(), parted) == pytest.approx(max(bounds), rel=1e-6)
    assert bound_of(run.load_model(last=True), parted) == pytest.approx(bounds[-1], rel=1e-6)
    best = bounds.index(max(bounds)) + 1
    assert run.which_model() == f"the best by the validation part, of epoch {best}"
    assert run.which_model(last=True) == f"the last, of epoch {len(bounds)}"


def test_the_file_of_the_best_holds_its_model_and_the_history_up_to_it(parted, run):
    """Whenever it is written: here with the last checkpoint, long after the best report."""
    run.pace = Pace(1e9)
    trainer = trained(parted, run, patience=4)
    arrays, meta = load_checkpoint(run.best_path)
    assert arrays.keys() == {f"model/{name}" for name in trainer.best}
    bounds = trainer.history.columns()["validation_bound"]
    assert len(meta["history"]) == bounds.index(max(bounds)) + 1 < len(bounds)


def test_without_a_validation_part_the_last_is_kept(digits, run):
    trained(digits, run, epochs=2)
    assert not run.best_path.exists()
    assert run.which_model() == run.which_model(last=True) == "the last, of epoch 2"


def stopped(*arguments):
    raise KeyboardInterrupt


@pytest.mark.parametrize("writes", range(12))
def test_whoever_is_stopped_between_two_files_and_goes_on_has_the_best_of_an_undisturbed_run(
    parted, run, tmp_path, monkeypatch, writes
):
    """Before any of the writes of checkpoints, best or last."""
    from minivae.runs.run import save_checkpoint

    run.pace = Pace(0)
    settings = {"epochs": 8, "lr": 0.1}
    whole = Run.create(tmp_path / "whole", {"model": "vae"})
    undisturbed = trained(parted, whole, **settings)
    left = [writes]

    def counted(*arguments):
        left[0] -= 1
        return stopped() if left[0] < 0 else save_checkpoint(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("minivae.runs.run.save_checkpoint", counted)
        if left[0] < 8:
            with pytest.raises(KeyboardInterrupt):
                trained(parted, run, **settings)
    again = small_trainer(parted, **settings)
    run.restore(again)
    run_to_end(again, run, progress=False)
    assert_same_state(again, undisturbed)
    for last in (False, True):
        for one, other in zip(*(r.load_model(last=last).parameters() for r in (run, whole)), strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_fit_that_resumes_leaves_the_best_of_before(parted, run):
    """Where nothing better came after the resume."""
    fit(small_model(), parted, run=run, epochs=3, batch_size=50, progress=False)
    best = run.load_model()
    run.best_path.replace(run.folder / "kept")
    model = small_model()
    trainer = small_trainer(parted, model, epochs=4)
    (run.folder / "kept").replace(run.best_path)
    run.restore(trainer)
    trainer.history.rows[0]["validation_bound"] = 0.0  # no report is better than this
    run_to_end(trainer, run, progress=False)
    trainer.take_best()
    for one, other in zip(model.parameters(), best.parameters(), strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_damaged_best_checkpoint_is_named_and_the_last_can_be_had(parted, run):
    trained(parted, run, epochs=2)
    run.best_path.write_bytes(run.best_path.read_bytes()[:-50])
    with pytest.raises(InputError, match=r"best\.npz"):
        run.load_model()
    run.load_model(last=True)


def test_the_best_checkpoint_of_another_run_is_refused(parted, run, tmp_path):
    trained(parted, run, epochs=2)
    other = Run.create(tmp_path / "other", {"model": "vae", "options": {"seed": 5}})
    trained(parted, other, epochs=2)
    other.best_path.replace(run.best_path)
    with pytest.raises(InputError, match=r"best\.npz is of another run"):
        run.load_model()


def test_patience_cannot_begin_or_end_where_rows_were_set_apart_for_it(digits, parted, run):
    saved = trained(digits, epochs=1)
    with pytest.raises(InputError, match=r"validation_rows is 23; the run to resume has 0 .patience"):
        small_trainer(digits, patience=2, lr=0.3).load_state(*saved.state())
    saved = trained(parted, epochs=1)  # with a part of their own it may
    small_trainer(parted, patience=2).load_state(*saved.state())
