"""Transformed functions: nests as arguments, has_aux, jvp, hessian, and what a function may return."""

from typing import NamedTuple

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae.autodiff import Tensor, backward, grad, hessian, jacobian, jvp, no_grad, tensor, value_and_grad, vjp
from minivae.autodiff.modes import mode
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from .cases import CASES


class Layer(NamedTuple):
    weight: object
    bias: object


def parameters(backend="numpy"):
    def make(*values):
        return tensor(np.array(values), np.float64, backend)

    return {"layers": [Layer(make(0.5, -1.0), make(0.3)), (make(2.0), make(-0.5))], "scale": make(1.5)}


def loss(p, x):
    (weight, bias), (second, shift) = p["layers"]
    return ad.sum(ad.square(p["scale"] * (ad.tanh(ad.sum(weight * x) + bias) * second + shift)))


X = np.array([0.7, 0.2])


def assert_same_nest(found, expected, check):
    assert type(found) is type(expected)
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, value in expected.items():
            assert_same_nest(found[name], value, check)
    elif isinstance(expected, list | tuple):
        for a, b in zip(found, expected, strict=True):
            assert_same_nest(a, b, check)
    else:
        check(found, expected)


# --------------------------------------------------------------------- nests


def test_gradients_come_back_in_the_nest(backend_name):
    p = parameters(backend_name)
    x = tensor(X, backend=backend_name)
    value, found = value_and_grad(loss)(p, x)
    leaves = [p["layers"][0].weight, p["layers"][0].bias, *p["layers"][1], p["scale"]]
    for leaf in leaves:
        leaf.requires_grad = True
    y = loss(p, x)
    expected = backward(y, leaves)
    assert value.item() == y.item()
    by_hand = {"layers": [Layer(*expected[:2]), tuple(expected[2:4])], "scale": expected[4]}
    assert_same_nest(found, by_hand, lambda a, b: np.testing.assert_array_equal(a.numpy(), b.numpy()))
    assert not any(leaf.node for leaf in leaves)


def test_several_arguments_some_of_them_nests():
    p = parameters()
    gp, gx = grad(loss, (0, 1))(p, X)
    assert_same_nest(gp, grad(loss)(p, X), lambda a, b: np.testing.assert_array_equal(a.numpy(), b.numpy()))
    check_gradients(lambda x: loss(p, x), [X])
    np.testing.assert_array_equal(gx.numpy(), grad(loss, 1)(p, X).numpy())


def test_numbers_and_arrays_in_a_nest_and_nones():
    found = grad(lambda p: p["a"] * 3.0 + ad.sum(p["b"][0]), 0)({"a": 2.0, "b": [np.ones(2), None]})
    assert (found["a"].item(), found["b"][0].numpy().tolist(), found["b"][1]) == (3.0, [1.0, 1.0], None)


def test_a_list_of_numbers_is_an_array():
    assert grad(lambda x: ad.sum(x * x))([1.0, 2.0]).numpy().tolist() == [2.0, 4.0]
    assert grad(lambda x: ad.sum(x * x))([[1.0], [2.0]]).shape == (2, 1)


def test_one_tensor_twice_in_a_nest_is_two_variables():
    x = tensor(3.0)
    a, b = grad(lambda p: p[0] * p[0] * p[1])((x, x))
    assert (a.item(), b.item()) == (18.0, 9.0)


def test_what_is_in_a_nest_is_named():
    with pytest.raises(InputError, match=r"args\[0\]\['w'\]\[1\] is 'x'; expected a tensor"):
        grad(lambda p: p)({"w": [tensor(1.0), "x"]})
    with pytest.raises(InputError, match=r"args\[0\]\.bias has dtype int64; expected floating point"):
        grad(lambda p: p)(Layer(1.0, np.array([1])))
    with pytest.raises(InputError, match=r"args\[1\] has dtype bool; expected floating point"):
        grad(lambda a, b: a, (0, 1))(1.0, np.array(True))


