"""The block of a training step: what is collected, by whom, and what it leaves behind."""

import threading

import numpy as np
import pytest

from minivae.autodiff import Parameter, tensor
from minivae.nn.mode import as_moved, is_training, move, training_mode


def test_a_block_collects_the_last_value_of_each_tensor():
    a, b = tensor(1.0), tensor(2.0)
    with training_mode() as moved:
        assert is_training()
        assert as_moved(a) is a
        move(a, tensor(3.0))
        move(b, tensor(4.0))
        move(a, as_moved(a) + 2.0)
        assert float(as_moved(a)) == 5
    assert not is_training()
    assert as_moved(a) is a
    assert [(t is a, float(v)) for t, v in moved] == [(False, 4.0), (True, 5.0)]
    assert float(a) == 1  # who opened the block assigns


def test_outside_nothing_is_collected_and_values_carry_no_gradient():
    move(tensor(1.0), tensor(2.0))
    with training_mode() as moved:
        move(tensor(1.0), Parameter(np.ones(2)) * 2.0)
    assert not moved[0][1].requires_grad


def test_a_block_within_a_block_has_its_own_and_an_error_closes_it():
    a = tensor(1.0)
    with training_mode() as outer:
        move(a, tensor(2.0))
        inner = []
        with pytest.raises(ValueError, match="done"):
            fails_within(a, inner)
        assert is_training()
        assert float(as_moved(a)) == 2
    assert (float(outer[0][1]), float(inner[0][0][1])) == (2, 3)
    assert not is_training()


def fails_within(a, kept):
    with training_mode() as inner:
        assert as_moved(a) is a
        move(a, tensor(3.0))
        kept.append(inner)
        raise ValueError("done")


def test_another_thread_is_not_in_it():
    found = []
    with training_mode():
        thread = threading.Thread(target=lambda: found.append(is_training()))
        thread.start()
        thread.join()
    assert found == [False]
