"""Program: what is left of a step, and how it is printed."""

import weakref

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad


def program_of(step, *inputs):
    compiled = mv.compile(step)
    compiled(*inputs)
    return str(compiled.program)


X = np.ones((3, 4), "float32")


def test_what_nobody_needs_is_dropped():
    def step(x):
        ad.cos(x)
        return ad.sum(ad.sin(x))

    printed = program_of(step, X)
    assert "sin(" in printed
    assert "cos(" not in printed


def test_one_line_an_operation():
    def step(x):
        return ad.tanh(ad.transpose(x) @ x + 1)

    title, matmul, late, add, tanh = program_of(step, X).splitlines()
    assert title == "1 calls a run, 128 bytes of memory"
    assert matmul == "  %2 float32[4, 4] = matmul(@0[4, 3], @1[3, 4])   at 0 to 16"
    assert late == "when a result is read:"
    assert add == "| %3 float32[4, 4] = add(%2, 1)   in the cache"
    assert tanh == "| %4 float32[4, 4] = tanh(%3)   at 16 to 32"


def test_what_is_made_of_numbers_alone_is_not_made_again():
    def step(x):
        return x + ad.exp(ad.constant_like(x, 2.0, (4,)))

    assert "exp" not in program_of(step, X)


def test_runs_are_counted_and_late_calls_run_once_for_each():
    compiled = mv.compile(lambda x: ad.exp(ad.exp(x)))
    compiled(0.0)
    result = compiled(1.0)
    assert compiled.program.runs == 1
    first = result.numpy()
    first[...] = 7  # what was computed is kept, not computed again
    assert result.item() == 7


def test_what_is_assigned_to_part_of_a_vector_is_computed_there():
    vector = ad.tensor(np.zeros(10, np.float32))
    parts = ad.Tensor(vector.data[:6].reshape(2, 3)), ad.Tensor(vector.data[6:])
    total = ad.tensor(np.zeros(10, np.float32))

    def step(a, b):
        ad.assign(parts[0], ad.exp(a))
        ad.assign(parts[1], b * 2)
        return ad.assign(total, total + vector)

    compiled, expected = mv.compile(step), np.zeros(10, np.float32)
    for scale in np.arange(1, 5, dtype=np.float32):
        a, b = scale * X[:2, :3], scale * X[0]
        compiled(a, b)
        expected = expected + np.concatenate([np.exp(a).ravel(), b * 2])
        np.testing.assert_array_equal(total.numpy(), expected)
    assert str(compiled.program).startswith("3 calls a run")  # nothing is copied


@pytest.mark.parametrize("fast", [False, None])
def test_recorded_values_are_let_go(fast):
    """A program works in memory of its own; as large as they are, its recording's would come on top."""
    w, recorded = ad.Parameter(np.ones((200, 200), np.float32)), []

    def step(x):
        h = ad.tanh(x @ w)
        loss = ad.sum(ad.exp(h) * h + 1)
        (g,) = ad.backward(loss, [w])
        ad.assign(w, w - g)
        recorded.extend(weakref.ref(t._data) for t in (h, g, loss))
        return loss

    compiled = mv.compile(step, fast)
    for _ in range(3):
        compiled(np.ones((200, 200), np.float32)).item()
    assert [array() for array in recorded] == [None] * 3