def test_pullbacks_and_jacobians_of_nests():
    y, pullback = vjp(lambda p, x: p["a"] * x + p["b"], {"a": tensor([2.0, 3.0]), "b": tensor(1.0)}, tensor([4.0, 5.0]))
    gp, gx = pullback([1.0, 10.0])
    assert y.numpy().tolist() == [9.0, 16.0]
    assert (gp["a"].numpy().tolist(), gp["b"].item(), gx.numpy().tolist()) == ([4.0, 50.0], 11.0, [2.0, 30.0])
    found = jacobian(lambda p, x: p["a"] * x, (0, 1))({"a": np.float64([2.0, 3.0])}, np.float64([4.0, 5.0]))
    np.testing.assert_array_equal(found[0]["a"].numpy(), np.diag([4.0, 5.0]))
    np.testing.assert_array_equal(found[1].numpy(), np.diag([2.0, 3.0]))


def test_a_gradient_of_a_nest_is_differentiated_by_what_it_was_made_of():
    def penalty(w):
        g = grad(lambda p: ad.sum(ad.tanh(p["a"] * w)))({"a": w * 2.0})
        return ad.sum(g["a"] * g["a"])

    check_gradients(penalty, [np.array([0.3, -0.4])], order=2)


# ------------------------------------------------------------------- has_aux


def with_aux(x):
    y = ad.exp(x)
    return ad.sum(y * y), {"y": y, "count": 3, "words": ["a", None]}


@pytest.mark.parametrize("taping", [True, False])
def test_what_else_a_function_found_comes_back(taping):
    x = np.array([0.1, 0.2])
    with mode_taping(taping):
        results = [
            value_and_grad(with_aux, has_aux=True)(x)[0],
            grad(with_aux, has_aux=True)(x)[::-1][::-1],
            jacobian(with_aux, has_aux=True)(x),
            hessian(with_aux, has_aux=True)(x),
        ]
        results.append(vjp(with_aux, x, has_aux=True)[1:])
        results.append(jvp(with_aux, [x], [x], has_aux=True)[1:])
    for _, aux in results:
        assert (aux["count"], aux["words"]) == (3, ["a", None])
        np.testing.assert_allclose(aux["y"].numpy(), np.exp(x))
        assert not aux["y"].requires_grad
        assert aux["y"].node is None


def mode_taping(taping):
    return ad.enable_grad() if taping else no_grad()


def test_the_results_are_those_without_aux():
    x = np.array([0.1, 0.2])
    f = lambda x: with_aux(x)[0]  # noqa: E731
    (value, _), g = value_and_grad(with_aux, has_aux=True)(x)
    assert (value.item(), g.numpy().tolist()) == (f(tensor(x)).item(), grad(f)(x).numpy().tolist())
    assert grad(with_aux, has_aux=True)(x)[0].numpy().tolist() == g.numpy().tolist()
    y, pullback, _ = vjp(with_aux, x, has_aux=True)
    assert (y.item(), pullback(1.0)[0].numpy().tolist()) == (value.item(), g.numpy().tolist())
    assert jvp(with_aux, [x], [x], has_aux=True)[1].item() == pytest.approx(np.dot(g.numpy(), x))


def test_aux_stays_connected_to_what_the_function_closes_over():
    w = tensor([2.0], requires_grad=True)
    _, aux = grad(lambda x: (ad.sum(w * x), (w * 3.0, x * 1.0)), has_aux=True)([5.0])
    assert aux[0].requires_grad
    assert not aux[1].requires_grad
    (g,) = backward(ad.sum(aux[0]), [w])
    assert g.numpy().tolist() == [3.0]


# ---------------------------------------------------------- what is returned


@pytest.mark.parametrize("of", [grad, value_and_grad, jacobian, hessian])
@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda x: None, "f returned NoneType; expected a Tensor$"),
        (lambda x: 1.0, "f returned float; expected a Tensor"),
        (lambda x: [x], "f returned list; expected a Tensor$"),
        (lambda x: (x, 1), r"f returned tuple; expected a Tensor, or has_aux=True for a pair \(value, aux\)"),
        (lambda x: x > 0, "f returned a Tensor of dtype bool; expected floating point"),
        (lambda x: ad.argmax(x), "f returned a Tensor of dtype int64; expected floating point"),
    ],
)
def test_a_function_must_return_a_tensor(of, returned, message):
    with pytest.raises(InputError, match=message):
        of(returned)([1.0])


