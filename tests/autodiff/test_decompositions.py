"""Equations and factors: NumPy's and SciPy's values in every shape, gradients of their own kind, what is refused."""

import numpy as np
import pytest
import scipy.linalg

import minivae as mv
from minivae import backend
from minivae.autodiff import Parameter, backward, cholesky, grad, inv, slogdet, solve, solve_triangular, sum, tensor
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

BATCHES = [(), (4,), (2, 3), (0,), (2, 0)]


def regular(rng, *shape):
    return rng.normal(size=shape) + 4 * np.eye(shape[-1])


def definite(rng, *shape):
    x = regular(rng, *shape)
    return x @ np.swapaxes(x, -1, -2)


@pytest.mark.parametrize("n", [0, 1, 5])
@pytest.mark.parametrize("batch", BATCHES)
def test_factors_are_numpys(batch, n, rng, backend_name):
    a, symmetric = regular(rng, *batch, n, n), definite(rng, *batch, n, n)
    for f, x in [(cholesky, symmetric), (inv, a)]:
        found = f(tensor(x, backend=backend_name))
        np.testing.assert_allclose(found.numpy(), getattr(np.linalg, f.__name__)(x), rtol=1e-12, atol=1e-12)
        assert found.shape == x.shape
    a[..., :1, :] *= -1
    sign, logabsdet = found = slogdet(tensor(a, backend=backend_name))
    expected = np.linalg.slogdet(a)
    assert sign is found.sign
    assert logabsdet is found.logabsdet
    np.testing.assert_array_equal(sign.numpy(), expected.sign)
    np.testing.assert_allclose(logabsdet.numpy(), expected.logabsdet, rtol=1e-12)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((3, 3), (3,)),
        ((3, 3), (3, 2)),
        ((4, 3, 3), (4, 3, 2)),
        ((4, 3, 3), (3,)),
        ((4, 3, 3), (3, 2)),
        ((3, 3), (4, 3, 2)),
        ((2, 1, 3, 3), (4, 3, 1)),
        ((0, 0), (0, 2)),
        ((0, 0), (0,)),
        ((3, 3), (3, 0)),
        ((0, 3, 3), (3, 1)),
        ((2, 0, 0), (0, 1)),
    ],
)
def test_solutions_are_numpys_and_scipys(a, b, rng, backend_name):
    a, b = regular(rng, *a), rng.normal(size=b)
    arguments = [tensor(x, backend=backend_name) for x in (a, b)]
    found, expected = solve(*arguments), np.linalg.solve(a, b)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)
    assert found.shape == expected.shape
    for lower in (False, True):
        found, expected = solve_triangular(*arguments, lower=lower), np.linalg.solve((np.triu, np.tril)[lower](a), b)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)
        assert found.shape == expected.shape
        if a.ndim == b.ndim == 2 and b.size:
            expected = scipy.linalg.solve_triangular(a, b, lower=lower)
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("transpose", [np.asarray, np.asfortranarray, lambda x: x[::-1, ::-1]])
def test_the_order_in_memory_makes_no_difference(transpose, rng, backend_name):
    a, b = transpose(regular(rng, 4, 4)), transpose(rng.normal(size=(4, 3)))
    arguments = [tensor(x, backend=backend_name) for x in (a, b)]
    np.testing.assert_allclose(solve(*arguments).numpy(), np.linalg.solve(a, b), rtol=1e-12)
    np.testing.assert_allclose(
        solve_triangular(*arguments, lower=True).numpy(), np.linalg.solve(np.tril(a), b), rtol=1e-12
    )


@pytest.mark.parametrize("f", [solve, solve_triangular, lambda a, b: inv(a) @ b])
def test_gradients_by_matrix_and_right_side(f, rng, backend_name):
    arguments = [tensor(x, backend=backend_name) for x in (regular(rng, 2, 3, 3), rng.normal(size=(3, 2)))]
    check_gradients(f if f is not solve_triangular else lambda a, b: f(mv.triu(a), b), arguments, order=2)


def test_the_other_triangle_is_not_read_and_gets_no_gradient(rng):
    a, b = regular(rng, 3, 3), rng.normal(size=(3, 2))
    for lower, keep in ((True, np.tril), (False, np.triu)):
        x = Parameter(np.where(keep(np.ones((3, 3))), a, np.nan))
        (g,) = backward(sum(solve_triangular(x, b, lower)), [x])
        np.testing.assert_array_equal(g.numpy() != 0, keep(np.ones((3, 3))) > 0)
    lower = np.where(np.tril(np.ones((3, 3))), definite(rng, 3, 3), np.nan)
    assert np.isfinite(cholesky(tensor(lower)).numpy()).all()


def test_the_gradient_of_cholesky_is_symmetric(rng):
    a, v = definite(rng, 2, 4, 4), rng.normal(size=(2, 4, 4))
    g = grad(lambda a: sum(cholesky(a) * v))(tensor(a)).numpy()
    np.testing.assert_allclose(g, np.swapaxes(g, -1, -2), rtol=1e-12)
    check_gradients(lambda a: cholesky((a + mv.swapaxes(a, -1, -2)) * 0.5), [tensor(a)], order=2)


