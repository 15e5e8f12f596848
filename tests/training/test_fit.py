"""fit: whole runs, what they learn, and how they go on and end."""

import signal
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from minivae import datasets
from minivae.errors import InputError, NonFiniteError
from minivae.models import VAE
from minivae.runs import History, Pace, Run
from minivae.training import Settings, Trainer, fit, run_to_end
from minivae.training.interrupt import Interrupt

from .conftest import STEPS_PER_EPOCH, assert_same_state, made_of, small_model, small_trainer

OPTIMIZERS = {
    "adam": {"optimizer": "adam", "schedule": "constant"},
    "adagrad": {"optimizer": "adagrad", "optimizer_options": {"warmup": 3}},
    "adamax": {"optimizer": "adamax", "schedule": "constant"},
    "sgd": {"optimizer": "sgd", "lr": 1e-3, "optimizer_options": {"momentum": 0.9}},
}


@pytest.fixture
def run(tmp_path):
    return Run.create(tmp_path / "run", {"model": "vae"})


def trained(digits, run=None, model=None, **settings):
    """A trainer after the run that the settings ask for."""
    trainer = small_trainer(digits, model, **{"epochs": 4, **settings})
    run_to_end(trainer, run, progress=False)
    return trainer


def resumed(digits, run, **settings):
    """The same, going on from a checkpoint, in a model that began elsewhere."""
    trainer = small_trainer(digits, small_model(seed=77), **{"epochs": 4, **settings})
    run.restore(trainer)
    run_to_end(trainer, run, progress=False)
    return trainer


def call_at_step(monkeypatch, step, action):
    """Have ``action(trainer)`` called at the end of a training step."""
    train_step = Trainer.train_step

    def hooked(trainer):
        terms = train_step(trainer)
        if trainer.step == step:
            action(trainer)
        return terms

    monkeypatch.setattr(Trainer, "train_step", hooked)


# ------------------------------------------------------------------ resume


