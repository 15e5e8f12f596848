"""What changes outside of a recorded step: seen, or refused, and never the number of the first call for ever."""

import threading

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae import backend, nn
from minivae.compiler.step import MOST_RECORDINGS, OFTEN
from minivae.errors import InputError


def f32(*values):
    return np.array(values, np.float32)


# ------------------------------------------------------------ seen at the next call


class Weighted(nn.Module):
    """beta x, with what a step may use: a number, a parameter, a tensor, another module."""

    def __init__(self):
        self.beta, self.name = 2.0, "first"
        self.weight, self.state = mv.Parameter(f32(3)), mv.tensor(f32(5))
        self.layer = nn.Linear(1, 1, backend.generator(0))

    def __call__(self, x):
        return self.layer(x * self.beta * self.weight + self.state) * (1.0 if self.name == "first" else -1.0)


def replaced_data(module):
    module.state.data = f32(7)


CHANGES = {
    "a number": lambda m: setattr(m, "beta", 4.0),
    "a number of another type": lambda m: setattr(m, "beta", 4),
    "a word": lambda m: setattr(m, "name", "second"),
    "a new parameter": lambda m: setattr(m, "weight", mv.Parameter(f32(11))),
    "a new tensor": lambda m: setattr(m, "state", mv.tensor(f32(11))),
    "a new layer": lambda m: setattr(m, "layer", nn.Linear(1, 1, backend.generator(1))),
    "a layer's new parameter": lambda m: setattr(m.layer, "weight", mv.Parameter(f32(13).reshape(1, 1))),
    "the array of a tensor": replaced_data,
    "the array of a parameter": lambda m: setattr(m.weight, "data", f32(17)),
    "an array in place": lambda m: m.state.data.fill(19),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_outside_is_seen_at_the_next_call(name):
    module, x = Weighted(), f32(1.5)
    compiled = mv.compile(module)
    for _ in range(3):
        compiled(x)
    before = module(mv.tensor(x)).item()
    CHANGES[name](module)
    after = module(mv.tensor(x)).item()
    assert before != after
    assert [compiled(x).item() for _ in range(3)] == [after] * 3


def test_an_attribute_that_gets_the_value_that_it_has_changes_nothing():
    module, seen = Weighted(), []
    compiled = mv.compile(lambda x: seen.append(1) or module(x))
    for _ in range(4):
        module.beta, module.weight, module.name = 2.0, module.weight, "first"
        compiled(f32(1))
    assert len(seen) == 1


def test_a_step_that_is_recorded_at_every_call_says_so_once(caplog):
    module = Weighted()
    compiled = mv.compile(module)
    for n in range(OFTEN + 5):
        module.beta = float(n)
        compiled(f32(1))
    (record,) = caplog.records
    assert "0-d tensor" in record.message


def test_a_captured_array_of_another_dtype_is_read_at_every_call():
    scale = np.array([2.0])
    compiled = mv.compile(lambda x: x * scale + mv.as_tensor(scale, x))
    for value in (2.0, 3.0, -1.0):
        scale[...] = value
        found = compiled(f32(4))
        assert (found.item(), found.dtype) == (5 * value, np.float32)


def test_a_first_call_under_no_grad_is_a_recording_of_its_own():
    p = mv.Parameter(f32(2))
    compiled = mv.compile(lambda x: mv.sum(p * x))
    with mv.no_grad():
        assert not compiled(f32(1)).requires_grad
    assert compiled(f32(1)).requires_grad
    with mv.no_grad():
        assert not compiled(f32(1)).requires_grad


# ------------------------------------------------------------ refused where it happens

REFUSED = {
    "numpy of what is computed": (lambda x: mv.tensor(np.exp((x * 2).data)), "array of a tensor is read"),
    "numpy of an input": (lambda x: x * np.float32(x.data.max()), "array of a tensor is read"),
    "a mask that is an input": (lambda x: mv.sum(x[x > 0]), r"take\(\) for an index or a mask"),
    "an index that is computed": (lambda x: x[mv.astype(x, "int64")], r"take\(\)"),
    "a generator's method": (lambda x: x + GENERATOR.standard_normal((2,)), r"minivae\.standard_normal\(generator"),
    "a generator's other method": (lambda x: x + GENERATOR.uniform((2,)), r"minivae\.uniform\(generator"),
    "a number of a tensor": (lambda x: x * float(x[0]), "return it and read it outside"),
    "a choice by a tensor": (lambda x: x if x[0] > 0 else -x, r"where\(\)"),
}
GENERATOR = backend.generator(0)


@pytest.mark.parametrize("name", REFUSED)
def test_what_python_code_would_bake_in_is_refused(name):
    step, words = REFUSED[name]
    with pytest.raises(InputError, match=words):
        mv.compile(step)(f32(1, 0))
    assert not mv.tracing()
    GENERATOR.standard_normal((2,))  # outside of a step it may draw


def test_an_index_array_that_the_step_assigns_is_refused():
    rows = mv.tensor(np.array([1, 0]))

    def step(x):
        mv.assign(rows, rows * 0)
        return x[rows.data] * 2

    with pytest.raises(InputError, match=r"use take\(\)"):
        mv.compile(step)(f32(1, 2))


def test_a_tensor_that_is_kept_from_a_recorded_step_is_refused_outside():
    kept = []
    compiled = mv.compile(lambda x: kept.append(mv.exp(x)) or x * 2)
    compiled(f32(1))
    for use in (lambda: kept[0] + 1, lambda: kept[0].data, lambda: kept[0].numpy(), lambda: compiled(kept[0])):
        with pytest.raises(InputError, match=r"inside a (compiled )?step"):
            use()


def test_a_tensor_that_is_kept_from_a_step_that_failed_is_refused_as_well():
    kept = []

    def step(x):
        kept.append(x * 2)
        raise KeyError("in the step")

    with pytest.raises(KeyError):
        mv.compile(step)(f32(1))
    with pytest.raises(InputError, match="inside a compiled step"):
        kept[0] + 1


@pytest.mark.parametrize("value", [0.1, 1 / 3])
def test_a_python_float_that_float32_rounds_does_not_meet_float64(value):
    p = mv.tensor(np.array([3.0]), "float64")
    compiled = mv.compile(lambda x: p * x)
    with pytest.raises(InputError, match=r"inputs\[0\] is a Python float"):
        compiled(value)
    assert compiled(0.5).item() == 1.5
    with pytest.raises(InputError, match=r"inputs\[0\] is a Python float"):
        compiled(value)
    assert compiled(mv.tensor(value, "float64")).item() == 3 * value


def test_a_python_float_is_float32_where_all_is():
    p, step = mv.tensor(f32(3)), lambda x: p * x
    compiled = mv.compile(step)
    for value in (0.1, 0.2, 0.5, 0.7):
        assert compiled(value).item() == step(value).item()


# ------------------------------------------------- found by running the step again

SCALE = {"now": 1.0, "array": f32(1), "twice": False, "axis": 0}


def scaled(x):
    y = x * SCALE["now"] * SCALE["array"].copy()
    return mv.sum(y * 2 if SCALE["twice"] else y, SCALE["axis"])


BAKED = {
    "a number": ("now", 2.0, "multiply with 2.0 as operand 1 where it was 1.0"),
    "a number of another type": ("now", 1, "multiply with 1 as operand 1 where it was 1.0"),
    "an array": ("array", f32(3), r"multiply with array\(\[3\.\].* where it was array\(\[1\.\]"),
    "a branch": ("twice", True, "calls multiply where it called sum"),
    "an attribute": ("axis", 1, r"sum with axis=\(1,\) where it was \(0,\)"),
}


@pytest.fixture
def scale(monkeypatch):
    for name, value in SCALE.items():
        monkeypatch.setitem(SCALE, name, value)


@pytest.mark.usefixtures("scale")
@pytest.mark.parametrize("name", BAKED)
def test_what_is_baked_in_is_found_by_a_check_and_its_line_is_named(name):
    key, value, words = BAKED[name]
    compiled, checking = mv.compile(scaled), mv.compile(scaled, check=True)
    x = np.ones((2, 2), np.float32)
    compiled(x), checking(x), checking(x), compiled.checked(x)
    SCALE[key] = value
    for run in (checking, compiled.checked):
        with pytest.raises(InputError, match=words) as raised:
            run(x)
        assert "test_baked.py" in str(raised.value)
        assert "0-d tensor" in str(raised.value)


def test_a_step_that_ends_earlier_or_later_is_found():
    calls = [2]

    def step(x):
        for _ in range(calls[0]):
            x = mv.exp(x)
        return x

    for now, words in ((1, "ended where it called exp"), (3, "when it was recorded it had ended")):
        calls[0] = 2
        checking = mv.compile(step, check=True)
        checking(0.0)
        calls[0] = now
        with pytest.raises(InputError, match=words):
            checking(0.0)


def test_a_check_does_what_the_step_does():
    state = [mv.tensor(f32(0)) for _ in "ab"]
    steps = [lambda x, s=s: mv.assign(s, s + x) * 2.0 for s in state]
    checking = mv.compile(steps[1], check=True)
    for n in range(4):
        assert checking(f32(n)).item() == steps[0](mv.tensor(f32(n))).item()
        np.testing.assert_array_equal(state[0].data, state[1].data)


# ----------------------------------------------------------------- how it is called


def test_inputs_by_name_and_inputs_that_are_none():
    compiled = mv.compile(lambda x, scale=None, *, shift=0.0: (x if scale is None else x * scale) + shift)
    assert compiled(f32(2)).item() == 2
    for scale in (3, 4):
        assert compiled(f32(2), scale=f32(scale)).item() == 2 * scale
        assert compiled(f32(2), None, shift=f32(scale)).item() == 2 + scale
        assert compiled(scale=f32(scale), x=f32(2)).item() == 2 * scale
        assert compiled(f32(2), f32(scale), shift=1.0).item() == 2 * scale + 1


def test_what_cannot_be_an_input_is_named():
    with pytest.raises(InputError, match=r"inputs\[1\] is 'a'"):
        mv.compile(lambda x, y: x)(f32(1), "a")
    with pytest.raises(InputError, match="scale is <object"):
        mv.compile(lambda x, scale: x)(f32(1), scale=object())


def test_recordings_of_the_last_shapes_are_kept():
    seen = []
    compiled = mv.compile(lambda x: seen.append(x.size) or x * 2)
    for size in (*range(1, MOST_RECORDINGS + 1), 1):  # 1 has just been used again
        compiled(np.ones(size, np.float32))
    assert seen == [*range(1, MOST_RECORDINGS + 1)]
    compiled(np.ones(99, np.float32))  # in the place of 2
    for size in (1, 3, 2):
        compiled(np.ones(size, np.float32))
    assert seen == [*range(1, MOST_RECORDINGS + 1), 99, 2]


def test_inputs_in_another_order_in_memory_are_summed_in_that_order():
    x = np.random.default_rng(0).standard_normal((57, 43)).astype(np.float32)
    step = lambda x: mv.sum(mv.exp(x))  # noqa: E731
    compiled = mv.compile(step)
    for given in (x, np.asfortranarray(x), x.copy().T, x[::-1], x[:, ::-1], x):
        assert compiled(given).item() == step(mv.tensor(given)).item()


def test_two_threads_call_one_compiled_step():
    compiled = mv.compile(lambda x: mv.sum(mv.exp(x) * x))
    wrong, barrier = [], threading.Barrier(2)

    def work(n):
        x = np.full(200, n, np.float32)
        expected = mv.sum(mv.exp(mv.tensor(x)) * x).item()
        barrier.wait()
        for _ in range(300):
            result = compiled(x)
            if result.item() != expected:
                wrong.append(n)

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_primitive_without_out_is_replayed():
    doubled = ad.primitive("doubled, for this test", "2 x", lambda xp, x: x * 2, lambda g, y, x: g * 2)
    state = mv.tensor(f32(0, 0))
    compiled = mv.compile(lambda x: mv.assign(state, doubled(x) + doubled(mv.exp(x))))
    try:
        for n in range(4):
            compiled(f32(n, 1))
            np.testing.assert_array_equal(state.data, 2 * f32(n, 1) + 2 * np.exp(f32(n, 1)))
    finally:
        del ad.PRIMITIVES["doubled, for this test"]


def test_a_step_may_call_a_compiled_step():
    inner = mv.compile(lambda x: mv.exp(x))
    outer = mv.compile(lambda x: inner(x) * 2)
    for n in range(3):
        assert outer(f32(n)).item() == 2 * np.exp(f32(n)).item()
        assert inner(f32(n)).item() == np.exp(f32(n)).item()