@pytest.mark.parametrize("returned", [lambda x: x, lambda x: (x,), lambda x: [x, 1], lambda x: (x, 1, 2)])
def test_with_aux_it_must_return_a_pair(returned):
    with pytest.raises(InputError, match=r"f returned .*; expected a pair \(value, aux\), as has_aux says"):
        grad(returned, has_aux=True)([1.0])
    with pytest.raises(InputError, match=r"f returned int; expected a Tensor$"):
        grad(lambda x: (1, x), has_aux=True)([1.0])
    with pytest.raises(InputError, match=r"f returned tuple; expected a Tensor$"):
        grad(lambda x: ((x, x), 1), has_aux=True)([1.0])


def test_a_function_runs_with_its_variables_known():
    """So that turning one into a number is refused where it happens."""
    seen = []
    grad(lambda a, b: seen.append((mode.variables, a, b)) or a * b, (0, 1))(2.0, 3.0)
    ((variables, a, b),) = seen
    assert variables == (a, b)
    assert mode.variables == ()


# ----------------------------------------------------------------------- jvp


@pytest.mark.parametrize("name", ["tanh", "matmul", "prod", "sort", "logsumexp", "where", "cumprod", "gammainc", "max"])
def test_products_with_the_jacobian_are_those_of_the_jacobian(name, rng):
    for case in CASES[name]:
        constants = [tensor(c) for c in case.constants]
        f = lambda *x, case=case, constants=constants: case.f(*x, *constants)  # noqa: E731
        directions = [rng.normal(size=x.shape) for x in case.inputs]
        y, product = jvp(f, case.inputs, directions)
        expected = sum(
            np.tensordot(jacobian(f, n)(*case.inputs).numpy().reshape(*y.shape, x.size), d.ravel(), 1)
            for n, (x, d) in enumerate(zip(case.inputs, directions, strict=True))
        )
        np.testing.assert_array_equal(y.numpy(), f(*map(tensor, case.inputs)).numpy())
        np.testing.assert_allclose(product.numpy(), expected, rtol=1e-10, atol=1e-12, err_msg=case.label)


def test_jvp_against_pytorch(rng):
    torch = pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    a, b, u, v = rng.normal(size=(4, 2, 3))
    y, product = jvp(lambda a, b: ad.softmax(a * b, 0) @ ad.exp(a).T, (a, b), (u, v))
    f = lambda a, b: torch.softmax(a * b, 0) @ torch.exp(a).T  # noqa: E731
    expected = torch.autograd.functional.jvp(f, tuple(map(torch.tensor, (a, b))), tuple(map(torch.tensor, (u, v))))
    np.testing.assert_allclose(y.numpy(), expected[0].numpy(), rtol=1e-12)
    np.testing.assert_allclose(product.numpy(), expected[1].numpy(), rtol=1e-12)


def test_jvp_of_nests(backend_name):
    p = parameters(backend_name)
    directions = {"layers": [Layer([1.0, 2.0], [0.5]), (0.25, [0.0])], "scale": [-1.0]}
    directions["layers"][1] = (tensor([0.25], np.float64, backend_name), [0.0])
    x = tensor(X, backend=backend_name)
    _, product = jvp(lambda p: loss(p, x), [p], [directions])
    g = grad(loss)(p, x)
    expected = g["layers"][0].weight.numpy() @ [1.0, 2.0] + 0.5 * g["layers"][0].bias.numpy()[0]
    expected += 0.25 * g["layers"][1][0].numpy()[0] - g["scale"].numpy()[0]
    np.testing.assert_allclose(product.numpy(), expected)
    assert product.shape == ()


def test_jvp_is_differentiated_and_is_a_constant_where_nothing_is():
    x = np.array([0.3, -0.8])
    check_gradients(lambda x, t: jvp(lambda x: ad.tanh(x) * ad.sum(x), [x], [t])[1], [x, x + 1], order=2)
    y, product = jvp(ad.sin, [x], [x])
    assert not y.requires_grad
    assert not product.requires_grad
    second = jvp(lambda x: jvp(ad.sin, [x], [np.ones(2)])[1], [x], [np.ones(2)])[1]
    np.testing.assert_allclose(second.numpy(), -np.sin(x))
    with no_grad():
        np.testing.assert_allclose(jvp(ad.sin, [x], [x])[1].numpy(), np.cos(x) * x)


def test_jvp_of_what_does_not_depend_on_the_arguments():
    y, product = jvp(lambda x: tensor([1.0, 2.0]), [3.0], [1.0])
    assert (y.numpy().tolist(), product.numpy().tolist()) == ([1.0, 2.0], [0.0, 0.0])
    assert jvp(lambda: tensor(1.0), [], [])[1].item() == 0.0
    assert vjp(lambda: tensor(1.0))[1](2.0) == ()