@pytest.mark.parametrize("binarize", ["none", "dynamic"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_two_epochs_and_two_more_are_four(digits, run, optimizer, binarize):
    settings = {**OPTIMIZERS[optimizer], "binarize": binarize}
    whole = trained(digits, **settings)
    trained(digits, run, epochs=2, **settings)
    assert_same_state(resumed(digits, run, **settings), whole)


def test_resume_is_exact_at_the_width_of_a_real_run(run):
    """784 pixels and 500 hidden units: products large enough for several threads."""
    data = made_of(np.random.default_rng(0).integers(0, 256, (300, 784), np.uint8), 255.0)

    def trainer(epochs, seed=0):
        return Trainer(VAE(784, 20, (500,), seed=seed), data, Settings(epochs=epochs, binarize="dynamic"))

    whole, first, second = trainer(2), trainer(1), trainer(2, seed=1)
    run_to_end(whole, progress=False)
    run_to_end(first, run, progress=False)
    run.restore(second)
    run_to_end(second, run, progress=False)
    assert_same_state(second, whole)


@pytest.mark.parametrize("step", [1, STEPS_PER_EPOCH - 1, STEPS_PER_EPOCH, STEPS_PER_EPOCH + 2, 4 * STEPS_PER_EPOCH])
def test_an_interrupted_run_goes_on_where_it_was(digits, run, monkeypatch, step):
    settings = {"binarize": "dynamic", "schedule": "cosine", "weight_prior": True}
    whole = trained(digits, **settings)
    with monkeypatch.context() as patch:
        call_at_step(patch, step, lambda trainer: signal.raise_signal(signal.SIGINT))
        with pytest.raises(KeyboardInterrupt):
            trained(digits, run, **settings)
    at_interrupt = small_trainer(digits, epochs=4, **settings)
    run.restore(at_interrupt)
    assert at_interrupt.step == step
    assert_same_state(resumed(digits, run, **settings), whole)
    assert len(History.load(run.history_path)) == 4


def test_an_interrupt_before_the_first_step_leaves_a_checkpoint(digits, run, monkeypatch):
    interrupt = Interrupt()
    interrupt.signal = signal.SIGTERM
    with monkeypatch.context() as patch:
        patch.setitem(run_to_end.__globals__, "deferred_interrupt", lambda: nullcontext(interrupt))
        with pytest.raises(KeyboardInterrupt):
            trained(digits, run)
    assert len(History.load(run.history_path)) == 0
    assert_same_state(resumed(digits, run), trained(digits))


def test_an_interrupt_without_a_run_is_raised_too(digits, monkeypatch):
    call_at_step(monkeypatch, 2, lambda trainer: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        trained(digits)


def test_fit_resumes_the_run_that_it_is_given(digits, run):
    whole = fit(small_model(), digits, epochs=3, batch_size=50, progress=False)
    fit(small_model(), digits, run=run, epochs=1, batch_size=50, progress=False)
    model = small_model(seed=3)
    history = fit(model, digits, run=run, resume=True, epochs=3, batch_size=50, progress=False)
    assert [row["test_bound"] for row in history.rows] == [row["test_bound"] for row in whole.rows]
    np.testing.assert_array_equal(run.load_model().parameters()[0].numpy(), model.parameters()[0].numpy())


def test_a_run_that_is_done_has_nothing_to_resume(digits, run):
    done = trained(digits, run)
    before = run.checkpoint_path.read_bytes()
    assert_same_state(resumed(digits, run), done)
    assert run.checkpoint_path.read_bytes() == before


def test_resume_begins_where_there_is_no_checkpoint_yet(digits, run):
    fit(small_model(), digits, run=run, resume=True, epochs=2, batch_size=50, progress=False)
    whole = trained(digits, epochs=2)
    for name, array in whole.model.state_dict().items():
        np.testing.assert_array_equal(run.load_model().state_dict()[name], array)


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_in_which_another_trains_is_refused_before_the_first_step(digits, run, monkeypatch, resume):
    call_at_step(monkeypatch, 1, lambda trainer: pytest.fail("a step was made"))
    with (
        Run.open(run.folder).exclusive(),
        pytest.raises(InputError, match=r"another process or thread is training in .*run$"),
    ):
        fit(small_model(), digits, run=run, resume=resume, progress=False)


def test_nobody_else_gets_in_while_it_trains(digits, run, monkeypatch):
    def intrude(trainer):
        with pytest.raises(InputError, match="another process or thread"), Run.open(run.folder).exclusive():
            pytest.fail("let in")

    call_at_step(monkeypatch, 2, intrude)
    trained(digits, run, epochs=1)
    with Run.open(run.folder).exclusive():
        pass


def test_resume_without_a_run_is_refused(digits):
    with pytest.raises(InputError, match="resume is True without a run"):
        fit(small_model(), digits, resume=True)


def test_seconds_add_up_over_a_resume(digits, run):
    first = trained(digits, run, epochs=2).seconds
    second = resumed(digits, run)
    seconds = second.history.columns()["seconds"]
    assert 0 < first < second.seconds
    assert seconds == sorted(seconds)


# ------------------------------------------------------------- determinism


def test_the_same_seed_gives_the_same_run(digits):
    assert_same_state(trained(digits, binarize="dynamic"), trained(digits, binarize="dynamic"))


def test_another_seed_gives_another_run_from_the_same_weights(digits):
    one, other = (trained(digits, seed=seed).model.state_dict() for seed in (0, 1))
    assert all((one[name] != other[name]).any() for name in one)


def test_the_seed_of_the_model_changes_the_weights_only(digits):
    one, other = (trained(digits, model=small_model(seed=seed), epochs=1) for seed in (0, 1))
    assert one.generator.state == other.generator.state
    assert (one.order.numpy() == other.order.numpy()).all()


# ---------------------------------------------------------------- learning


def test_it_learns_the_digits():
    """More than any model can know that codes each pixel by itself; measured -25.5 nats against its -27.1."""
    data = datasets.load("digits")
    train, test = data.train.images / data.scale, data.test.images / data.scale
    ink = train.mean(0).clip(1e-6, 1 - 1e-6)
    each_pixel_alone = (test * np.log(ink) + (1 - test) * np.log(1 - ink)).sum(1).mean()
    history = fit(VAE(64, 8, (100,)), data, epochs=10, batch_size=50, lr=3e-3, progress=False)
    bounds = history.columns()["test_bound"]
    assert bounds[0] < each_pixel_alone < -27
    assert bounds[-1] > -26.5
    assert history.rows[-1]["samples_seen"] == 10 * 1500


def test_it_learns_a_gaussian_of_one_pixel():
    """The best bound of N(0, 0.1^2) is its negative entropy, 0.91 nats; N(0, 1) would give -0.92."""
    values = np.random.default_rng(0).normal(0.0, 0.1, (1000, 1))
    history = fit(
        small_model(data_dim=1, likelihood="gaussian"),
        made_of(values),
        epochs=30,
        lr=1e-2,
        report_every=30,
        progress=False,
    )
    ideal = -0.5 * np.log(2 * np.pi * np.e * values.var())
    assert ideal - 0.1 < history.rows[-1]["test_bound"] < ideal + 0.01


def test_rows_come_every_so_many_epochs_and_at_the_end(digits):
    history = trained(digits, epochs=5, report_every=2).history
    assert history.columns()["epoch"] == [2, 4, 5]
    assert history.columns()["samples_seen"] == [400, 800, 1000]


def test_it_stops_when_the_validation_bound_no_longer_rises(digits):
    # With steps this large the bound soon falls.
    trainer = trained(digits, epochs=200, lr=0.5, patience=2)
    bounds = trainer.history.columns()["validation_bound"]
    assert len(bounds) < 200
    assert max(bounds[:-2]) >= max(bounds[-2:])
    assert trainer.step == len(bounds) * STEPS_PER_EPOCH


def test_the_files_of_a_run_say_what_fit_returns(digits, run):
    history = fit(small_model(), digits, run=run, epochs=2, batch_size=50, progress=False)
    assert History.load(run.history_path).rows == history.rows == run.load_history().rows


def test_the_bar_is_on_standard_error_and_only_when_wanted(digits, capsys):
    for progress in (True, False):
        fit(small_model(), digits, epochs=30, batch_size=50, progress=progress)
        printed = capsys.readouterr()
        assert printed.out == ""
        assert ("bound -" in printed.err) is progress


# -------------------------------------------------------------- divergence


def test_a_step_size_that_is_too_large_ends_in_one_clear_error(digits, run):
    # Warnings are errors here: no spray of RuntimeWarnings may come before it.
    with pytest.raises(NonFiniteError) as raised:
        fit(small_model(), digits, run=run, lr=1e6, batch_size=50, progress=False)
    message = str(raised.value)
    assert message.startswith("the training bound is not finite at step ")
    for word in ("bound", "reconstruction", "kl", "lower the learning rate", "max_norm", "detect_anomaly"):
        assert word in message
    assert "\n" not in message
    assert not run.checkpoint_path.exists()


@pytest.mark.parametrize("step", [2 * STEPS_PER_EPOCH + 1, 3 * STEPS_PER_EPOCH])
def test_the_last_good_checkpoint_stays(digits, run, monkeypatch, step):
    """The fault comes in the middle of an epoch, or after its last step, where only the test bound shows it."""

    def spoil(trainer):
        trainer.model.parameters()[0].data[0, 0] = np.nan

    run.pace = Pace(0)
    call_at_step(monkeypatch, step, spoil)
    with pytest.raises(NonFiniteError, match=rf"bound is not finite at step {3 * STEPS_PER_EPOCH}: bound nan"):
        trained(digits, run)
    good = small_trainer(digits, epochs=2)
    run.restore(good)
    assert_same_state(good, trained(digits, epochs=2))


def test_an_interrupt_does_not_save_what_has_diverged(digits, run, monkeypatch):
    def spoil_and_stop(trainer):
        trainer.model.parameters()[0].data[0, 0] = np.nan
        signal.raise_signal(signal.SIGINT)

    call_at_step(monkeypatch, STEPS_PER_EPOCH + 1, spoil_and_stop)
    with pytest.raises(NonFiniteError, match=r"encoder\.hidden\.layers\.0\.weight holds NaN"):
        trained(digits, run)
    assert len(run.load_history()) == 1


# --------------------------------------------------------------- how often it saves


@pytest.mark.parametrize(("seconds", "reports"), [(0, [1, 2, 3, 4, 5]), (25, [1, 4, 5]), (1e9, [1, 5])])
def test_a_checkpoint_is_kept_at_the_first_report_after_so_many_seconds_and_at_the_end(
    digits, run, monkeypatch, seconds, reports
):
    now, saved, save, report = [0], [], run.save, Trainer.report
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    monkeypatch.setattr(run, "save", lambda trainer: (saved.append(trainer.epoch), save(trainer)))
    monkeypatch.setattr(Trainer, "report", lambda trainer: (now.append(now.pop() + 10), report(trainer))[1])
    run.pace = Pace(seconds)
    trained(digits, run, epochs=5)
    assert saved == reports
    assert len(run.load_history()) == len(History.load(run.history_path)) == 5


def test_a_callback_that_fails_costs_nothing_that_was_trained(digits, run):
    def fail(trainer, row):
        if trainer.epoch == 3:
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fit(
            *(small_model(), digits),
            **{"run": run, "epochs": 5, "batch_size": 50, "progress": False},
            callbacks=[SimpleNamespace(on_report=fail)],
        )
    assert len(run.load_history()) == 3


def test_an_interrupt_saves_whenever_it_comes(digits, run, monkeypatch):
    call_at_step(monkeypatch, 3 * STEPS_PER_EPOCH + 2, lambda trainer: signal.raise_signal(signal.SIGINT))
    with pytest.raises(KeyboardInterrupt):
        trained(digits, run)
    trainer = small_trainer(digits)
    run.restore(trainer)
    assert trainer.step == 3 * STEPS_PER_EPOCH + 2


def test_a_run_with_a_checkpoint_is_gone_on_with_and_never_begun_anew(digits, run):
    options = {"run": run, "epochs": 1, "batch_size": 50, "progress": False}
    fit(small_model(), digits, **options)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.folder.iterdir()}
    with pytest.raises(InputError, match=r"run holds a checkpoint; expected resume=True, to go on, or another folder"):
        fit(small_model(seed=3), digits, **options)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.folder.iterdir()} == before
