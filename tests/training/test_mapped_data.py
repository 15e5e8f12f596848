"""Training on data that stay in their file: the same run, and never all of the data in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from minivae import backend
from minivae.datasets import Split, load, mapped
from minivae.datasets.mapped import MappedRows
from minivae.files import npy
from minivae.runs import Run
from minivae.training import Minibatches, evaluate, run_to_end

from ..datasets.conftest import peak_memory
from ..doubles.strict_device import strict
from .conftest import assert_same_state, made_of, small_model, small_trainer


@pytest.fixture(params=["uint8", "float32", "float64"])
def both(request, tmp_path, monkeypatch, digits):
    """The same digits in memory and in their file."""
    values = np.concatenate([digits.train.images, digits.test.images]).astype(request.param)
    np.save(tmp_path / "x.npy", values if request.param == "uint8" else values / 16)
    here = load(tmp_path / "x.npy")
    monkeypatch.setattr(npy, "MAP_ABOVE", 0)
    there = load(tmp_path / "x.npy")
    assert isinstance(there.train.images, MappedRows)
    return here, there


def trained(dataset, backend=None, **settings):
    trainer = small_trainer(dataset, small_model(backend=backend), epochs=2, **settings)
    run_to_end(trainer, progress=False)
    return trainer


@pytest.mark.parametrize("compile", [True, False])
@pytest.mark.parametrize("binarize", ["none", "dynamic"])
def test_a_run_is_the_same_bit_for_bit(both, backend_name, compile, binarize):
    here, there = (trained(data, backend_name, compile=compile, binarize=binarize) for data in both)
    assert_same_state(here, there)
    assert evaluate(here.model, here.train) == evaluate(there.model, there.train)


def test_a_resumed_run_is_the_same_too(both, tmp_path):
    run = Run.create(tmp_path / "run", {"model": "vae"})
    first = small_trainer(both[1], epochs=2)
    for _ in range(3):
        first.train_step()
    run.save(first)
    second = small_trainer(both[1], small_model(seed=5), epochs=2)
    run.restore(second)
    run_to_end(second, progress=False)
    assert_same_state(trained(both[0]), second)


def test_a_minibatch_goes_to_the_device_and_nothing_waits(both):
    trainer = small_trainer(both[1], small_model(backend="strict"), epochs=4)
    trainer.train_step()  # recorded
    with strict.counter.count() as counts, strict.counter.forbid_synchronization():
        trainer.train_step()
    assert counts.to_device == 2  # the rows and their values


def test_labels_go_with_their_rows(tmp_path):
    values, labels = np.random.default_rng(0).integers(256, size=(20, 6), dtype=np.uint8), np.arange(20) % 3
    np.save(tmp_path / "x.npy", values)
    stored = MappedRows(np.load(tmp_path / "x.npy", mmap_mode="r"), "uint8")
    here, there = (Minibatches(Split(images, labels), 255.0, classes=3) for images in (values, stored))
    rows = np.array([7, 2, 19])
    for feed_rows in (rows, backend.asarray(rows)):
        batches = [minibatches.batch(feed_rows, backend.generator(0)) for minibatches in (here, there)]
        for one, other in zip(*batches, strict=True):
            np.testing.assert_array_equal(one.numpy(), other.numpy(), strict=True)


def test_an_epoch_takes_a_fraction_of_the_memory_of_the_data(tmp_path, monkeypatch):
    monkeypatch.setattr(npy, "MAP_ABOVE", 1 << 20)
    monkeypatch.setattr(mapped, "BLOCK", 1 << 18)
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", "float64", (1 << 15, 64))[::7] = 1  # 16 MiB
    settings = {"batch_size": 512, "report_every": 2}
    trained(made_of(np.zeros((1024, 64))), **settings)  # what is imported or compiled at first does not count
    peak = peak_memory(lambda: trained(load(tmp_path / "x.npy"), **settings))
    assert peak < 6 << 20


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, (320 << 20,) * 2)
from minivae.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="counts what a process has written to, as Linux does")
@pytest.mark.parametrize(("dtype", "fits"), [("float64", True), ("float32", False)])
def test_the_command_line_trains_on_more_data_than_the_process_may_have(tmp_path, dtype, fits):
    """400 MB in a process that may have 320 MiB; in memory (at a limit of 1 GiB) it would not do."""
    shape = 400_000_000 // (784 * np.dtype(dtype).itemsize), 784
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", dtype, shape)[::1000] = 1  # mostly a hole
    code = LIMITED if fits else f"from minivae.datasets import npy\nnumpy_file.MAP_ABOVE = 1 << 30\n{LIMITED}"
    words = ["train", "--json", "--epochs", "1", "--hidden", "8", "--latent", "2", "--batch-size", "1000", "--quiet"]
    found = subprocess.run(
        [sys.executable, "-c", code, *words, "--data", "x.npy", "--out", "run"],
        cwd=tmp_path,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.getcwd()},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if fits:
        assert found.returncode == 0, found.stderr
        assert json.loads(found.stdout)["samples_seen"] == 57_000
    else:
        assert found.returncode == 2
        assert "x.npy asks for more memory than there is" in found.stderr
        assert found.stderr.count("\n") == 1
