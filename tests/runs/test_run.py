"""Run: the folder of a training run."""

import errno
import multiprocessing
import os
import shutil
import threading

import numpy as np
import pytest
from matplotlib.figure import Figure

from minivae.errors import InputError, NonFiniteError
from minivae.files import atomic_path
from minivae.runs import History, Run, load_checkpoint, save_checkpoint
from minivae.runs.config import WHAT_TO_DO

from ..training.conftest import assert_same_state, small_model, small_trainer

CONFIG = {"model": "vae", "options": {"data": "größe", "hidden": [16]}}


@pytest.fixture
def trainer(digits):
    trainer = small_trainer(digits)
    trainer.train_step()
    trainer.report()
    return trainer


@pytest.fixture
def run(tmp_path, trainer):
    """A run with a checkpoint."""
    run = Run.create(tmp_path / "runs" / "first", CONFIG)
    run.save(trainer)
    return run


def refusal(function, *args):
    with pytest.raises(InputError) as raised:
        function(*args)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_run_is_a_folder_of_three_files(run):
    assert sorted(file.name for file in run.folder.iterdir()) == ["config.json", "history.csv", "model.npz"]
    config = Run.open(run.folder).config
    assert len(config.pop("id")) == 16
    assert config == CONFIG


def test_the_history_is_in_the_checkpoint_and_beside_it(run, trainer):
    assert run.load_history().rows == trainer.history.rows
    assert History.load(run.history_path).rows == trainer.history.rows


def test_the_trained_model_comes_back(run, trainer, digits):
    x = digits.test.images[:5] / 16.0
    model = Run.open(run.folder).load_model()
    np.testing.assert_array_equal(model.reconstruct(x).numpy(), trainer.model.reconstruct(x).numpy())
    assert model.config == trainer.model.config


def test_the_model_comes_back_on_another_backend_and_in_another_dtype(run, trainer):
    model = run.load_model(dtype="float64", backend="strict")
    z = np.zeros((1, 3))
    expected = trainer.model.decode(z).numpy()
    found = model.decode(strict_zeros()).numpy()
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_model_comes_back_in_its_own_dtype(tmp_path, digits, dtype):
    """Weights of float64 cut to float32 would give other numbers than the run did."""
    run, trainer = Run.create(tmp_path / "run", CONFIG), small_trainer(digits, small_model(dtype=dtype))
    trainer.train_step()
    run.save(trainer)
    for name, array in Run.open(run.folder).load_model().state_dict().items():
        assert array.dtype == dtype
        np.testing.assert_array_equal(array, trainer.model.state_dict()[name])
    other = {"float32": "float64", "float64": "float32"}[dtype]
    assert run.load_model(dtype=other).parameters()[0].dtype == other


def test_what_a_model_is_not_opened_with(run):
    assert "dtype is 'int8'; expected one of float32, float64" in refusal(lambda: run.load_model(dtype="int8"))
    assert "'abacus'" in refusal(lambda: run.load_model(backend="abacus"))


def strict_zeros():
    from minivae import backend

    return backend.asarray(np.zeros((1, 3)), backend="strict")


def test_restore_puts_everything_back(run, trainer, digits):
    other = small_trainer(digits, small_model(seed=4))
    Run.open(run.folder).restore(other)
    assert_same_state(other, trainer)


def test_without_a_checkpoint_a_trainer_stays_at_its_start(tmp_path, digits):
    trainer = small_trainer(digits)
    Run.create(tmp_path, CONFIG).restore(trainer)
    assert_same_state(trainer, small_trainer(digits))


def test_whoever_is_stopped_between_the_two_files_has_the_older_checkpoint(run, trainer, monkeypatch):
    """The other way round, a run killed after its last checkpoint would have an old history and nothing left to do."""
    before = run.checkpoint_path.read_bytes()
    trainer.train_step()
    trainer.report()
    monkeypatch.setattr("minivae.runs.run.save_checkpoint", stopped)
    with pytest.raises(KeyboardInterrupt):
        run.save(trainer)
    assert run.checkpoint_path.read_bytes() == before
    assert len(History.load(run.history_path)) == 2


