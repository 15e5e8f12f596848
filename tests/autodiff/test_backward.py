"""Backpropagation over graphs of every shape, and the life of a graph."""

import collections
import functools
import weakref

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import (
    PRIMITIVES,
    add,
    backward,
    concatenate,
    exp,
    grad,
    hooked,
    jvp,
    log,
    matmul,
    no_grad,
    sin,
    split,
    sum,
    tanh,
    tensor,
    where,
)
from minivae.autodiff.primitives import RuleForEach
from minivae.autodiff.tape import Operation
from minivae.errors import GradientError, InputError
from minivae.gradcheck import check_gradients


def variable(value, backend="numpy", dtype=np.float64):
    return tensor(value, dtype, backend, requires_grad=True)


def counted(f):
    """How many primitives ran."""
    calls = []
    with hooked(lambda primitive, *_: calls.append(primitive.name)):
        f()
    return len(calls)


# ------------------------------------------------------------- graphs


@pytest.mark.parametrize("length", [2_000, 100_000])
def test_deep_chains_need_no_recursion(length):
    x = variable(0.5)
    y = x
    for _ in range(length):
        y = y + 1e-3
    (g,) = backward(y, [x])
    assert g.item() == 1.0
    y = x
    for _ in range(length):  # never swept, and freed all at once
        y = y * 1.0
    del y


def test_a_tensor_used_twice_at_each_of_forty_levels_is_walked_once():
    x = variable(1.0)
    y = x
    for _ in range(40):
        y = y + y
    assert counted(lambda: backward(y, [x], retain_graph=True)) <= 80
    assert backward(y, [x])[0].item() == 2.0**40


def test_cost_is_linear_in_the_width():
    def sweep(width):
        x = variable(1.0)
        parts = [x * float(i) for i in range(width)]
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        calls = counted(lambda: backward(total, [x], retain_graph=True))
        assert backward(total, [x])[0].item() == width * (width - 1) / 2
        return calls

    assert sweep(2000) <= 2.1 * sweep(1000)


def test_diamonds_and_skips_add_their_paths():
    x = variable([0.3, -0.7])
    check_gradients(lambda x: (a := tanh(x)) * a + a * x + sin(a * x) + x, [x], order=2)


def test_intermediate_results_may_be_inputs():
    x = variable(2.0)
    y = x * x
    z = y * x + y
    gy, gx, gz = backward(z, [y, x, z])
    assert (gy.item(), gx.item(), gz.item()) == (3.0, 3 * 4.0 + 2 * 2.0, 1.0)


def test_paths_that_lead_to_no_input_are_not_differentiated():
    def rule(*_):
        raise AssertionError("not needed")

    untouched = Operation("untouched", lambda xp, x, out=None: x * 1, (rule,))
    x, w = variable(2.0), variable(3.0)
    assert backward(untouched(w) * x, [x])[0].item() == 3.0


def test_unused_input_gets_zeros(backend_name):
    x, unused = variable([1.0, 2.0], backend_name), variable([[1.0], [2.0]], backend_name, np.float32)
    gx, g = backward(sum(x), [x, unused])
    np.testing.assert_array_equal(g.numpy(), np.zeros((2, 1)))
    assert g.dtype == np.float32
    assert backend.backend_of(g.data).name == backend_name
    np.testing.assert_array_equal(gx.numpy(), [1.0, 1.0])


@pytest.mark.parametrize("f", [lambda x: tensor(3.0), lambda x: (x * 2.0).detach(), no_grad(lambda x: x * 2.0)])
def test_output_that_depends_on_nothing_is_an_error(f):
    x = variable(1.0)
    with pytest.raises(InputError, match="output does not depend on anything that requires gradients"):
        backward(f(x), [x])
    assert grad(f)(1.0).item() == 0.0


def test_inputs_are_in_a_list():
    x = variable([1.0, 2.0])
    with pytest.raises(
        InputError, match=r"inputs is a Tensor; expected a list of Tensors: for a single one write \[x\]"
    ):
        backward(sum(x * x), x)
    with pytest.raises(InputError, match="primals is a Tensor; expected a list"):
        jvp(exp, x, x)


def test_a_complex_gradient_of_real_numbers_is_an_error():
    x = variable([1.0, 2.0])
    with pytest.raises(GradientError, match="gradient of multiply by a is complex128, and the input is real"):
        backward(x * tensor(np.array([1j, 2.0])), [x], np.ones(2))
    with pytest.raises(
        InputError, match="b has dtype complex128, and is used together with float64; expected real numbers"
    ):
        x * np.array([1j, 2.0])


