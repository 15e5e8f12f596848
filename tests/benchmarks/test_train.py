"""A race of training commands: when each reports what."""

from importlib.util import find_spec

import pytest

from benchmarks import train
from benchmarks.train import Task
from benchmarks.worker import WorkerError

TASK = Task(hidden=10, latent=2, lr=0.01, epochs=2, bound=-30.0)
# What both kinds of runs leave, here without any training.
SCRIPT = """
import time
for epoch, bound in ((1, -40.5), (2, -29.25)):
    time.sleep(0.2)
    print(f"epoch {epoch}, {epoch * 1.5:.3f} s: train bound -1.0, test bound {bound:.3f}", flush=True)
time.sleep(0.3)
"""
OURS = """
import os
os.mkdir("run")
open("run/history.csv", "w").write("seconds,test_bound\\n1.5,-40.5\\n3.0,-29.25\\n")
"""


@pytest.mark.parametrize("program", [SCRIPT, OURS], ids=["script", "ours"])
def test_a_race_tells_when_the_bound_was_reached_and_what_it_took(program, tmp_path):
    found = train._race(["-c", program], tmp_path, TASK)
    assert (found["epochs_to_bound"], found["training_seconds"], found["last_bound"]) == (2, 3.0, -29.25)
    assert 0 < found["seconds_to_bound"] <= found["seconds"] < 60
    if program is SCRIPT:
        assert found["seconds_to_bound"] >= 0.4
        assert found["seconds"] - found["seconds_to_bound"] >= 0.2
    assert 4 < found["peak_memory_mib"] < 1000


@pytest.mark.parametrize(
    ("program", "says"),
    [("raise SystemExit(5)", "exit code 5"), (SCRIPT.replace("-29.25", "-31"), "-31.0"), (SCRIPT[:60], "exit code 1")],
    ids=["fails", "never gets there", "is wrong"],
)
def test_a_run_that_fails_or_stays_below_the_bound_is_an_error(program, says, tmp_path):
    with pytest.raises(WorkerError, match=says):
        train._race(["-c", program], tmp_path, TASK)


def test_without_pytorch_minivae_runs_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(train, "find_spec", lambda package: None)
    assert list(train._commands(TASK, tmp_path / "data.npz")) == [train.OURS]


def test_minivae_train_takes_the_command(tmp_path):
    path = tmp_path / "digits.npz"
    assert train.DataFile().write("digits", str(path)) == (1500, 64)
    task = TASK._replace(bound=-44.0)
    found = train._race(train._commands(task, path)[train.OURS], tmp_path, task)
    assert found["epochs_to_bound"] in (1, 2)
    assert -44 <= found["last_bound"] < -25


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_the_script_learns_what_minivae_learns(tmp_path):
    path = tmp_path / "digits.npz"
    train.DataFile().write("digits", str(path))
    task = Task(hidden=50, latent=4, lr=0.005, epochs=10, bound=-40.0)
    bounds = []
    for label in ("minivae train", "torch_script.py"):
        folder = tmp_path / label.replace(" ", "_")
        folder.mkdir()
        bounds.append(train._race(train._commands(task, path)[label], folder, task)["last_bound"])
    assert abs(bounds[0] - bounds[1]) < 0.5, bounds  # those of two seeds differ by 0.2
