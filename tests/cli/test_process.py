"""The command line as a process of its own: entry points, signals, pipes."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from minivae import __version__

from .conftest import SMALL

COMMAND = [sys.executable, "-m", "minivae"]
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX")


@pytest.fixture
def options(tmp_path):
    """How each process runs: in the test's folder, on one thread, its standard streams read."""
    folders = [path for path in (os.getcwd(), os.environ.get("PYTHONPATH")) if path]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(folders)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return {"cwd": tmp_path, "env": environment, **pipes}


def test_python_m_minivae(options):
    shown = subprocess.run([*COMMAND, "--version"], **options)
    assert (shown.returncode, shown.stdout, shown.stderr) == (0, f"minivae {__version__}\n", "")


def test_bad_input_of_a_process(options, tmp_path):
    refused = subprocess.run([*COMMAND, "train", *SMALL, "--optimizer", "sgd", "--lr", "1e10"], **options)
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 1  # no warnings of NumPy, no bar
    assert "step 15" in refused.stderr
    assert list(tmp_path.iterdir()) == []


def interrupted(options, folder, number):
    """Start a long training, send it a signal after its first checkpoint, and wait for its end."""
    restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # ignored under nohup
    words = ["train", "--epochs", "1000000", "--hidden", "8", "--latent", "2", "--out", str(folder)]
    with subprocess.Popen([*COMMAND, *words], **options, **restore) as process:
        try:
            while process.poll() is None and not (folder / "model.npz").exists():
                time.sleep(0.01)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, out, err


@posix_only
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)])
def test_an_interrupt_saves_a_checkpoint_to_go_on_from(options, cli, no_figures, tmp_path, name, code):
    folder = tmp_path / "run"
    returned, out, err = interrupted(options, folder, getattr(signal, name))
    assert (returned, err.count("\n")) == (code, 1)
    assert f"minivae train --resume {folder}" in err
    assert "test points" in out
    done = int(cli("info", folder, "--json").json["last"]["epoch"])
    resumed = cli("train", "--resume", folder, "--epochs", done + 1, "--json")
    assert (resumed.code, resumed.err) == (0, "")
    assert resumed.json["epochs"] == done + 1


STOP_AGAIN_WHILE_SAVING = """
import os, signal, sys
from minivae.cli import main
from minivae.runs import Run
from minivae.training import Trainer
step, fsync = Trainer.train_step, os.fsync
def stop_at_20(trainer):
    if trainer.step == 20:  # after the first checkpoint
        os.fsync = stop_again
        signal.raise_signal(number)
    return step(trainer)
def stop_again(file):
    signal.raise_signal(number)
    fsync(file)
number = int(sys.argv[1])
Trainer.train_step = stop_at_20
sys.exit(main(["train", "--epochs", "9", "--hidden", "8", "--latent", "2", "--out", "run"]))
"""


@posix_only
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_second_signal_while_saving_keeps_the_last_checkpoint(options, cli, no_figures, tmp_path, number, code):
    command = [sys.executable, "-c", STOP_AGAIN_WHILE_SAVING, str(int(number))]
    ended = subprocess.run(command, **options)
    assert (ended.returncode, ended.stderr.count("\n")) == (code, 1)
    assert "minivae train --resume run" in ended.stderr
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["config.json", "history.csv", "model.npz"]
    assert cli("info", "run", "--json").json["last"]["epoch"] == 1
    assert cli("train", "--resume", "run", "--epochs", 2).code == 0


@posix_only
def test_a_terminal_that_is_closed_leaves_a_checkpoint(options, cli, tmp_path):
    """The terminal sends SIGHUP, and nothing can be written to it any more."""
    words = ["train", "--epochs", "1000000", "--hidden", "8", "--latent", "2", "--out", "run"]
    terminal, end = os.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), end)
    process = subprocess.Popen([*COMMAND, *words], **{**options, **streams, "text": None}, start_new_session=True)
    os.close(end)
    try:
        while process.poll() is None and not (tmp_path / "run" / "model.npz").exists():
            time.sleep(0.01)
        os.close(terminal)
        process.send_signal(signal.SIGHUP)  # it has no controlling terminal, which would
        code = process.wait(60)
    finally:
        process.kill()
    assert code == 129
    assert cli("info", "run").code == 0


@posix_only
def test_a_second_process_is_refused_and_the_first_goes_on(options, cli, tmp_path):
    words = ["train", "--epochs", "1000000", "--hidden", "8", "--latent", "2", "--out", "run"]
    with subprocess.Popen([*COMMAND, *words], **options) as process:
        try:
            while process.poll() is None and not (tmp_path / "run" / "model.npz").exists():
                time.sleep(0.01)
            again = cli("train", "--resume", "run", "--epochs", 2_000_000)
            anew = cli("train", "--out", "run")
            assert process.poll() is None
        finally:
            process.kill()
        process.communicate()
    locked, taken = "another process or thread is training in run", "run holds a run already; choose another folder"
    for refused, why in ((again, locked), (anew, f"{taken}, or resume it")):
        assert (refused.code, refused.out, refused.err) == (2, "", f"minivae train: {why}\n")
    done = int(cli("info", "run", "--json").json["last"]["epoch"])
    assert json.loads((tmp_path / "run" / "config.json").read_text())["options"]["epochs"] == 1_000_000
    # Killed, it is free at once.
    assert f"run is finished: it has trained {done} epochs" in cli("train", "--resume", "run", "--epochs", done).out
    assert not list((tmp_path / "run").glob(".*"))


@posix_only
def test_nobody_reads_the_output(options, trained):
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run([*COMMAND, "info", str(trained)], **{**options, "stdout": writer})
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, "")


@posix_only
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_the_output_is_full(options):
    with open("/dev/full", "w") as full:
        ended = subprocess.run([*COMMAND, "info"], **{**options, "stdout": full})
    assert (ended.returncode, ended.stderr.count("\n")) == (2, 1)
    assert "No space left" in ended.stderr
