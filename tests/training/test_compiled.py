"""A compiled run does what an eager one does, bit for bit, on real digits."""

import itertools
import sys
from collections import Counter

import numpy as np
import pytest

from minivae.autodiff import hooked
from minivae.compiler import CompiledStep
from minivae.datasets import Dataset, Split
from minivae.models import VAE

from ..doubles.strict_device import strict
from .conftest import assert_same_state, small_model, small_trainer

STEPS = 21  # more than five epochs of four minibatches: reports and new orders between

LIKELIHOODS = {
    "bernoulli": {},
    "gaussian": {"likelihood": "gaussian", "sigmoid_mean": True},
}
ESTIMATORS = [("B", 1), ("A", 3), ("A", 1), ("B", 3)]
OPTIMIZERS = ["adam", "adagrad", "adamax", "sgd"]
PLAIN = {}
FULL = {
    "schedule": "cosine",
    "weight_prior": True,
    "optimizer_options": {"weight_decay": 0.01, "max_norm": 1.0},
}
CASES = list(itertools.product(LIKELIHOODS, ESTIMATORS, OPTIMIZERS, ["float32", "float64"]))


def run(dataset, model, compile, steps=STEPS, **settings):
    """A trainer after some steps, with a report every few."""
    trainer = small_trainer(dataset, model, compile=compile, epochs=10, **settings)
    terms = [_step(trainer) for _ in range(steps)]
    return trainer, terms


def _step(trainer):
    terms = {name: float(part) for name, part in trainer.train_step().items()}
    if trainer.step % 5 == 0:
        trainer.report()
    return terms


def assert_same_run(dataset, make_model, **settings):
    (compiled, found), (eager, expected) = (run(dataset, make_model(), on, **settings) for on in (True, False))
    assert found == expected
    # Settings say whether they compile; nothing else may differ.
    object.__setattr__(eager.settings, "compile", True)
    assert_same_state(compiled, eager)


@pytest.mark.parametrize(("likelihood", "estimator", "optimizer", "dtype"), CASES)
def test_every_bit_agrees(digits, likelihood, estimator, optimizer, dtype):
    name, samples = estimator
    options = {**LIKELIHOODS[likelihood], "estimator": name, "samples": samples, "dtype": dtype}
    binarize = "dynamic" if likelihood == "bernoulli" else "none"
    full = FULL if CASES.index((likelihood, estimator, optimizer, dtype)) % 3 else PLAIN
    assert_same_run(digits, lambda: small_model(**options), optimizer=optimizer, binarize=binarize, **full)


def test_every_bit_agrees_at_the_size_of_mnist(rng):
    """Large enough that kernels run in several blocks: 784 pixels, 500 hidden units."""
    split = Split(rng.integers(0, 256, (400, 784), dtype=np.uint8))
    dataset = Dataset("noise", split, split, (28, 28), 255.0, "made")
    assert_same_run(dataset, lambda: VAE(784, 20, (500,)), steps=4, batch_size=100, optimizer="adagrad", **FULL)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_replay_never_waits_for_the_device(digits, likelihood, optimizer):
    model = small_model(backend="strict", **LIKELIHOODS[likelihood])
    binarize = "dynamic" if likelihood == "bernoulli" else "none"
    trainer = small_trainer(digits, model, optimizer=optimizer, binarize=binarize, **FULL)
    trainer.train_step()
    trainer.train_step()
    forbidden = strict.counter.forbid_synchronization(), strict.counter.forbid_dtype("float64")
    with forbidden[0], forbidden[1], strict.counter.count() as counts:
        terms = trainer.train_step()
    assert (counts.synchronizations, counts.to_device) == (0, 0)
    assert np.isfinite(float(terms["bound"]))
    twin = small_trainer(digits, small_model(**LIKELIHOODS[likelihood]), optimizer=optimizer, binarize=binarize, **FULL)
    for _ in range(3):
        twin.train_step()
    for name, value in twin.model.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("first", "then"), [(True, False), (False, True), (True, True)])
def test_a_run_is_resumed_compiled_or_not(digits, first, then):
    whole, _ = run(digits, small_model(), then, steps=14)
    begun, _ = run(digits, small_model(), first, steps=7)
    resumed = small_trainer(digits, small_model(), compile=then, epochs=10)
    resumed.load_state(*begun.state())
    for _ in range(7):
        _step(resumed)
    assert_same_state(resumed, whole)


def test_the_parts_are_computed_late(digits):
    trainer, _ = run(digits, small_model(), True, steps=3)
    main, late = str(trainer._update.program).split("when a result is read:")
    assert main.count("matmul") >= 12
    assert "matmul" not in late


def test_a_report_between_steps_changes_nothing(digits):
    """Evaluation records nothing: the program stays the one of the first step."""
    trainer, _ = run(digits, small_model(), True, steps=3)
    program = trainer._update.program
    trainer.report()
    trainer.train_step()
    assert trainer._update.program is program


# ------------------------------------------------------------- compile=False


def operations_of_a_step(trainer):
    """How many operations run, by the file of the package whose line called for it."""
    found = Counter()

    def note(*_):
        frame = sys._getframe()
        while frame:
            file = frame.f_code.co_filename
            found[file.rpartition("minivae/")[2] if "/minivae/" in file else ""] += 1
            frame = frame.f_back

    with hooked(note):
        trainer.train_step()
    return found


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_without_it_every_operation_of_every_step_runs_as_it_is_written(digits, rule, monkeypatch):
    """The optimizer's too: a debugger stops at each line of the model, of backward and of the rule."""

    def refuse(*_, **__):
        raise AssertionError("a recorded step was called")

    monkeypatch.setattr(CompiledStep, "__call__", refuse)
    monkeypatch.setattr(CompiledStep, "checked", refuse)
    options = {"max_norm": 1.0, "weight_decay": 0.01}
    trainer = small_trainer(digits, compile=False, optimizer=rule, weight_prior=True, optimizer_options=options)
    steps = [operations_of_a_step(trainer) for _ in range(3)]
    trainer.report()
    assert steps[1] == steps[2]
    for file in ("models/vae.py", "autodiff/backward.py", "optim/optimizer.py", f"optim/{rule}.py", "bounds.py"):
        assert steps[1][file] > 0, file
    assert not any(file.startswith("compiler/") for file in steps[2])