def test_rules_of_other_arguments_are_named():
    f = Operation("f of one", lambda xp, x, out=None: x, (lambda g: g,))
    with pytest.raises(InputError, match=r"rule 0 of f of one: too many positional arguments; expected \(g, y, x\)"):
        backward(f(x := variable(1.0)), [x])


def test_type_errors_of_rules_stay_what_they_are():
    f = Operation("f of one", lambda xp, x, out=None: x, (lambda g, y, x: None + 1,))
    with pytest.raises(TypeError, match="unsupported operand"):
        backward(f(x := variable(1.0)), [x])


def test_a_rule_that_reads_values_is_not_differentiated():
    x = variable(1.0)
    f = Operation("sin by NumPy", lambda xp, x, out=None: xp.sin(x), (lambda g, y, x: g * np.cos(x.numpy()),))
    assert backward(f(x), [x])[0].item() == np.cos(1.0)
    with pytest.raises(InputError, match="a tensor that is being differentiated is turned into a number"):
        backward(f(x), [x], create_graph=True)


def test_input_without_requires_grad_is_an_error():
    x = variable(1.0)
    with pytest.raises(InputError, match=r"inputs\[1\] is Tensor\(.*; expected a Tensor made with requires_grad=True"):
        backward(x * 2.0, [x, tensor(1.0)])
    with pytest.raises(InputError, match=r"inputs\[0\] is 3.0; expected a Tensor"):
        backward(x * 2.0, [3.0])


def test_repeated_input_gets_its_gradient_twice():
    x = variable(3.0)
    a, b = backward(x * x, [x, x])
    assert (a.item(), b.item()) == (6.0, 6.0)


# ------------------------------------------------------------- rules


def row(*vjps, value=lambda xp, x, out=None: x * 1.0, **options):
    """An operation of a user's."""
    return Operation("mine", value, vjps, **options)


WRONG = {
    "another shape": (lambda g, y, x: g[0], r"has shape \(3,\); expected \(2, 3\), that of the input"),
    "transposed": (lambda g, y, x: g.T, r"has shape \(3, 2\); expected \(2, 3\)"),
    "a number": (lambda g, y, x: 1.0, r"is 1\.0; expected a Tensor of shape \(2, 3\)"),
    "an array": (lambda g, y, x: g.data * 2.0, r"is array\(\[\[2.*; expected a Tensor of shape"),
    "nothing": (lambda g, y, x: None, "is None; expected a Tensor of shape"),
}


@pytest.mark.parametrize("broadcasts", [False, True])
@pytest.mark.parametrize("fault", WRONG)
def test_a_rule_that_returns_no_gradient_of_its_input_is_an_error(fault, broadcasts):
    rule, message = WRONG[fault]
    x = variable(np.ones((2, 3)))
    with pytest.raises(GradientError, match=f"the derivative rule of mine by x returned {message}"):
        backward(sum(row(rule, broadcasts=broadcasts)(x)), [x])


def test_a_rule_for_several_inputs_is_held_to_their_shapes():
    x = variable(np.ones((2, 3)))
    joined = Operation("mine", lambda xp, *x, out=None: xp.concatenate(x), RuleForEach(lambda g, *_: lambda i: g))
    with pytest.raises(GradientError, match=r"mine by inputs\[0\] returned has shape \(4, 3\); expected \(2, 3\)"):
        backward(sum(joined(x, x * 2.0)), [x])


@pytest.mark.parametrize(
    ("shape", "larger"),
    [((3,), (2, 3)), ((2, 1), (2, 3)), ((), (2, 3)), ((1, 1), (4, 2, 3)), ((1,), (0,)), ((1, 3), (2, 3))],
)
def test_broadcasting_is_undone(shape, larger):
    a = variable(np.ones(shape))
    scaled = row(lambda g, y, a, b: g * b, None, value=lambda xp, a, b, out=None: a * b, broadcasts=True)
    (g,) = backward(sum(scaled(a, np.full(larger, 2.0))), [a])
    np.testing.assert_array_equal(g.numpy(), np.full(shape, 2.0 * np.prod(larger) / max(np.prod(shape), 1)))


def test_an_operation_without_rules_is_refused_where_a_gradient_goes_through():
    x = variable([1.0, 2.0])
    y = row()(x)  # forward it works
    np.testing.assert_array_equal(y.numpy(), [1.0, 2.0])
    with pytest.raises(InputError, match=r"mine has no derivative rule by x; expected one for each input \(None where"):
        backward(sum(y * x), [x])
    assert backward(sum(row()(tensor([1.0])) * x), [x])[0].numpy().tolist() == [1.0, 1.0]
    with pytest.raises(InputError, match="mine has no derivative rule by x"):
        grad(lambda x: sum(row()(x)))(1.0)


