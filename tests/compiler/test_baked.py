"""What changes outside of a recorded step: seen, or refused, and never the number of the first call for ever."""

import threading
from weakref import finalize

import numpy as np
import pytest

import minivae as mv
import minivae.autodiff as ad
from minivae import backend, nn
from minivae.compiler.step import MOST_PROGRAMS, OFTEN
from minivae.errors import InputError
from minivae.optim import SGD, Adam


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

    for now, words in ((1, "ended where it called exp"), (3, "where the recorded step had ended")):
        calls[0] = 2
        checking = mv.compile(step, check=True)
        checking(0.0)
        calls[0] = now
        with pytest.raises(InputError, match=words):
            checking(0.0)


@pytest.mark.parametrize("join", [mv.concatenate, lambda xs: mv.einsum(",".join("i" * len(xs)) + "->i", *xs)])
def test_another_number_of_operands_is_found(join):
    count = [2]
    checking = mv.compile(lambda x: join([x] * count[0]), check=True)
    checking(f32(1))
    for now in (3, 1):
        count[0] = now
        with pytest.raises(InputError, match="the step is another one than was recorded"):
            checking(f32(1))


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
    for size in (*range(1, MOST_PROGRAMS + 1), 1):  # 1 has just been used again
        compiled(np.ones(size, np.float32))
    assert seen == [*range(1, MOST_PROGRAMS + 1)]
    compiled(np.ones(99, np.float32))  # in the place of 2
    for size in (1, 3, 2):
        compiled(np.ones(size, np.float32))
    assert seen == [*range(1, MOST_PROGRAMS + 1), 99, 2]


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


# ------------------------------------------- what users do, found by trying to break it


class Plain(nn.Module):
    """A module whose number is its class's."""

    beta = 2.0

    def __call__(self, x):
        return x * self.beta * getattr(self, "more", 1.0)


def test_an_index_tensor_that_is_given_another_array_is_seen():
    rows = mv.tensor(np.array([0, 1]))
    compiled = mv.compile(lambda x: x[rows] * 1.0)
    for values in ([0, 1], [0, 1], [1, 2], [2, 2]):
        rows.data = np.array(values)
        np.testing.assert_array_equal(compiled(f32(5, 6, 7)).numpy(), f32(5, 6, 7)[values])


@pytest.mark.parametrize("name", ["beta", "more"])
def test_an_attribute_that_the_object_did_not_have_is_seen(name):
    module = Plain()
    compiled = mv.compile(module)
    before = [compiled(f32(1)).item() for _ in range(2)]
    setattr(module, name, 5.0)
    assert compiled(f32(1)).item() == module(mv.tensor(f32(1))).item() != before[0]
    delattr(module, name)
    assert compiled(f32(1)).item() == before[0]


class Stateful(nn.Module):
    """What a step keeps in attributes."""

    def __init__(self, how):
        self.how, self.count, self.h, self.seen = how, 0, mv.tensor(f32(0)), None

    def __call__(self, x):
        if self.how == "count":
            self.count += 1
            return x * self.count
        if self.how == "state":
            self.h = self.h * 2 + x
            return self.h
        if self.how == "exchanged":
            before, self.h = self.h, x
            y = self.h * 2
            self.h = before
            return y
        self.seen = x * 2
        return self.seen + 1


@pytest.mark.parametrize("how", ["count", "state"])
def test_state_that_python_code_keeps_is_refused(how):
    with pytest.raises(InputError, match=r"sets Stateful\.(count|h), which a replay does not do again"):
        mv.compile(Stateful(how))(f32(1))


@pytest.mark.parametrize("how", ["exchanged", "kept"])
def test_what_is_exchanged_for_a_while_or_only_kept_is_no_state(how):
    runs, module = [], Stateful(how)
    compiled = mv.compile(lambda x: runs.append(1) or module(x))
    assert [compiled(f32(n)).item() for n in range(3)] == [2 * n + (how == "kept") for n in range(3)]
    assert len(runs) == 1


