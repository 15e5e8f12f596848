"""Runs on CUDA: a compiled one, launched as graphs, trains as an eager one does, and is resumed."""

import numpy as np
import pytest

from .conftest import STEPS_PER_EPOCH, made_of, small_model, small_trainer
from .test_compiled import FULL, LIKELIHOODS, OPTIMIZERS

STEPS = 3 * STEPS_PER_EPOCH


def trainer_on(cuda, digits, compile, likelihood, optimizer):
    model = small_model(backend=cuda.name, **LIKELIHOODS[likelihood])
    binarize = "dynamic" if likelihood == "bernoulli" else "none"
    return small_trainer(digits, model, compile=compile, optimizer=optimizer, binarize=binarize, epochs=10, **FULL)


def train(trainer, steps):
    """The bound of each step, with a report between."""
    bounds = []
    for _ in range(steps):
        bounds.append(float(trainer.train_step()["bound"]))
        if trainer.step % 5 == 0:
            trainer.report()
    return bounds


def assert_close(found, expected):
    for name, value in expected.model.state_dict().items():
        np.testing.assert_allclose(found.model.state_dict()[name], value, rtol=1e-3, atol=1e-4, err_msg=name)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_a_compiled_run_trains_as_an_eager_one(cuda, digits, likelihood, optimizer, caplog):
    eager = trainer_on(cuda, digits, False, likelihood, optimizer)
    expected = train(eager, STEPS)
    before = cuda.launches
    compiled = trainer_on(cuda, digits, True, likelihood, optimizer)
    np.testing.assert_allclose(train(compiled, STEPS), expected, rtol=1e-4)
    replays = [step for step in range(2, STEPS) if step % 4 != 3]  # others are recorded or checked, see is_checked
    assert cuda.launches - before == 2 * (len(replays) - 1)  # the step, and the parts that are read after each
    assert not caplog.records
    assert_close(compiled, eager)
    assert [row["test_bound"] for row in compiled.history.rows] == pytest.approx(
        [row["test_bound"] for row in eager.history.rows], rel=1e-4
    )


def test_a_run_is_resumed(cuda, digits):
    whole = trainer_on(cuda, digits, True, "bernoulli", "adam")
    train(whole, STEPS)
    begun = trainer_on(cuda, digits, True, "bernoulli", "adam")
    train(begun, 5)
    resumed = trainer_on(cuda, digits, True, "bernoulli", "adam")
    train(resumed, 4)  # its graphs are captured by now, and go on with what is loaded
    resumed.load_state(*begun.state())
    train(resumed, STEPS - 5)
    assert_close(resumed, whole)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_steps_that_are_not_finite_are_skipped_inside_the_graph(cuda, optimizer, rng, caplog):
    data = made_of(rng.uniform(size=(200, 64)))
    model = small_model(backend=cuda.name, likelihood="gaussian")
    trainer = small_trainer(data, model, optimizer=optimizer, epochs=10, skip_nonfinite=True)
    train(trainer, 5)
    before, launches = model.state_dict(), cuda.launches
    trainer.train.images.data[:] = np.nan
    for _ in range(4):
        trainer.train_step()
    assert cuda.launches - launches == 2 * 3  # the step, and the parts that are summed; one was checked instead
    assert trainer.skipped == 4
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(array, before[name])
    trainer.train.images.data[:] = 0.5
    train(trainer, 4)
    assert trainer.skipped == 4
    assert not caplog.records