def test_so_is_an_input_without_a_rule():
    product = row(lambda g, y, a, b: g * b, value=lambda xp, a, b, out=None: a * b)
    a, b = variable([1.0, 2.0]), variable([3.0, 4.0])
    assert backward(sum(product(a, b)), [a])[0].numpy().tolist() == [3.0, 4.0]
    with pytest.raises(InputError, match="mine has no derivative rule by b"):
        backward(sum(product(a, b)), [a, b])


def test_what_is_declared_not_differentiable_gives_constants_or_zeros():
    x = variable([1.0, 2.0])
    y = row(differentiable=False)(x)
    assert not y.requires_grad
    assert y.node is None
    (g,) = backward(sum(row(None)(x) + x), [x])
    np.testing.assert_array_equal(g.numpy(), [1.0, 1.0])


def test_every_row_of_the_table_has_rules_or_says_that_it_has_none():
    silent = [r.name for r in PRIMITIVES.values() if r.differentiable and not r.vjps]
    assert {PRIMITIVES[name].kind for name in silent} <= {"constant", "draw"}  # of no tensors


def test_a_condition_that_requires_gradients_gets_zeros():
    x = variable([0.0, 2.0])
    (g,) = backward(sum(where(x, x * 3.0, 1.0)), [x])
    np.testing.assert_array_equal(g.numpy(), [0.0, 3.0])


# --------------------------------------------- parts of a tensor, together


@pytest.mark.parametrize("f", [list, lambda x: split(x, len(x)), lambda x: [x[i] for i in range(len(x))]])
def test_gradients_of_parts_are_put_together_at_once(f, backend_name):
    def sweep(rows):
        x = variable(np.arange(3.0 * rows).reshape(rows, 3), backend_name)
        total = functools.reduce(add, [sum(part * part) for part in f(x)])
        names = collections.Counter()
        with hooked(lambda primitive, *_: names.update([primitive.name])):
            (g,) = backward(total, [x])
        np.testing.assert_array_equal(g.numpy(), 2 * x.numpy())
        return names

    assert sweep(50)["scatter_all"] == 1
    assert sweep(50)["scatter"] == 0
    assert (sweep(1)["scatter_all"], sweep(1)["scatter"]) == (0, 1)
    assert sweep(100).total() <= 2.1 * sweep(50).total()


def test_parts_that_overlap_and_the_whole_add_up(rng):
    index, mask = np.array([2, 0, 2]), np.array([True, False, True, False])

    def f(x):
        return (
            sum(x[0] * x[1:3, 1]) + sum(x[index] * x[mask][0]) + sum(x * x) + x[-1, -1] * x[-1, 0] + sum(x[None, ::2])
        )

    check_gradients(f, [rng.normal(size=(4, 2))], order=2)


def test_parts_of_results_and_of_parts(rng):
    check_gradients(
        lambda x: sum(tanh(x)[0] * tanh(x)[1]) + sum(x[1:][0] * x[1:][1] * x[2]), [rng.normal(size=(3, 2))], order=2
    )


def test_parts_keep_dtype_and_library(backend_name):
    x = variable([1.0, 2.0], backend_name, np.float32)
    (g,) = backward(x[0] * 2.0 + x[1] * x[1], [x])
    assert g.dtype == np.float32
    assert backend.backend_of(g.data).name == backend_name
    assert g.numpy().tolist() == [2.0, 4.0]


def test_many_joined_tensors_go_back_in_linear_time():
    def sweep(count):
        x = [variable([1.0, 2.0]) for _ in range(count)]
        joined = concatenate(x)
        return counted(lambda: backward(sum(joined * joined), x))

    assert sweep(400) <= 2.1 * sweep(200)


# ---------------------------------------------------------- cotangents


def test_cotangent_weighs_the_rows_of_the_jacobian(rng, backend_name):
    a, x, v = rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=3)
    variable_x = variable(x, backend_name)
    for cotangent in (backend.asarray(v, backend=backend_name), tensor(v, backend=backend_name), v.tolist()):
        (g,) = backward(matmul(tensor(a, backend=backend_name), variable_x), [variable_x], cotangent)
        np.testing.assert_allclose(g.numpy(), v @ a, rtol=1e-6)


def test_cotangent_takes_the_dtype_of_the_output():
    x = variable([1.0, 2.0], dtype=np.float32)
    (g,) = backward(x * 2.0, [x], np.array([1.0, 0.5]))
    assert g.dtype == np.float32