def test_the_gradient_of_logabsdet_is_the_transposed_inverse_and_the_sign_has_none(rng):
    a = regular(rng, 2, 3, 3)
    np.testing.assert_allclose(
        grad(lambda a: sum(slogdet(a).logabsdet))(a).numpy(), np.swapaxes(np.linalg.inv(a), -1, -2), rtol=1e-10
    )
    sign = slogdet(Parameter(a)).sign
    assert not sign.requires_grad


def test_a_gaussian_with_a_full_covariance(rng, backend_name):
    """log N(x; 0, S), by the factor and by the determinant: values and gradients agree."""
    s, x = definite(rng, 4, 4), rng.normal(size=4)

    def by_factor(s, x):
        z = solve_triangular(cholesky(s), x, lower=True)
        return -(mv.square(z).sum() * 0.5 + mv.log(cholesky(s).diagonal()).sum())

    def by_determinant(s, x):
        return -((x * solve(s, x)).sum() + slogdet(s).logabsdet) * 0.5

    results = []
    for f in (by_factor, by_determinant):
        arguments = [tensor(a, backend=backend_name, requires_grad=True) for a in (s, x)]
        y = f(*arguments)
        results.append([y.numpy(), *(g.numpy() for g in backward(y, arguments))])
    for one, other in zip(*results, strict=True):
        np.testing.assert_allclose((one + one.T) / 2, (other + other.T) / 2, rtol=1e-10)


def test_a_compiled_step_computes_them_anew(rng):
    def step(a, b):
        s = a @ mv.swapaxes(a, -1, -2)
        return [cholesky(s), solve(a, b), solve_triangular(a, b), inv(a), *slogdet(a)]

    compiled = mv.compile(step)
    for _ in range(3):
        a, b = tensor(regular(rng, 2, 3, 3)), tensor(rng.normal(size=(2, 3, 1)))
        for found, expected in zip(compiled(a, b), step(a, b), strict=True):
            np.testing.assert_array_equal(found.numpy(), expected.numpy())


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_stays(dtype, rng, backend_name):
    a = tensor(definite(rng, 2, 3, 3).astype(dtype), backend=backend_name)
    for y in (cholesky(a), inv(a), *slogdet(a), solve(a, a), solve_triangular(a, a)):
        assert y.dtype == dtype
    array = backend.asarray(np.ones((3, 1)), backend=backend_name)
    assert solve(a, array).dtype == solve_triangular(a, array).dtype == dtype


# ------------------------------------------------------------------ errors

ONES = np.ones((2, 2))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda: cholesky(np.ones((2, 3))), r"a has shape \(2, 3\); expected square matrices, \(..., n, n\)"),
        (lambda: inv(np.ones(3)), r"a has shape \(3,\); expected square matrices"),
        (lambda: slogdet(1.0), r"a has shape \(\); expected square matrices"),
        (lambda: cholesky(-ONES), r"a has shape \(2, 2\); expected matrices positive definite \(Matrix is not pos"),
        (lambda: inv(ONES), r"a has shape \(2, 2\); expected matrices with an inverse \(Singular matrix\)"),
        (lambda: solve(ONES, ONES), r"a has shape \(2, 2\); expected matrices with an inverse \(Singular matrix\)"),
        (lambda: solve_triangular(ONES - np.eye(2), ONES[0]), r"expected matrices with an inverse \(0 on the diagonal"),
        (lambda: solve_triangular([ONES, np.diag([1.0, 0.0])], ONES), r"with an inverse \(0 on the diagonal at 1\)"),
        (lambda: solve(np.ones((2, 3)), ONES), r"a has shape \(2, 3\) and b \(2, 2\); expected \(..., n, n\) and"),
        (lambda: solve(np.ones(2), np.ones(2)), r"a has shape \(2,\) and b \(2,\); expected \(..., n, n\) and"),
        (lambda: solve(ONES, np.ones(3)), r"a has shape \(2, 2\) and b \(3,\); expected \(..., n, n\) and"),
        (lambda: solve(ONES, 1.0), r"a has shape \(2, 2\) and b \(\); expected \(..., n, n\) and"),
        (lambda: solve(np.ones((3, 2, 2)), np.ones((2, 2, 1))), r"solve: a is \(3, 2, 2\) .*, b is \(2, 2, 1\)"),
        (lambda: solve_triangular("a", ONES), "a is 'a'; expected a tensor, an array or a number"),
        (lambda: cholesky(np.ones((2, 2), np.float16)), r"cholesky: a is \(2, 2\) float16 .*float16 is unsupported"),
    ],
)
def test_errors_say_what_came_and_what_was_expected(f, message):
    with pytest.raises(InputError, match=message):
        f()


def test_a_singular_matrix_has_no_logarithm_and_no_gradient():
    assert [x.item() for x in slogdet(tensor(ONES))] == [0.0, -np.inf]
    x = Parameter(ONES)
    with pytest.raises(InputError, match="expected matrices with an inverse"):
        backward(slogdet(x).logabsdet, [x])
