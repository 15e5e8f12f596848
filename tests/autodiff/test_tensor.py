"""Tensors, the table of primitives, and what apply makes of mixed operands."""

import copy
import math
import operator
import pickle
import re

import numpy as np
import pytest
import scipy.special

import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import (
    Parameter,
    Tensor,
    apply,
    as_tensor,
    backward,
    constant_like,
    grad,
    no_grad,
    primitive,
    tensor,
    where,
)
from minivae.autodiff.tape import Operation
from minivae.errors import InputError, MinivaeError, MisuseError

BINARY = [ad.add, ad.subtract, ad.multiply, ad.divide, ad.power, ad.maximum, ad.minimum]

# ------------------------------------------------------------------ tensors


def test_python_floats_become_float32_and_arrays_keep_their_dtype():
    assert tensor(1.5).dtype == np.float32
    assert tensor([1.0, 2.0]).dtype == np.float32
    assert tensor(np.array([1.0])).dtype == np.float64
    assert tensor(np.array([1])).dtype == np.int64
    assert tensor([1.0], np.float64).dtype == np.float64


def test_an_array_in_place_is_not_copied():
    x = np.ones(3)
    assert tensor(x).data is x


def test_attributes_and_conversions(backend_name):
    x = tensor([[1.0, 2.0, 3.0]], backend=backend_name)
    assert (x.shape, x.ndim, x.size, x.dtype, len(x)) == ((1, 3), 2, 3, np.float32, 1)
    assert type(x.numpy()) is np.ndarray
    assert float(x[0, 1]) == 2.0
    assert int(x[0, 2]) == 3
    assert bool(x[0, 0] > 0.5) is True
    assert isinstance(x[0, 0].item(), float)
    with pytest.raises(TypeError, match="0-d"):
        len(x[0, 0])


def test_iteration_gives_the_rows_and_ends(backend_name):
    x = tensor([[1.0, 2.0], [3.0, 4.0]], backend=backend_name, requires_grad=True)
    a, b = x
    assert [row.numpy().tolist() for row in x] == [[1.0, 2.0], [3.0, 4.0]]
    (g,) = backward((a * b).sum(), [x])
    np.testing.assert_array_equal(g.numpy(), [[3.0, 4.0], [1.0, 2.0]])
    with pytest.raises(TypeError, match="0-d"):
        iter(x[0, 0])


def test_numbers_are_formatted_and_listed(backend_name):
    x = tensor([[1.0, 2.5]], backend=backend_name)
    assert f"{x[0, 1]:.2f}" == "2.50"
    assert f"{x}" == repr(x)
    assert x.tolist() == [[1.0, 2.5]]


