"""Dropout: in training alone, of what is drawn; the mean stays; gradients; resumed with the same noise."""

import numpy as np
import pytest

import minivae as mv
from minivae import backend
from minivae.autodiff import Parameter, backward, sum, tensor
from minivae.errors import InputError
from minivae.nn import Dropout, training_mode

from ..chance import assert_moments


def test_outside_of_training_it_is_x():
    x = tensor(np.ones((3, 4)))
    assert Dropout(0.5)(x, backend.generator(0)) is x
    with training_mode():
        assert Dropout(0.0)(x, backend.generator(0)) is x


def test_values_and_gradients_written_out(backend_name):
    x, u = np.array([[1.0, -2.0, 3.0, 4.0]]), np.array([[0.1, 0.25, 0.9, 0.2]])
    given = Parameter(backend.asarray(x, backend=backend_name))
    with training_mode():
        y = Dropout(0.25)(given, tensor(u, backend=backend_name))
    kept = np.array([[0.0, 4 / 3, 4 / 3, 0.0]])
    np.testing.assert_allclose(y.numpy(), x * kept, rtol=1e-15)
    np.testing.assert_allclose(backward(sum(y), [given])[0].numpy(), kept, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_so_many_are_0_and_the_mean_stays(rate, dtype):
    with training_mode():
        y = Dropout(rate)(np.ones((200, 500), dtype), backend.generator(1, "numpy"))
    assert y.dtype == dtype
    assert_moments((y.numpy().astype("float64") != 0).ravel(), 1 - rate, rate * (1 - rate))
    np.testing.assert_allclose(np.unique(y.numpy()), [0.0, 1 / (1 - rate)], rtol=1e-6)


def test_a_recorded_step_draws_anew_and_what_the_eager_one_draws():
    """The block of training is around the call that records, as a trainer has it in the step."""
    noise = [backend.generator(2, "numpy") for _ in range(2)]
    x = np.ones((4, 5), "float32")

    def step(generator):
        def run(x):
            with training_mode():
                return Dropout(0.5)(x, generator) * 2

        return run

    compiled, eager = mv.compile(step(noise[0])), step(noise[1])
    found = [(compiled(x).numpy(), eager(tensor(x)).numpy()) for _ in range(4)]
    for a, b in found:
        np.testing.assert_array_equal(a, b)
    assert len({a.tobytes() for a, _ in found}) == 4


@pytest.mark.parametrize("noise", [None, 3.0, np.ones(3)])
def test_other_noise_is_refused(noise):
    with training_mode(), pytest.raises(InputError, match=r"noise (is|has)"):
        Dropout(0.5)(np.ones((2, 3)), noise)
