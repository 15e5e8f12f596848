"""Schedules: the factor on the step size, at both ends and between."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minivae.errors import InputError
from minivae.training import SCHEDULES, Settings
from minivae.training.schedules import lr_factor

from .conftest import small_trainer

TOTAL = 200


def factors(name, total=TOTAL):
    return [SCHEDULES[name](step, total) for step in range(total)]


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("constant", 1.0, 1.0),
        ("cosine", 1.0, (1 - np.cos(np.pi / TOTAL)) / 2),  # one step before the zero
        ("exponential", 1.0, 0.01 ** (1 - 1 / TOTAL)),
        ("warmup", 1 / 10, 1.0),  # 5% of 200 steps are 10
    ],
)
def test_values_at_the_first_and_the_last_step(name, first, last):
    assert factors(name)[0] == pytest.approx(first, rel=1e-12)
    assert factors(name)[-1] == pytest.approx(last, rel=1e-9)


def test_cosine_is_one_half_in_the_middle():
    assert factors("cosine")[TOTAL // 2] == pytest.approx(0.5)


def test_exponential_falls_by_one_factor_each_step():
    ratios = np.divide(factors("exponential")[1:], factors("exponential")[:-1])
    np.testing.assert_allclose(ratios, 0.01 ** (1 / TOTAL))


def test_warmup_rises_by_equal_amounts_and_then_stays():
    np.testing.assert_allclose(factors("warmup")[:10], np.arange(1, 11) / 10)
    assert set(factors("warmup")[9:]) == {1.0}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("total", [1, 2, 19, 1000])
def test_no_factor_is_zero_negative_or_above_one(name, total):
    assert all(0 < factor <= 1 for factor in factors(name, total))


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_first_step_of_a_run_of_one_step_counts_in_full(name):
    assert SCHEDULES[name](0, 1) == 1.0


@pytest.mark.parametrize("name", ["constant", "cosine", "exponential"])
@given(total=st.integers(1, 500), warmup=st.floats(0, 600))
def test_a_warm_up_rises_to_1_and_the_schedule_has_the_rest(name, total, warmup):
    found, begun = [lr_factor(name, step, total, warmup) for step in range(total)], math.ceil(warmup)
    np.testing.assert_allclose(found[:begun], [min(1.0, (i + 1) / warmup) for i in range(min(begun, total))])
    assert found[begun:] == factors(name, max(0, total - begun))
    assert all(0 < factor <= 1 for factor in found)


def test_a_training_takes_both(digits):
    trainer, seen = small_trainer(digits, epochs=3, lr_warmup=1.5, schedule="cosine"), []
    advance = trainer.optimizers[0].advance
    trainer.optimizers[0].advance = lambda factor: seen.append(factor) or advance(factor)
    for _ in range(trainer.total_steps):
        trainer.train_step()
    np.testing.assert_allclose(seen, [*(np.arange(1, 7) / 6), *factors("cosine", 6)])


def test_two_warm_ups_are_one_too_many():
    with pytest.raises(InputError, match="lr_warmup is 2 with the schedule warmup; expected one of the two"):
        Settings(lr_warmup=2, schedule="warmup")