def test_copies_and_pickles_have_the_values(backend_name):
    x = tensor([1.0, 2.0], backend=backend_name)
    makers = [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
    for made in makers[: 3 if backend_name == "numpy" else 2]:
        copied = made(x)
        assert copied is not x
        assert copied.numpy().tolist() == [1.0, 2.0]
        assert not copied.requires_grad


# --------------------------------------- what NumPy and PyTorch do and we do not


@pytest.mark.parametrize("convert", [np.asarray, np.array, lambda x: np.ones(2) + np.array([x, x])])
def test_conversion_to_an_array_is_never_silent(convert):
    with pytest.raises(TypeError, match=r"use \.numpy\(\) or \.data"):
        convert(tensor([1.0]))


NUMPYS = {
    "np.exp of a Tensor; write minivae.exp(...)": np.exp,
    "np.sum of a Tensor; write minivae.sum(...)": np.sum,
    "np.amax of a Tensor; write minivae.max(...)": np.amax,
    "np.dot of a Tensor; write minivae.matmul(...)": lambda x: np.dot(np.ones(2), x),
    "np.concatenate of a Tensor; write minivae.concatenate(...)": lambda x: np.concatenate([x, x]),
    "np.where of a Tensor; write minivae.where(...)": lambda x: np.where([True, False], x, 0.0),
    "gammaln of a Tensor; write minivae.gammaln(...)": scipy.special.gammaln,
    "np.cbrt of a Tensor; write minivae's operations, or x.numpy() for a constant": np.cbrt,
    "add.reduce of a Tensor; write minivae's operations, or x.numpy() for a constant": np.add.reduce,
}


@pytest.mark.parametrize("message", NUMPYS)
def test_a_function_of_numpys_names_ours(message):
    with pytest.raises(MisuseError) as error:
        NUMPYS[message](tensor([1.0, 2.0]))
    assert str(error.value) == message


@pytest.mark.parametrize("op", [operator.iadd, operator.imul, operator.imatmul])
def test_an_array_takes_no_tensor_in_place(op):
    array = np.eye(2)
    with pytest.raises(MisuseError, match=r"\(as \+= does\); write array = array \+ tensor"):
        op(array, tensor(np.ones((2, 2))))
    np.testing.assert_array_equal(array, np.eye(2))


def test_numpy_may_ask_for_the_shape():
    x = tensor([[1.0, 2.0]])
    assert (np.shape(x), np.ndim(x), np.size(x)) == ((1, 2), 2, 2)


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("backward", r"minivae\.backward\(loss, parameters\), which returns the gradients"),
        ("grad", r"minivae\.backward\(loss, parameters\), which returns the gradients"),
        ("zero_grad", "no tensor holds them"),
        ("cuda", r"minivae\.tensor\(x\.data, dtype, backend='cupy'\)"),
        ("unsqueeze", r"minivae\.expand_dims"),
        ("add_", r"minivae\.assign\(x, values\)"),
    ],
)
def test_what_pytorchs_tensors_have_names_ours(name, instead):
    x = Parameter(np.ones(2))
    for ask in (lambda: getattr(x, name), lambda: setattr(x, name, None)):
        with pytest.raises(MisuseError, match=f"a Tensor has no {name}; write .*{instead}"):
            ask()
    assert not hasattr(x, name)


# ------------------------------------------- inside a function that is differentiated


def written_into_an_array(x):
    values = np.zeros(2)
    values[:] = x
    return tensor(values).sum()


READS = {
    "float": lambda x: x.sum() * float(x[0]),
    "int": lambda x: x.sum() * int(x[0]),
    "bool": lambda x: x.sum() if x[0] else x.sum() * 2.0,
    "item": lambda x: x.sum() * x[0].item(),
    "numpy": lambda x: x.sum() * x.numpy(),
    "tolist": lambda x: x.sum() * x.tolist()[0],
    "asarray": lambda x: x.sum() * np.asarray(x),
    "math": lambda x: x.sum() * math.exp(x[0]),
    "format": lambda x: x.sum() * float(f"{x[0]:.3f}"),
    "a nested list": lambda x: tensor([x[0], x[1]]).sum(),
    "tensor": lambda x: tensor(x).sum(),
    "written into an array": written_into_an_array,
    "copy": lambda x: copy.copy(x).sum(),
    "deepcopy": lambda x: copy.deepcopy(x).sum(),
    "pickle": lambda x: pickle.loads(pickle.dumps(x)).sum(),
    "of a result": lambda x: x.sum() * float(ad.exp(x * 2.0)[0]),
}
TRANSFORMS = {
    "grad": lambda f, x: ad.grad(f)(x),
    "value_and_grad": lambda f, x: ad.value_and_grad(f)(x),
    "vjp": lambda f, x: ad.vjp(f, x),
    "jvp": lambda f, x: ad.jvp(f, [x], [x]),
    "jacobian": lambda f, x: ad.jacobian(f)(x),
    "hessian": lambda f, x: ad.hessian(f)(x),
}


@pytest.mark.parametrize("read", READS)
def test_what_is_differentiated_is_turned_into_no_number(read):
    with pytest.raises(InputError, match=r"is being differentiated is turned into a number or an array.*stack"):
        ad.grad(READS[read])(np.array([1.0, 2.0]))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_each_transformation_refuses(transform):
    with pytest.raises(InputError, match="is being differentiated is turned into a number"):
        TRANSFORMS[transform](READS["float"], np.array([1.0, 2.0]))


