"""Signals are noted between steps, and raised after a checkpoint."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from minivae.runs import Run
from minivae.training.interrupt import SIGNALS, deferred_interrupt


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_is_noted_and_a_second_one_stops_at_once(number):
    before = signal.getsignal(number)
    with deferred_interrupt() as interrupt:
        assert interrupt.signal is None
        signal.raise_signal(number)
        assert interrupt.signal == number
        with pytest.raises(KeyboardInterrupt, match=f"^{int(number)}$"):
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_handlers_come_back_after_an_error():
    before = [signal.getsignal(number) for number in SIGNALS]
    with pytest.raises(RuntimeError), deferred_interrupt():
        raise RuntimeError
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with deferred_interrupt() as interrupt:
            signal.raise_signal(signal.SIGINT)
            assert interrupt.signal is None
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_nothing_changes():
    found = []

    def body():
        with deferred_interrupt() as interrupt:
            found.extend([interrupt.signal, signal.getsignal(signal.SIGINT)])

    thread = threading.Thread(target=body)
    thread.start()
    thread.join()
    assert found == [None, signal.getsignal(signal.SIGINT)]


TRAIN_FOR_LONG = """
import sys
from minivae import datasets
from minivae.models import VAE
from minivae.runs import Run
from minivae.training import fit
run = Run.create(sys.argv[1], {"model": "vae"})
fit(VAE(64, 2, (8,)), datasets.load("digits"), run=run, epochs=10**6, progress=False)
"""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_process_that_is_interrupted_leaves_a_checkpoint(tmp_path, number):
    command = [sys.executable, "-W", "error", "-c", TRAIN_FOR_LONG, str(tmp_path / "run")]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        while not (tmp_path / "run" / "history.csv").exists() and process.poll() is None:
            time.sleep(0.01)
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert errors.rstrip().endswith(f"KeyboardInterrupt: {int(number)}")
    run = Run.open(tmp_path / "run")
    assert run.load_model().latent_dim == 2
    assert len(run.load_history()) >= 1
    assert not list(run.folder.glob(".*"))  # no temporary file