def test_what_is_written_in_place_from_python_is_found_by_a_check():
    count, state = f32(0), mv.tensor(f32(0))

    def step(x):
        count[...] += 1
        mv.assign(state, state + 1)
        return x * count + state

    compiled = mv.compile(step)
    compiled(f32(1))
    with pytest.raises(InputError, match="writes into an array from outside"):
        compiled.checked(f32(1))


def test_another_choice_of_what_is_returned_is_found_by_a_check():
    choice = {"first": True, "name": "a"}

    def step(x):
        a, b = x * 2, x * 3
        return {choice["name"]: a if choice["first"] else b}

    for key, value in (("first", False), ("name", "b")):
        compiled = mv.compile(step)
        compiled(f32(1)), compiled.checked(f32(1))
        choice[key] = value
        with pytest.raises(InputError, match="returns something else"):
            compiled.checked(f32(1))


def test_generators_are_not_made_or_set_inside():
    state = GENERATOR.state

    def reset(x):
        GENERATOR.state = state
        return x + mv.uniform(GENERATOR, (1,))

    with pytest.raises(InputError, match="the state of a generator is set inside"):
        mv.compile(reset)(f32(1))
    with pytest.raises(InputError, match="a generator is made inside"):
        mv.compile(lambda x: x + mv.uniform(backend.generator(0), (1,)))(f32(1))


def test_an_optimizer_is_advanced_outside():
    p = mv.Parameter(f32(1))
    adam = Adam([p], 0.1)
    adam.step([mv.tensor(f32(1))])

    def step(x):
        adam.step(mv.backward(mv.sum(p * x), [p]))

    with pytest.raises(InputError, match=r"call advance\(\) before each call of the step, and apply\(\) inside"):
        mv.compile(step)(f32(1))
    assert adam.count == 1


def test_other_numbers_of_an_optimizers_rule_are_seen():
    twins = [mv.Parameter(f32(1, -1)) for _ in "ab"]
    optimizers = [SGD([p], 0.1, momentum=0.5, compile=compile) for p, compile in zip(twins, (True, False), strict=True)]
    for momentum, decay in ((0.5, 0.0), (0.9, 0.0), (0.9, 0.3)):
        for optimizer in optimizers:
            optimizer.momentum, optimizer.weight_decay = momentum, decay
            for _ in range(3):
                optimizer.step([mv.tensor(f32(1, 2))])
        np.testing.assert_array_equal(twins[0].data, twins[1].data)


def test_parameters_that_are_given_other_arrays_go_on(rng):
    p = mv.Parameter(f32(1, 2))
    adam = Adam([p], 0.1)
    step = mv.compile(lambda x: adam.apply(mv.backward(mv.sum(p * x), [p])))
    for value in (1, 3, 5):
        p.data = f32(value, value)
        adam.advance()
        step(f32(1, 1))
        assert (p.numpy() < value).all()


def test_a_parameter_that_is_frozen_or_freed_is_seen():
    p = mv.tensor(f32(3))
    compiled = mv.compile(lambda x: mv.sum(p * x))
    assert not compiled(f32(2)).requires_grad
    p.requires_grad = True
    assert compiled(f32(2)).requires_grad
    p.requires_grad = False
    assert not compiled(f32(2)).requires_grad


def test_an_input_that_is_also_state_or_a_parameter_is_refused():
    state, p = mv.tensor(f32(1)), mv.Parameter(f32(3))
    counting = mv.compile(lambda x: (mv.assign(state, state + 1), x * 10)[1])
    gradient = mv.compile(lambda w: mv.backward(mv.sum(w * w * p), [p]))
    for compiled, own in ((counting, state), (counting, state.data[:]), (gradient, p)):
        with pytest.raises(InputError, match="is also what the step assigns to, or differentiates by"):
            compiled(own)
    for compiled, own in ((counting, state), (gradient, p)):
        compiled(f32(5))
        with pytest.raises(InputError, match="is also what the step assigns to, or differentiates by"):
            compiled(own)