def test_an_item_of_an_array_takes_no_number_that_is_differentiated():
    """NumPy has a message of its own, with ours as its cause."""
    values = np.zeros(2)
    with pytest.raises(ValueError, match="setting an array element") as error:
        ad.grad(lambda x: operator.setitem(values, 0, x[0]) or x.sum())(np.array([1.0, 2.0]))
    assert isinstance(error.value.__cause__, InputError)


def test_variables_of_outer_transformations_are_no_numbers_either():
    with pytest.raises(InputError, match="is being differentiated"):
        ad.grad(lambda x: ad.grad(lambda y: y * float(x))(1.0))(2.0)
    assert ad.grad(lambda x: x * float(ad.grad(lambda y: y * y)(3.0)))(2.0).item() == 6.0  # y is done with


def test_what_does_not_depend_on_the_variables_may_be_read():
    p = Parameter(np.array([3.0]))
    x = np.array([1.0, 2.0])

    def f(x):
        assert f"{x}" == repr(x)
        with ad.no_grad():
            scale = float(p) * float(x.detach()[0]) * float(ad.stop_gradient(x * 2.0)[1]) * float(x[0])
        return x.sum() * scale if x[0] > 0.0 else x.sum()  # a comparison has no gradient

    assert ad.grad(f)(x).tolist() == [12.0, 12.0]
    assert float(ad.vjp(lambda x: x.sum(), x)[1](1.0)[0][0]) == 1.0


def test_a_gradient_inside_is_recorded_or_refused():
    x = np.array([1.0, 2.0])
    with pytest.raises(InputError, match="pass create_graph=True"):
        ad.grad(lambda x: (backward((x * x).sum(), [x])[0] * x).sum())(x)
    f = lambda x: (backward((x * x).sum(), [x], create_graph=True)[0] * x).sum()  # noqa: E731
    np.testing.assert_array_equal(ad.grad(f)(x).numpy(), 4 * x)

    def constant(x):
        y = (x * x).sum()
        with ad.no_grad():
            (g,) = backward(y, [x])
        return (g * x).sum()

    np.testing.assert_array_equal(ad.grad(constant)(x).numpy(), 2 * x)


def test_repr_says_values_dtype_and_origin():
    x = Parameter(np.float32([1.0, 2.0]))
    assert repr(x) == "Tensor([1., 2.], dtype=float32, requires_grad=True)"
    assert repr(x * 2.0) == "Tensor([2., 4.], dtype=float32, made by multiply)"
    assert repr(tensor(1.0)) == "Tensor(1., dtype=float32)"


def test_tensors_hash_by_identity_although_equality_is_by_element():
    a, b = tensor([1.0]), tensor([1.0])
    assert len({a, b}) == 2
    assert (a == b).numpy().tolist() == [True]


# ------------------------------------------------------------ mixed operands