def stopped(*arguments):
    raise KeyboardInterrupt


def test_a_folder_with_a_run_is_not_taken(run):
    assert "holds a run already; choose another folder, or resume it" in refusal(Run.create, run.folder, CONFIG)


def test_a_folder_where_a_file_lies_is_refused(tmp_path):
    (tmp_path / "taken").write_text("")
    assert "cannot make the folder" in refusal(Run.create, tmp_path / "taken", CONFIG)
    assert "cannot make the folder" in refusal(Run.create, tmp_path / "taken" / "below", CONFIG)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    assert "cannot" in refusal(Run.create, tmp_path, CONFIG)
    assert "cannot make the folder" in refusal(Run.create, tmp_path / "below", CONFIG)


def test_a_folder_without_a_run_is_named(tmp_path):
    assert refusal(Run.open, tmp_path / "none") == f"{tmp_path / 'none'} is not a run: it has no config.json"


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"3", b"\xff\xfe"])
def test_a_damaged_config_is_named(run, content):
    run.config_path.write_bytes(content)
    assert f"{run.config_path} is damaged: " in refusal(Run.open, run.folder)


@pytest.mark.parametrize("config", [{}, {"model": "vea"}, {"model": 3}])
def test_a_run_of_a_model_that_is_not_there_is_not_opened(tmp_path, config):
    run = Run.create(tmp_path, config)
    message = refusal(Run.open, run.folder)
    assert message.startswith(f"model in {run.config_path} is {config.get('model')!r}; expected one of vae, ")


def test_a_config_is_what_it_was_when_it_was_given(tmp_path, trainer):
    config = {"model": "vae", "betas": (0.9, np.float64(0.99))}
    run = Run.create(tmp_path, config)
    config["seed"] = 3
    run.save(trainer)
    assert Run.open(tmp_path).config == run.config == {"model": "vae", "betas": [0.9, 0.99], "id": run.config["id"]}


def test_a_checkpoint_of_another_run_is_refused_though_it_was_asked_for_the_same(run, trainer, tmp_path):
    other = Run.create(tmp_path / "other", CONFIG)
    other.save(trainer)
    shutil.copy(other.checkpoint_path, run.checkpoint_path)
    assert "model.npz is of another run" in refusal(Run.open, run.folder)


def test_a_folder_with_other_files_is_not_taken_and_stays_as_it_is(tmp_path):
    for name in ("thesis.tex", "b", "c", "d"):
        (tmp_path / name).touch()
    before = tmp_path.stat().st_mtime_ns
    message = refusal(Run.create, tmp_path, CONFIG)
    assert message == f"{tmp_path} holds other files: b, c, d and 1 more; expected a new or empty folder"
    assert tmp_path.stat().st_mtime_ns == before


def test_what_a_killed_run_left_before_its_first_file_is_no_hindrance(tmp_path):
    for name in (".lock", ".config.part-0123abcd.json", ".config.lock-0123abcd.json"):
        (tmp_path / name).touch()
    Run.create(tmp_path, CONFIG)
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_a_run_without_a_checkpoint_says_so(tmp_path):
    run = Run.create(tmp_path, CONFIG)
    for function in (run.load_model, run.load_history):
        assert refusal(function) == (
            f"{tmp_path} has no model.npz: nothing has been trained there yet; minivae train --resume {tmp_path} begins"
        )


def test_a_damaged_checkpoint_is_named(run, trainer):
    run.checkpoint_path.write_bytes(run.checkpoint_path.read_bytes()[:-100])
    for function in (run.load_model, run.load_history, lambda: run.restore(trainer), lambda: Run.open(run.folder)):
        message = refusal(function)
        assert message.startswith(str(run.checkpoint_path))
        assert message.endswith(WHAT_TO_DO)


def test_a_checkpoint_without_its_config_says_what_is_lost(run):
    run.config_path.unlink()
    assert refusal(Run.open, run.folder) == f"{run.folder} has model.npz but no config.json; {WHAT_TO_DO}"


