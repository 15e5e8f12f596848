"""What a compiled step returns: the step's structure, values that never change, and no gradient in silence."""

import collections

import numpy as np
import pytest

import minivae as mv
from minivae.errors import InputError


def f32(*values):
    return np.array(values, np.float32)


Pair = collections.namedtuple("Pair", "loss kl")


class Dict(dict):
    """A dict of its own kind."""


STRUCTURES = {
    "a tensor": lambda x: x * 2,
    "a tuple": lambda x: (x * 2, x + 1),
    "a list": lambda x: [x * 2, [x + 1]],
    "a named tuple": lambda x: Pair(x * 2, (x + 1,)),
    "a dict": lambda x: {"b": x * 2, "a": x + 1},
    "a dict of its own kind": lambda x: Dict(b=x * 2, a=Pair(x + 1, x)),
    "an ordered dict": lambda x: collections.OrderedDict(b=x * 2, a=x + 1),
    "nothing": lambda x: None,
    "nothing among others": lambda x: (None, [x], {}),
    "the input": lambda x: x,
    "the same twice": lambda x: (x, x),
}


def values(structure):
    if isinstance(structure, mv.Tensor):
        return structure.numpy().tolist()
    if isinstance(structure, dict):
        return {name: values(x) for name, x in structure.items()}
    return None if structure is None else [values(x) for x in structure]


def kinds(structure):
    if isinstance(structure, dict):
        return type(structure), {name: kinds(x) for name, x in structure.items()}
    if isinstance(structure, list | tuple):
        return type(structure), [kinds(x) for x in structure]
    return structure is None


@pytest.mark.parametrize("name", STRUCTURES)
def test_results_come_in_the_structure_of_the_step(name):
    step = STRUCTURES[name]
    compiled = mv.compile(step)
    for n in range(4):
        expected, found = step(mv.tensor(f32(n, 1))), compiled(f32(n, 1))
        assert values(found) == values(expected)
        assert kinds(found) == kinds(expected)


def test_what_has_been_read_never_changes():
    state = mv.tensor(f32(0))

    def step(x):
        mv.assign(state, state + x)
        return mv.sum(x * x), state, state * 2, x, x[::-1], mv.exp(x)

    compiled, kept, copies = mv.compile(step), [], []
    for n in range(6):
        for result in compiled(f32(n)):
            kept += [result.numpy(), result.data]
            copies += [result.numpy().copy(), result.numpy().copy()]
    for array, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_who_writes_into_a_result_changes_nothing_else():
    state = mv.tensor(f32(1, 2))
    compiled = mv.compile(lambda x: (mv.assign(state, state + x), x, x * 2))
    given = f32(1, 1)
    for n in range(4):
        for result in compiled(given):
            result.data[...] = 99
        np.testing.assert_array_equal(state.data, f32(2, 3) + n)
        np.testing.assert_array_equal(given, f32(1, 1))


def test_results_are_fed_back_in_any_order():
    compiled = mv.compile(lambda a, b, c: (b, c + 1, a * 2))
    found, expected = compiled(f32(1), f32(2), f32(3)), [2, 4, 2]
    for _ in range(5):
        assert [x.item() for x in found] == expected
        found, expected = compiled(*found), [expected[1], expected[2] + 1, expected[0] * 2]


def test_unread_results_are_fed_back():
    compiled = mv.compile(lambda a, b: (b, a))
    pair = compiled(f32(1), f32(2))
    for _ in range(3):
        pair = compiled(*pair)
    assert [x.item() for x in pair] == [1, 2]


def test_a_returned_state_is_that_of_its_call_even_if_others_change_it():
    state = mv.tensor(f32(1))
    compiled = mv.compile(lambda x: (state, mv.assign(state, state * x)))
    for expected in (2, 4, 8):
        results = compiled(f32(2))
        state.data[...] += 0.5
        assert [x.item() for x in results] == [expected] * 2
        state.data[...] -= 0.5


def test_results_of_before_a_failed_call_are_refused_or_right():
    compiled = mv.compile(lambda x, rows: (x * 10, mv.take(x, rows, axis=0)))
    compiled(f32(1, 2), np.array([0]))
    read, unread = compiled(f32(3, 4), np.array([1]))
    assert read.numpy().tolist() == [30, 40]
    with pytest.raises((InputError, IndexError)):
        compiled(f32(-1, -2), np.array([7]))
    assert read.numpy().tolist() == [30, 40]
    with pytest.raises(InputError, match="earlier run"):
        unread.numpy()
    assert compiled(f32(5, 6), np.array([1]))[1].item() == 6


# -------------------------------------------------------------- gradients

P = mv.Parameter(f32(2))


def loss(x):
    return mv.sum(P * x * x)


DIFFERENTIATED = {
    "backward": lambda c: mv.backward(c(f32(1, 2)), [P]),
    "backward of what is made of it": lambda c: mv.backward(c(f32(1, 2)) * 2 + mv.sum(P), [P]),
    "grad": lambda c: mv.grad(c)(f32(1, 2)),
    "value_and_grad": lambda c: mv.value_and_grad(c)(f32(1, 2)),
    "vjp": lambda c: mv.vjp(c, f32(1, 2))[1](1.0),
    "jacobian": lambda c: mv.jacobian(c)(f32(1, 2)),
    "grad of what calls it": lambda c: mv.grad(lambda x: c(x * 2) * 3)(f32(1, 2)),
}


@pytest.mark.parametrize("name", DIFFERENTIATED)
def test_differentiating_a_replay_is_refused_at_every_call(name):
    compiled = mv.compile(loss)
    for _ in range(3):
        with pytest.raises(InputError, match=r"compile\(grad\(f\)\)"):
            DIFFERENTIATED[name](compiled)


def test_a_compiled_gradient_is_right_at_every_call():
    compiled, pullback = mv.compile(mv.grad(loss)), mv.compile(lambda x: mv.backward(loss(x), [P]))
    for n in range(1, 4):
        np.testing.assert_array_equal(compiled(f32(n, 2)).numpy(), 4 * f32(n, 2))
        assert pullback(f32(n, 2))[0].item() == n * n + 4


def test_a_result_that_is_meant_as_a_constant():
    compiled = mv.compile(loss)
    for _ in range(3):
        scale = compiled(f32(1, 2)).detach()
        (g,) = mv.backward(mv.sum(P * scale), [P])
        assert g.item() == 10


def test_what_depends_on_no_parameter_is_a_constant():
    compiled = mv.compile(lambda x: mv.sum(x * x))
    for _ in range(3):
        (g,) = mv.backward(mv.sum(P * compiled(f32(1, 2))), [P])
        assert g.item() == 5