def test_several_elements_need_a_cotangent_of_their_shape():
    x = variable([1.0, 2.0])
    with pytest.raises(InputError, match=r"output has shape \(2,\); expected one element, or a cotangent"):
        backward(x * 2.0, [x])
    with pytest.raises(InputError, match=r"cotangent has shape \(3,\); expected that of the output, \(2,\)"):
        backward(x * 2.0, [x], np.ones(3))
    assert backward(sum(x, keepdims=True), [x])[0].shape == (2,)  # one element of any shape will do


def test_shared_cotangents_are_not_written_into(rng):
    """add hands the same g to both sides, and x gets several contributions to sum."""
    x, v = variable(rng.normal(size=3)), rng.normal(size=3)
    kept = v.copy()
    y = ((x + x) + (x + x * 2.0)) + x
    (g,) = backward(y, [x], v)
    np.testing.assert_array_equal(v, kept)
    np.testing.assert_allclose(g.numpy(), 6 * v)
    g.data[...] = 0  # nor is the result a view of the caller's cotangent, where the graph sums
    np.testing.assert_array_equal(v, kept)


def test_gradients_have_the_dtype_of_their_inputs(backend_name):
    a = variable([1.0, 2.0], backend_name, np.float32)
    b = variable([3.0, 4.0], backend_name, np.float64)
    y = a * b
    assert y.dtype == np.float64
    ga, gb = backward(sum(y), [a, b])
    assert (ga.dtype, gb.dtype) == (np.float32, np.float64)


def test_integers_have_no_gradients():
    with pytest.raises(InputError, match="value has dtype int64; gradients need floating point"):
        tensor([1, 2], requires_grad=True)
    with pytest.raises(InputError, match="dtype int64"):
        grad(lambda x: x * x)(3)


# ------------------------------------------------------ life of the graph


def test_the_graph_is_freed_by_the_sweep():
    x = variable([1.0, 2.0])
    y = exp(x)
    middle = weakref.ref(y)
    z = sum(y * y)
    del y
    backward(z, [x])
    assert middle() is None
    with pytest.raises(InputError, match="freed by an earlier backward; pass retain_graph=True"):
        backward(z, [x])


def test_part_of_a_freed_graph_is_an_error_too():
    x = variable(1.0)
    y = exp(x)
    backward(y * 2.0, [x])
    with pytest.raises(InputError, match="freed"):
        backward(y * 3.0, [x])


def test_retain_graph_allows_another_sweep():
    x = variable([1.0, 2.0])
    z = sum(exp(x))
    first = backward(z, [x], retain_graph=True)[0].numpy()
    np.testing.assert_array_equal(backward(z, [x])[0].numpy(), first)


def test_graph_is_freed_with_its_output_without_a_sweep():
    x = variable([1.0, 2.0])
    y = exp(x)
    middle = weakref.ref(y)
    z = sum(y)
    del y
    assert middle() is not None
    del z
    assert middle() is None


def test_create_graph_gives_gradients_that_can_be_differentiated():
    x = variable(0.7)
    (first,) = backward(sin(x), [x], create_graph=True)
    (second,) = backward(first, [x], create_graph=True)
    (third,) = backward(second, [x])
    values = (first.item(), second.item(), third.item())
    np.testing.assert_allclose(values, [np.cos(0.7), -np.sin(0.7), -np.cos(0.7)])
    assert first.requires_grad
    assert not third.requires_grad


def test_without_create_graph_the_sweep_is_not_recorded():
    x = variable(0.7)
    (g,) = backward(sin(x) * x, [x])
    assert not g.requires_grad
    assert g.node is None


def test_error_in_a_rule_leaves_the_mode_as_it_was():
    def rule(*_):
        raise RuntimeError("no")

    x = variable(1.0)
    faulty = Operation("faulty", lambda xp, x, out=None: x * 1, (rule,))
    with pytest.raises(RuntimeError):
        backward(faulty(x), [x])
    assert (x * 2.0).requires_grad


def test_a_large_random_graph_equals_its_directional_derivative(rng):
    rules = [add, lambda a, b: a * tanh(b), lambda a, b: sin(a) - b, lambda a, b: log(a * b + 30.0)]

    def f(x):
        pool = [x, x * 0.5]
        for i in range(60):
            pool.append(tanh(rules[i % 4](pool[7 * i % len(pool)], pool[(3 * i + 1) % len(pool)])))
        return concatenate(pool[-5:])

    check_gradients(f, [rng.normal(size=40) * 0.5], mode="directions")