def test_a_diverged_model_does_not_replace_a_good_checkpoint(run, trainer):
    before = run.checkpoint_path.read_bytes()
    trainer.model.parameters()[0].data[0, 0] = np.nan
    with pytest.raises(NonFiniteError, match=r"encoder\.hidden\.layers\.0\.weight holds NaN"):
        run.save(trainer)
    assert run.checkpoint_path.read_bytes() == before


# ---------------------------------------------------------------- one at a time


def enter(run):
    with run.exclusive():
        pytest.fail("let in")


def test_the_second_is_refused_while_the_first_is_there(run):
    with run.exclusive():
        other = Run.open(run.folder)
        assert refusal(enter, other) == f"another process or thread is training in {run.folder}"
        assert "holds a run already" in refusal(Run.create, run.folder, CONFIG)
    with other.exclusive():
        pass
    assert sorted(file.name for file in run.folder.iterdir()) == ["config.json", "history.csv", "model.npz"]


def test_blocks_of_one_thread_are_nested_and_another_thread_is_refused(run):
    refusals = []
    with run.exclusive(), run.exclusive():
        thread = threading.Thread(target=lambda: refusals.append(refusal(enter, run)))
        thread.start()
        thread.join()
    assert len(refusals) == 1


def test_a_run_is_free_again_after_an_error(run):
    with pytest.raises(KeyboardInterrupt), run.exclusive():
        raise KeyboardInterrupt
    with Run.open(run.folder).exclusive():
        pass


def test_what_a_killed_process_left_half_written_is_removed(run):
    (run.folder / ".model.part-0123abcd.npz").write_bytes(b"half")
    with run.exclusive():
        assert not list(run.folder.glob(".model*"))


def draw_when_told(path, begun, go_on):
    """As ``minivae plot`` and ``sample`` do, and ``train`` after its last step: without the lock of who trains."""
    figure = Figure()
    with atomic_path(path) as part:
        begun.set()
        go_on.wait(60)
        figure.savefig(part)


def test_a_figure_that_another_process_is_drawing_is_not_a_leftover_of_a_killed_one(run):
    spawn = multiprocessing.get_context("spawn")
    begun, go_on = spawn.Event(), spawn.Event()
    drawing = spawn.Process(target=draw_when_told, args=(run.folder / "samples.png", begun, go_on))
    drawing.start()
    assert begun.wait(60)
    with run.exclusive():
        go_on.set()
        drawing.join()
    assert drawing.exitcode == 0
    names = {path.name for path in run.folder.iterdir()}
    assert names == {"config.json", "history.csv", "model.npz", "samples.png"}


def test_nothing_is_removed_where_there_are_no_locks(run, monkeypatch):
    """Another process may be writing it."""

    def flock(file, how):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", flock)
    part = run.folder / ".model.part-0123abcd.npz"
    part.write_bytes(b"half")
    with run.exclusive(), Run.open(run.folder).exclusive():
        assert part.exists()


def test_a_run_without_its_folder_names_it(tmp_path):
    assert refusal(enter, Run(tmp_path / "gone")).startswith(
        f"cannot write {tmp_path / 'gone' / '.lock'}: No such file"
    )


def test_a_discarded_run_leaves_nothing_but_what_is_not_its_own(tmp_path):
    for name, others in {"empty": [], "used": ["notes.txt"]}.items():
        run = Run.create(tmp_path / name, CONFIG)
        for other in others:
            (run.folder / other).write_text("")
        with run.exclusive():
            run.discard()
        assert run.folder.exists() is bool(others)
    assert [path.name for path in tmp_path.rglob("*")] == ["used", "notes.txt"]


# ------------------------------------------------------- what does not belong together


def saved_with(run, change):
    """Save the run's checkpoint with other content and a checksum that is right."""
    arrays, meta = load_checkpoint(run.checkpoint_path)
    change(arrays, meta)
    save_checkpoint(run.checkpoint_path, arrays, meta)