def test_directions_have_the_dtype_of_their_arguments():
    _, product = jvp(lambda x: x * x, [tensor([2.0])], [np.float64([3.0])])
    assert (product.dtype, product.item()) == (np.float32, 12.0)


@pytest.mark.parametrize(
    ("tangents", "message"),
    [
        ([], "tangents has length 0; expected that of primals, 1"),
        ([[1.0, 2.0]], r"tangents\[0\] is \[1.0, 2.0\]; expected what is arranged as \{"),
        ([{"a": [1.0, 2.0, 3.0]}], r"tangents\[0\]\['a'\] has shape \(3,\); expected that of its argument, \(2,\)"),
        ([{"a": "x"}], r"tangents\[0\]\['a'\] is 'x'; expected a tensor"),
        (3.0, "tangents is 3.0; expected a list of directions"),
    ],
)
def test_directions_must_fit(tangents, message):
    with pytest.raises(InputError, match=message):
        jvp(lambda p: p["a"], [{"a": tensor([1.0, 2.0])}], tangents)


# ------------------------------------------------------------------- hessian


def test_hessian_of_one_argument(rng, backend_name):
    x = rng.normal(size=(2, 2))
    f = lambda x: ad.sum(ad.exp(x)) * ad.sum(x * x)  # noqa: E731
    found = hessian(f)(tensor(x, backend=backend_name))
    assert found.shape == (2, 2, 2, 2)
    np.testing.assert_allclose(found.numpy(), jacobian(grad(f))(tensor(x, backend=backend_name)).numpy(), rtol=1e-14)


def test_hessian_of_several_arguments_has_a_block_for_each_pair(rng):
    a, b = rng.normal(size=2), rng.normal(size=3)
    f = lambda a, b: ad.sum(a) * ad.sum(ad.exp(b)) + ad.sum(a * a * a)  # noqa: E731
    (aa, ab), (ba, bb) = hessian(f, (0, 1))(a, b)
    np.testing.assert_allclose(aa.numpy(), np.diag(6 * a))
    np.testing.assert_allclose(ab.numpy(), np.tile(np.exp(b), (2, 1)))
    np.testing.assert_allclose(ba.numpy(), ab.numpy().T)
    np.testing.assert_allclose(bb.numpy(), np.diag(a.sum() * np.exp(b)))
    np.testing.assert_allclose(hessian(f, 1)(a, b).numpy(), bb.numpy())


def test_hessian_of_a_nest_is_a_nest_of_nests():
    found = hessian(lambda p: p["a"] * p["b"] * p["b"])({"a": np.float64(2.0), "b": np.float64(3.0)})
    assert [[found[i][j].item() for j in "ab"] for i in "ab"] == [[0.0, 6.0], [6.0, 4.0]]


def test_hessian_of_what_is_linear_is_zero():
    found = hessian(lambda x: ad.sum(x * 2.0))([1.0, 2.0])
    np.testing.assert_array_equal(found.numpy(), np.zeros((2, 2)))


def test_hessian_is_differentiated():
    check_gradients(lambda x: hessian(lambda y: ad.sum(ad.sin(y) * x * y))(x), [np.array([0.4, 1.3])])
    w = tensor(2.0, np.float64, requires_grad=True)
    (g,) = backward(hessian(lambda x: w * x * x * x)(np.float64(5.0)), [w])
    assert g.item() == 30.0


def test_a_constant_is_a_tensor():
    """Not a Parameter, and not connected to the call."""
    for found in (hessian(ad.square)(2.0), jvp(ad.square, [2.0], [1.0])[1]):
        assert type(found) is Tensor
        assert found.node is None


def test_argnums_are_any_integers_each_once():
    f = lambda a, b: a * a * b  # noqa: E731
    assert grad(f, np.int64(0))(3.0, 2.0).item() == 12.0
    assert grad(f, -1)(3.0, 2.0).item() == 9.0
    for twice in ((0, 0), (0, -2)):
        with pytest.raises(InputError, match="expected each argument once"):
            grad(f, twice)(3.0, 2.0)


def test_complex_variables_are_refused():
    with pytest.raises(InputError, match=r"args\[0\] has dtype complex128; expected floating point, and real"):
        grad(lambda x: sum(x * x))(np.array([1j]))