def test_a_mask_from_outside_that_has_another_number_of_elements_is_refused():
    mask = np.array([True, True, False])
    compiled = mv.compile(lambda x: mv.sum(x[mask] * 1.0))
    compiled(f32(1, 2, 3))
    for values in ([True, False, False], [True, True, True]):
        mask[...] = values
        with pytest.raises(InputError, match="getitem gives shape"):
            compiled(f32(1, 2, 3)).numpy()


def test_errors_of_a_replay_are_those_of_the_step():
    compiled = mv.compile(lambda x, rows: mv.take(x, rows, axis=0))
    compiled(f32(1, 2), np.array([0]))
    with pytest.raises(InputError, match=r"take: x is .*indices"):
        compiled(f32(1, 2), np.array([7])).numpy()


def test_inputs_lie_in_a_replay_as_they_are_given(rng):
    whole = rng.standard_normal((60, 90)).astype(np.float32)
    views = whole, whole.T, whole[:, :70], whole[::2], whole[:, ::-1], np.broadcast_to(whole[:1], (50, 90)), whole[3]
    for step in (lambda x: mv.sum(mv.exp(x)), lambda x: mv.mean(x, -1), lambda x: mv.sum(x * x, 0)):
        compiled = mv.compile(step)
        for x in views * 2:
            assert compiled(x).numpy().tobytes() == step(mv.tensor(x)).numpy().tobytes()


def test_a_method_is_compiled_for_each_object():
    class Scaled:
        def __init__(self, scale):
            self.scale = mv.tensor(f32(scale))

        @mv.compile
        def __call__(self, x):
            return x * self.scale

    for _ in range(2):
        scaled = [Scaled(2), Scaled(3)]
        assert [s(f32(n)).item() for n in range(3) for s in scaled] == [0, 0, 2, 3, 4, 6]
    assert [Scaled(n)(f32(2)).item() for n in range(3)] == [0, 2, 4]  # of nobody else


def test_recordings_leave_nothing_behind():
    p, compiled = mv.tensor(f32(1)), None
    compiled = mv.compile(lambda x: mv.assign(p, p + x.sum()))
    compiled(f32(1))
    before = len(finalize._registry)
    for size in range(1, 60):
        compiled(np.zeros(size, np.float32))
    assert len(finalize._registry) <= before + 10


def test_a_tensor_that_a_step_makes_and_keeps_to_assign_to_is_refused():
    cache = {}

    def step(x):
        if "sum" not in cache:
            cache["sum"] = mv.zeros(1)
        return mv.assign(cache["sum"], cache["sum"] + x) * 2

    with pytest.raises(InputError, match="make what lasts before the step"):
        mv.compile(step)(f32(1))


def test_a_weight_that_is_made_at_the_first_call_is_no_state():
    class Lazy(nn.Module):
        def __init__(self):
            self.w = None

        def __call__(self, x):
            if self.w is None:
                self.w = mv.Parameter(f32(3))
            return x * self.w

    compiled = mv.compile(Lazy())
    assert [compiled(f32(n)).item() for n in range(4)] == [0, 3, 6, 9]


def test_an_array_of_float64_is_not_taken_for_a_tensor_of_it():
    p, q = mv.tensor(f32(3)), mv.tensor(np.array([3.0]), "float64")
    with pytest.raises(InputError, match=r"inputs\[0\] is an array of float64 in a step whose tensors are float32"):
        mv.compile(lambda x: x * p)(np.array([0.1]))
    assert mv.compile(lambda x: x * p)(mv.tensor(np.array([0.1]))).dtype == np.float64
    assert mv.compile(lambda x: x * q)(np.array([0.1])).item() == 0.1 * 3
