"""Recording on and off, hooks, and that both belong to one thread."""

import threading

import numpy as np
import pytest

from minivae.autodiff import backward, enable_grad, exp, hooked, multiply, no_grad, sum, tensor
from minivae.errors import InputError


def variable(value):
    return tensor(value, np.float64, requires_grad=True)


def test_no_grad_and_enable_grad_nest():
    x = variable(1.0)
    with no_grad():
        assert not (x * 2.0).requires_grad
        with enable_grad():
            assert (x * 2.0).requires_grad
        assert not (x * 2.0).requires_grad
    assert (x * 2.0).requires_grad


def test_modes_end_with_an_exception():
    x = variable(1.0)
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (x * 2.0).requires_grad


def test_modes_belong_to_their_thread():
    x = variable(1.0)
    seen = []
    inside, done = threading.Event(), threading.Event()

    def other():
        with no_grad(), hooked(lambda *_: seen.append(1)):
            inside.set()
            done.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    assert (x * 2.0).requires_grad
    done.set()
    thread.join()
    assert not seen


def test_hooks_see_every_call_also_those_of_the_sweep():
    names = []
    x = variable([1.0, 2.0])
    with hooked(lambda primitive, inputs, attributes, output: names.append((primitive.name, output.shape))):
        y = sum(multiply(x, 3.0))
        assert names == [("multiply", (2,)), ("sum", ())]
        with hooked(lambda primitive, *_: names.append(primitive.name)):  # and inner ones, too
            backward(y, [x])
    assert ("reshape", (1,)) in names
    assert ("broadcast_to", (2,)) in names
    assert "multiply" in names
    count = len(names)
    exp(x)
    assert len(names) == count


def test_a_block_is_used_again_and_decorates():
    x, off = variable(1.0), no_grad()
    for _ in range(2):
        with off:
            with enable_grad(), off:
                assert not (x * 2.0).requires_grad
            assert not (x * 2.0).requires_grad
        assert (x * 2.0).requires_grad
    for double in (no_grad(lambda x: x * 2.0), no_grad()(lambda x: x * 2.0)):
        assert not double(x).requires_grad
    with off:
        assert enable_grad(lambda x: x * 2.0)(x).requires_grad


def test_generators_are_not_decorated():
    def numbers():
        yield 1

    with pytest.raises(InputError, match="write the with block inside it"):
        no_grad(numbers)
    with pytest.raises(InputError, match="f is 3; expected a function"):
        no_grad(3)