OTHERS = {
    "python float": 0.5,
    "python int": 2,
    "python bool": True,
    "numpy float64": np.float64(0.5),
    "numpy int64": np.int64(2),
    "numpy bool": np.bool_(True),
    "0-d float64": np.array(0.5),
    "float64 array": np.array([0.5, 1.5]),
    "float32 array": np.float32([0.5, 1.5]),
    "int64 array": np.array([1, 2]),
    "uint8 array": np.uint8([1, 2]),
    "list": [0.5, 1.5],
    "list of integers": [1, 2],
    "boolean tensor": tensor(np.array([True, True])),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("row", BINARY, ids=lambda row: row.name)
def test_float32_stays_float32_beside(row, kind):
    x = Parameter(np.float32([0.3, 0.7]))
    other = OTHERS[kind]
    for y in (row(x, other), row(other, x)):
        assert y.dtype == np.float32
        (g,) = backward(y, [x], np.ones(2), create_graph=True)
        assert g.dtype == np.float32


@pytest.mark.parametrize("kind", OTHERS)
def test_operators_take_arrays_on_either_side(kind):
    x, other = tensor([0.5, 2.0]), OTHERS[kind]
    value = other.numpy() if isinstance(other, Tensor) else np.asarray(other)
    expected = {"-": (x.numpy() - value * 1.0, value * 1.0 - x.numpy()), "/": (x.numpy() / value, value / x.numpy())}
    for symbol, (left, right) in {"-": (x - other, other - x), "/": (x / other, other / x)}.items():
        assert isinstance(left, Tensor)
        assert isinstance(right, Tensor)
        np.testing.assert_allclose(left.numpy(), expected[symbol][0], rtol=1e-6)
        np.testing.assert_allclose(right.numpy(), expected[symbol][1], rtol=1e-6)


def test_two_tensors_promote_as_numpy_does():
    assert (tensor([1.0]) * tensor(np.ones(1))).dtype == np.float64


def test_float64_stays_float64_beside_float32_arrays():
    assert (tensor(np.ones(2)) * np.float32([1.0, 2.0])).dtype == np.float64


def test_lists_and_numbers_go_where_the_tensor_lives(backend_name):
    x = tensor([1.0, 2.0], backend=backend_name)
    for y in (x * [3.0, 4.0], ad.maximum(1.5, x), ad.concatenate([x, [5.0]]), ad.where(x > 1.0, 1.0, 0.0)):
        assert backend.backend_of(y.data).name == backend_name
        assert y.dtype == np.float32


def test_libraries_do_not_mix():
    with pytest.raises(InputError, match=r"add: a is \(1,\) .* on numpy, b is \(1,\) .* on strict; .*two backends"):
        tensor([1.0]) + tensor([1.0], backend="strict")
    with pytest.raises(InputError, match="b is on numpy; expected strict"):
        tensor([1.0], backend="strict") * np.ones(1)
    with pytest.raises(InputError, match="noise is on numpy; expected strict: move it"):
        as_tensor(tensor([1.0]), like=tensor([1.0], backend="strict"), name="noise")


@pytest.mark.parametrize("other", [None, "a", object(), {1.0}, 1j])
def test_other_operands_are_refused(other):
    with pytest.raises(InputError, match=re.escape(f"b is {other!r}; expected a tensor, an array or a number")):
        tensor([1.0]) + other


def test_primitives_take_numbers_alone():
    assert ad.exp(0.0).dtype == np.float32
    assert ad.add(1.0, 2.0).item() == 3.0


def test_reductions_give_0d_arrays_not_scalars():
    x = tensor(np.ones((2, 2)))
    for y in (x.sum(), x.max(), x[0, 0], ad.logsumexp(x), x.sum() * 2.0):
        assert type(y.data) is np.ndarray
        assert y.shape == ()


# ---------------------------------------------------------------- as_tensor


def test_as_tensor_is_the_tensor_itself_or_one_like_another(backend_name):
    x = tensor([1.0], backend=backend_name)
    assert as_tensor(x) is x
    assert as_tensor(x, like=tensor(np.ones(1), backend=backend_name)) is x
    for value in (2.0, 2, [2.0], np.float64(2.0)):
        made = as_tensor(value, like=x)
        assert made.dtype == np.float32
        assert made.numpy().ravel().tolist() == [2.0]
    for value in (2.0, [2.0]):
        assert backend.backend_of(as_tensor(value, like=x).data).name == backend_name
    assert as_tensor(0.5, like=tensor(np.array([1]))).item() == 0.5  # integers give no dtype
    assert as_tensor(np.float64([0.5])).dtype == np.float64


def test_constant_like_is_made_in_place(backend_name):
    c = constant_like(tensor([1.0, 2.0], backend=backend_name), 0.25)
    assert (c.shape, c.dtype, c.item()) == ((), np.float32, 0.25)
    assert backend.backend_of(c.data).name == backend_name


# --------------------------------------------------------------- primitives


def test_shapes_that_do_not_go_together_are_named():
    with pytest.raises(InputError, match=r"add: a is \(2,\) .*, b is \(3,\) .*; expected .*\(operands could not be"):
        tensor([1.0, 2.0]) + tensor([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match=r"getitem: x is \(2,\) .*, index is 5; expected .*\(index 5 is out of bounds"):
        tensor([1.0, 2.0])[5]


def test_errors_are_those_of_minivae():
    assert issubclass(InputError, MinivaeError)
    with pytest.raises(MinivaeError):
        ad.reshape(tensor([1.0, 2.0]), 3)


def test_names_of_primitives_are_unique():
    with pytest.raises(InputError, match="primitive name is 'exp'; expected one not yet taken"):
        primitive("exp", "again", lambda xp, x, out=None: x)
    assert all(row.name == name and row.__doc__ for name, row in ad.PRIMITIVES.items())
    assert repr(ad.exp) == "<primitive exp: e^x>"


def test_values_that_need_no_gradient_are_not_recorded():
    y = tensor([1.0]) * tensor([2.0])
    assert y.node is None
    assert not y.requires_grad
    z = Parameter(np.ones(1)) * 2.0
    assert z.node.primitive is ad.multiply
    assert z.requires_grad


def test_apply_is_what_calling_a_primitive_does():
    x = tensor([1.0, 2.0])
    np.testing.assert_array_equal(apply(ad.exp, x).numpy(), ad.exp(x).numpy())


@pytest.mark.parametrize("made", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_of_what_was_computed_are_constants(made):
    x = y = tensor(np.array([1.0, 2.0]), requires_grad=True)
    for _ in range(2000):
        y = y * 1.0
    assert type(made(y)) is Tensor
    assert not made(y).requires_grad
    assert made(y).tolist() == [1.0, 2.0]
    assert made(x).requires_grad


@pytest.mark.parametrize("read", [bool, float, int, Tensor.item])
def test_several_elements_are_not_one_number(read):
    with pytest.raises(MisuseError, match=r"shape \(2,\) is not one number; write minivae.any\(x\)"):
        read(tensor([1.0, 2.0]))


def test_integers_are_indices():
    assert [4, 5, 6][tensor(np.array(1))] == 5
    for x in (tensor(1.0), tensor(np.array([1]))):
        with pytest.raises(MisuseError, match="is not an integer; write int"):
            range(x)


def test_what_an_inner_sweep_freed_is_not_read():
    def f(x):
        y = x * x
        with no_grad():
            backward(y, [x])
        return x * y.item()

    with pytest.raises(InputError, match="a tensor that is being differentiated is turned into a number"):
        grad(f)(3.0)


@pytest.mark.parametrize(
    "f", [lambda x, n: x * n, lambda x, n: n / x, lambda x, n: n @ x, lambda x, n: where(x > 1, x, n)]
)
def test_integers_take_the_dtype_of_the_floats_beside_them(f):
    x, n = tensor([1.0, 2.0]), tensor(np.array([3, 4]))
    assert f(x, n).dtype == np.float32
    assert f(x.astype(np.float64), n).dtype == np.float64
    assert (n / 2).dtype == np.float64


@pytest.mark.parametrize("scalar", [np.longdouble(2), np.float16(2), np.int8(2)])
def test_scalars_of_numpys_are_numbers(scalar):
    assert (tensor([1.0]) * scalar).dtype == np.float32
    with pytest.raises(InputError, match="expected a real number"):
        tensor([1.0]) * np.clongdouble(2)


def test_an_operation_returns_an_array():
    with pytest.raises(InputError, match=r"the value of f is 1.0, of type float; expected an array"):
        Operation("f", lambda xp, x, out=None: 1.0)(tensor(1.0))
    for wrong in [(3,), (lambda xp, x: x, 3)]:
        with pytest.raises(InputError, match="is 3; expected a function"):
            primitive("no function", "", *wrong)
