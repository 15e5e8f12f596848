"""Each operator and method of Tensor is the function of the same name."""

import inspect
import operator

import numpy as np
import pytest

from minivae.autodiff import Tensor, backward, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

A, B = np.array([[0.5, 2.0], [3.0, 1.0]]), np.array([[2.0, 2.0], [0.25, 4.0]])
OPERATORS = {
    **{name: getattr(operator, name) for name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")},
    **{name: getattr(operator, name) for name in ("lt", "le", "gt", "ge", "eq", "ne")},
}
OF_BOOLEANS = {name: getattr(operator, name) for name in ("and_", "or_", "xor")}
METHODS = {
    "sum": lambda x: x.sum(0),
    "mean": lambda x: x.mean(0),
    "var": lambda x: x.var(0, ddof=1),
    "std": lambda x: x.std(0, ddof=1),
    "prod": lambda x: x.prod(0),
    "any": lambda x: (x > 2.5).any(0),
    "all": lambda x: (x > 0.75).all(0),
    "argmax": lambda x: x.argmax(1),
    "argmin": lambda x: x.argmin(),
    "argsort": lambda x: x.argsort(0),
    "cumsum": lambda x: x.cumsum(1),
    "cumprod": lambda x: x.cumprod(),
    "clip": lambda x: x.clip(0.75, 2.5),
    "round": lambda x: x.round(),
    "__invert__": lambda x: ~(x > 1),
    "max": lambda x: x.max(0),
    "min": lambda x: x.min(0),
    "reshape": lambda x: x.reshape(4, 1),
    "transpose": lambda x: x.transpose((1, 0)),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "squeeze": lambda x: x[:1].squeeze(),
    "flatten": lambda x: x.flatten(),
    "take": lambda x: x.take(1, 0),
    "repeat": lambda x: x.repeat(2, 0),
    "diagonal": lambda x: x.diagonal(1),
    "trace": lambda x: x.trace(),
    "astype": lambda x: x.astype(np.float32),
    "__getitem__": lambda x: x[1, ::-1],
    "__neg__": lambda x: -x,
    "__abs__": lambda x: abs(x),
    "__round__": lambda x: round(x, 1) if isinstance(x, Tensor) else np.round(x, 1),
    "T": lambda x: x.T,
}


def test_the_tables_here_are_complete():
    used = inspect.getsource(Tensor).split("OPERATIONS[")[1:]
    operators = {name.strip("_") for name in OPERATORS | OF_BOOLEANS}
    named = {name.strip("_") for name in METHODS} | operators | {f"r{name}" for name in operators}
    own = {n.strip("_") for n, f in vars(Tensor).items() if "OPERATIONS[" in _source(f)}
    assert used
    assert own - {f"r{n}" for n in ("lt", "le", "gt", "ge", "eq", "ne")} - {"detach"} <= named
    assert {n.strip("_") for n in METHODS} <= own


def _source(member):
    function = getattr(member, "fget", member)
    return inspect.getsource(function) if inspect.isfunction(function) else ""


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_of_tensors_numbers_and_arrays(name, backend_name):
    op, a, b = OPERATORS[name], tensor(A, backend=backend_name), tensor(B, backend=backend_name)
    np.testing.assert_allclose(op(a, b).numpy(), op(A, B), rtol=1e-14)
    np.testing.assert_allclose(op(a, b.data).numpy(), op(A, B), rtol=1e-14)
    np.testing.assert_allclose(op(a.data, b).numpy(), op(A, B), rtol=1e-14)
    if name != "matmul":
        np.testing.assert_allclose(op(a, 2.0).numpy(), op(A, 2.0), rtol=1e-14)
        np.testing.assert_allclose(op(2.0, b).numpy(), op(2.0, B), rtol=1e-14)


@pytest.mark.parametrize("name", OF_BOOLEANS)
def test_operators_of_booleans_are_numpys(name, backend_name):
    op, p, q = OF_BOOLEANS[name], A > 0.75, B > 1
    a, b = tensor(p, backend=backend_name), tensor(q, backend=backend_name)
    for found in (op(a, b), op(a, b.data), op(a.data, b)):
        assert found.dtype == bool
        np.testing.assert_array_equal(found.numpy(), op(p, q))
    for number in (True, False):
        np.testing.assert_array_equal(op(a, number).numpy(), op(p, number))
        np.testing.assert_array_equal(op(number, a).numpy(), op(number, p))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x, p: x & p, "a, an operand of &, has dtype float64; expected booleans"),
        (lambda x, p: p | x, r"b, an operand of \|, has dtype float64"),
        (lambda x, p: p ^ x.numpy(), r"b, an operand of \^, has dtype float64"),
        (lambda x, p: p & 1, "b, an operand of &, has type int"),
        (lambda x, p: ~x, "x, an operand of ~, has dtype float64"),
    ],
)
def test_operators_of_booleans_take_nothing_else(f, message):
    """As NumPy's are bitwise, of integers, and of floating-point numbers not at all."""
    with pytest.raises(InputError, match=message):
        f(tensor(A), tensor(A) > 1)


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_numpys(name, backend_name):
    found = METHODS[name](tensor(A, backend=backend_name))
    assert isinstance(found, Tensor)
    np.testing.assert_allclose(found.numpy(), METHODS[name](A), rtol=1e-14)


def test_detach_is_a_constant_with_the_same_values():
    x = tensor(A, requires_grad=True)
    y = (x * 2.0).detach()
    assert not y.requires_grad
    np.testing.assert_array_equal(y.numpy(), 2 * A)


def test_augmented_assignment_makes_a_new_tensor():
    """So that what was recorded with the old one stays right."""
    x = tensor(A.copy(), requires_grad=True)
    y = first = x * 1.0
    z = y * y
    y += 1.0
    assert y is not first
    (g,) = backward(z.sum(), [x])
    np.testing.assert_array_equal(g.numpy(), 2 * A)
    np.testing.assert_array_equal(x.numpy(), A)


def test_items_cannot_be_assigned():
    with pytest.raises(TypeError, match=r"make a new one with where\(\), stack\(\) or concatenate\(\), or assign"):
        tensor(A)[0] = 1.0


@pytest.mark.parametrize("name", ["add", "sub", "mul", "truediv", "pow", "matmul"])
def test_an_array_on_the_left_has_its_derivatives(name):
    op = OPERATORS[name]
    check_gradients(lambda x: op(A, x), [B], order=2)
    check_gradients(lambda x: op(x, A), [B], order=2)
    if name != "matmul":
        check_gradients(lambda x: op(np.float32(2.0), x), [B], order=2)


@pytest.mark.parametrize("scalar", [np.float32(2), np.float64(2), np.int64(2), np.bool_(True), np.array(2.0)])
def test_numpys_scalars_on_the_left(scalar):
    x = tensor(np.float32([0.5, 2.0]))
    for name, op in OPERATORS.items():
        if name != "matmul":
            found = op(scalar, x)
            assert isinstance(found, Tensor)
            assert found.dtype in (np.float32, bool)
            np.testing.assert_allclose(found.numpy(), op(scalar * 1.0, x.numpy()), rtol=1e-6)


def test_methods_are_documented():
    public = {name: f for name, f in vars(Tensor).items() if not name.startswith("_") and name not in Tensor.__slots__}
    assert [name for name, f in public.items() if not f.__doc__] == []
