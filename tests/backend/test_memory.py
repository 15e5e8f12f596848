"""Running out of memory is one line: what asked, for how much, what is free, what to lower."""

from __future__ import annotations

import numpy as np
import pytest

import minivae as mv
from minivae import autodiff, backend, compile
from minivae.backend.memory import ADVICE, memory_for, out_of_memory
from minivae.backend.numpy import Backend
from minivae.cli import main
from minivae.compiler.program import Step
from minivae.datasets import load
from minivae.errors import BackendError, InputError, MinivaeError, OutOfMemoryError
from minivae.models import VAE
from minivae.nn import Linear
from minivae.training import Settings, Trainer

from ..doubles.strict_device import strict

MATRIX = np.ones((30, 20), "float32")


class CupyError(MemoryError):
    """As cupy.cuda.memory.OutOfMemoryError: a MemoryError, with its words."""

    def __init__(self, size):
        super().__init__(f"Out of memory allocating {size:,} bytes (allocated so far: 1,024 bytes).")


@pytest.fixture
def full(monkeypatch):
    """A function that makes one of the strict device's functions find no memory, of which it has 3 MiB."""
    monkeypatch.setattr(type(strict), "free_memory", lambda self: 3 << 20)

    def fill(name):
        def refuse(*args, **kwargs):
            raise CupyError(2400)

        monkeypatch.setattr(strict.xp, name, refuse)

    return fill


SAID = "Out of memory allocating 2,400 bytes (allocated so far: 1,024 bytes), and 3 MiB are free; " + ADVICE


def message(action):
    with pytest.raises(OutOfMemoryError) as error:
        action()
    assert isinstance(error.value, BackendError)
    assert isinstance(error.value, MemoryError)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_an_operation_says_what_it_is_of(full):
    x = mv.tensor(MATRIX, backend="strict")
    full("matmul")
    found = message(lambda: x @ x.T)
    assert found.startswith("not enough memory on strict for matmul of (30, 20) float32 on strict, (20, 30) float32")
    assert found.endswith(SAID)


def test_an_operation_without_inputs(full):
    x = mv.tensor(MATRIX, backend="strict")
    full("full")
    found = message(lambda: autodiff.constant_like(x, 1.0, (30, 20)))
    assert found == "not enough memory on strict for constant of (30, 20) float32: " + SAID


def test_noise(monkeypatch):
    generator = backend.generator(0, "strict")

    def refuse(*args, **kwargs):
        raise CupyError(2400)

    monkeypatch.setattr(generator, "standard_normal", refuse)
    found = message(lambda: autodiff.standard_normal(generator, (30, 20)))
    assert found.startswith("not enough memory on strict for standard_normal of (30, 20) float32: Out of memory")


def test_an_array_that_is_moved_to_the_device(full):
    full("asarray")
    assert message(lambda: backend.asarray(MATRIX, backend="strict", name="pixels")) == (
        "not enough memory on strict for pixels, (30, 20): " + SAID
    )


def test_the_buffers_of_a_recorded_step(full):
    step = compile(lambda x: (x + x.T).sum())
    full("empty")
    found = message(lambda: step(mv.tensor(MATRIX[:20], backend="strict")))
    assert found == "not enough memory on strict for the buffers of a recorded step: " + SAID


@pytest.mark.parametrize("part", ["run", "read"])
def test_a_recorded_step_that_runs(monkeypatch, part):
    def refuse():
        raise CupyError(2400)

    step = compile(lambda x: x * 2)
    step(mv.tensor(MATRIX))
    monkeypatch.setattr(step.program, "_main" if part == "run" else "_late", [Step(refuse)])
    assert "on numpy for a recorded step: Out of memory" in message(lambda: step(mv.tensor(MATRIX)).numpy())


@pytest.mark.parametrize("function", ["matmul", "empty", "full"])
def test_training_says_so_wherever_it_happens(full, function):
    model = VAE(64, 2, hidden=(8,), backend="strict")
    trainer = Trainer(model, load("digits"), Settings(batch_size=50))
    full(function)
    assert message(trainer.train_step).endswith(SAID)


def test_a_layer_too_large_for_this_machine():
    found = message(lambda: Linear(1000, 10**11, backend.generator(0)))
    assert found.startswith(
        "not enough memory on numpy for a layer of 1000 inputs and 100000000000 outputs: "
        "Unable to allocate 364. TiB for an array with shape (1000, 100000000000) and data type float32"
    )
    assert found.endswith(ADVICE)


def test_the_command_line_says_it_in_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--hidden", "2000000000", "--out", "run"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minivae train: not enough memory on numpy for a layer of 64 inputs and 2000000000 ")
    assert error.endswith(f"{ADVICE}\n")
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_memory_that_runs_out_elsewhere_is_one_line_too(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("minivae.cli.train.Trainer", lambda *_: bytearray(1 << 62))
    assert main(["train", "--out", str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("minivae train: not enough memory on numpy for what was asked: the system gave none")


def test_the_closest_words_are_kept():
    backend = Backend()
    outer, inner = memory_for("the outer part", backend), memory_for("the inner part", backend)
    with pytest.raises(OutOfMemoryError, match="for the inner part: x"), outer, inner:
        raise MemoryError("x")
    with pytest.raises(InputError, match=r"^y$"), memory_for("a part", backend):
        raise InputError("y")


def test_where_the_system_does_not_tell_what_is_free(monkeypatch):
    backend = Backend()
    monkeypatch.setattr(Backend, "free_memory", lambda self: None)
    error = out_of_memory("it", backend, MemoryError("a\nb."))
    assert isinstance(error, MinivaeError)
    assert str(error) == f"not enough memory on numpy for it: a b; {ADVICE}"