FOREIGN = {
    "no step": lambda arrays, meta: meta.pop("step"),
    "settings a list": lambda arrays, meta: meta.update(settings=[1]),
    "a step that is text": lambda arrays, meta: meta.update(step="4"),
    "a history of text": lambda arrays, meta: meta.update(history=["row"]),
    "another generator": lambda arrays, meta: meta.update(generator={"bit_generator": "MT19937"}),
    "no generator": lambda arrays, meta: meta.update(generator=3),
    "a generator out of range": lambda arrays, meta: meta["generator"]["state"].update(state=-1),
    "no count": lambda arrays, meta: arrays.pop("optimizer/0/count"),
    "no moment": lambda arrays, meta: arrays.pop("optimizer/0/m.0"),
    "a moment of another shape": lambda arrays, meta: arrays.update({"optimizer/0/v.0": np.zeros(3)}),
    "a moment of text": lambda arrays, meta: arrays.update({"optimizer/0/v.1": np.array("x")}),
    "a second optimizer": lambda arrays, meta: arrays.update({"optimizer/1/count": np.array(3)}),
    "an unknown array": lambda arrays, meta: arrays.update(x=np.zeros(3)),
    "sums without steps": lambda arrays, meta: arrays.update({"running/kl": np.array(2.0)}),
    "steps without sums": lambda arrays, meta: meta.update(running_steps=2),
    "sums by element": lambda arrays, meta: (arrays.update({"running/kl": np.zeros(3)}), meta.update(running_steps=2)),
    "no parameter": lambda arrays, meta: arrays.pop("model/encoder.mean.bias"),
}


@pytest.mark.parametrize("change", FOREIGN)
def test_a_checkpoint_with_something_else_in_it_is_refused_by_name(run, digits, change):
    saved_with(run, FOREIGN[change])
    assert f"{run.checkpoint_path} does not fit: " in refusal(run.restore, small_trainer(digits))


@pytest.mark.parametrize("wrong", [None, [1], {}, {"data_dim": "64"}, {"data_dim": 64, "rows": 3}, {"data_dim": -1}])
def test_a_model_that_cannot_be_made_is_refused_by_name(run, wrong):
    saved_with(run, lambda arrays, meta: meta.update(model=wrong))
    assert f"{run.checkpoint_path} does not fit: " in refusal(run.load_model)


def test_a_history_of_another_kind_is_refused_by_name(run):
    saved_with(run, lambda arrays, meta: meta.update(history=[{"epoch": "1"}]))
    assert f"{run.checkpoint_path} does not fit: history[0]['epoch'] is '1'" in refusal(run.load_history)


def test_a_checkpoint_of_another_run_is_refused_everywhere(run, trainer, digits):
    other = Run.create(run.folder.with_name("second"), {**CONFIG, "options": {**CONFIG["options"], "seed": 1}})
    other.save(trainer)
    shutil.copy(other.checkpoint_path, run.checkpoint_path)
    for function in (lambda: Run.open(run.folder), run.load_model, run.load_history, lambda: run.restore(trainer)):
        message = refusal(function)
        assert message.startswith(f"{run.checkpoint_path} is of another run: its configuration was not that of config")
        assert message.endswith(WHAT_TO_DO)


def test_a_configuration_written_anew_with_its_checksum_is_refused(run):
    run.config["options"]["hidden"] = [8]
    run.save_config()
    assert f"{run.checkpoint_path} is of another run" in refusal(Run.open, run.folder)


def test_what_may_change_makes_no_other_run(run, trainer):
    run.config |= {"minivae": "9.1", "epochs": 7, "options": {**run.config["options"], "compile": False}}
    run.save_config()
    assert Run.open(run.folder).load_history().rows == trainer.history.rows


def test_a_checkpoint_without_a_seal_is_of_no_run(run):
    saved_with(run, lambda arrays, meta: meta.pop("seal"))
    assert f"{run.checkpoint_path} is of another run" in refusal(run.load_model)
