"""Every differentiable operation of the engine: its gradients, dtype, memory layouts, and PyTorch beside it."""

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import Parameter, Tensor, backward, hooked, tensor
from minivae.autodiff.backward import sweep
from minivae.errors import InputError
from minivae.gradcheck import check_gradients

from ..doubles.strict_device import strict
from .cases import CASES, COMPOSITES

# Rows without a gradient, and why.
NOT_DIFFERENTIABLE = {
    "stop_gradient": "made to be a constant",
    "sign": "piecewise constant",
    "greater": "a boolean",
    "greater_equal": "a boolean",
    "less": "a boolean",
    "less_equal": "a boolean",
    "equal": "a boolean",
    "not_equal": "a boolean",
    "isnan": "a boolean",
    "isfinite": "a boolean",
    "logical_and": "a boolean",
    "logical_or": "a boolean",
    "logical_xor": "a boolean",
    "logical_not": "a boolean",
    "any": "a boolean",
    "all": "a boolean",
    "floor": "piecewise constant",
    "floor_divide": "piecewise constant",
    "ceil": "piecewise constant",
    "round": "piecewise constant",
    "argmax": "an integer",
    "argmin": "an integer",
    "argsort": "integers",
    "standard_normal": "noise, of no tensors",
    "uniform": "noise, of no tensors",
    "assign": "writes in place",
    "constant": "a number, of no tensors",
    "arange": "numbers, of no tensors",
    "tri": "numbers, of no tensors",
    "eye": "numbers, of no tensors",
}
# Public functions that are no operations on elements.
NOT_OPERATIONS = {
    *("PRIMITIVES", "GradientReport", "Parameter", "Primitive", "Tensor", "apply", "primitive", "tensor"),
    "from_dlpack",
    *("leaf", "zeros", "ones", "full", "zeros_like", "ones_like", "full_like"),  # no function of tensors' elements
    "one_hot_of_largest",  # piecewise constant
    *("as_tensor", "constant_like", "backward", "check_gradients", "detect_anomaly", "enable_grad", "grad"),
    *("compile", "hooked", "jacobian", "no_grad", "tracing", "tracing", "value_and_grad", "vjp"),
    *("jvp", "hessian"),
}
NOT_ANALYTIC = {"absolute", "cholesky", "slogdet"}  # (of complex numbers they take absolute values)
NOT_ANALYTIC |= {"mod", "logaddexp", "arctan2", "erfinv", "ive"}  # (NumPy and SciPy have them of real numbers alone)
REAL_ONLY = {"gammaln", "digamma", "polygamma", "scaled_exp1", "log_gammaincinv", "gammainc_slope"}  # as SciPy has them
REAL_ONLY |= {"log_mean_tilt", "betaln", "gammainc", "betainc", "betainc_slope"}
REAL_ONLY |= {"pair_sum", "pair_force"}  # (which differentiate on their way)
# What passes a gradient to one of several places: in a case of few elements one place may get none.
CHOICES = {"relu", "clip", "maximum", "minimum", "where", "mod"}

EVERY = [(name, case) for table in (CASES, COMPOSITES) for name, cases in table.items() for case in cases]


def parametrize(pairs):
    return pytest.mark.parametrize(("name", "case"), pairs, ids=[f"{name} {case.label}" for name, case in pairs])


every_case = parametrize(EVERY)


def call(case, inputs, constants, backend="numpy"):
    return case.f(*inputs, *(tensor(c, backend=backend) for c in constants))


def inputs_of(case, dtype=np.float64, where="numpy"):
    return [Parameter(backend.asarray(x.astype(dtype), backend=where)) for x in case.inputs]


def random_like(y, seed=7):
    return np.asarray(np.random.default_rng(seed).normal(size=tuple(y.shape)))


# --------------------------------------------------------------- completeness


def test_every_primitive_has_a_case_or_a_reason():
    differentiable = {name for name, row in ad.PRIMITIVES.items() if row.vjps}
    assert differentiable == CASES.keys(), "rows of PRIMITIVES and tests/autodiff/cases.py differ"
    assert ad.PRIMITIVES.keys() - differentiable == NOT_DIFFERENTIABLE.keys()


def test_every_public_function_has_a_case_or_a_reason():
    functions = set(ad.__all__) - NOT_OPERATIONS - NOT_DIFFERENTIABLE.keys()
    assert functions <= CASES.keys() | COMPOSITES.keys()


@pytest.mark.parametrize("name", CASES)
def test_the_cases_of_a_primitive_call_it(name):
    for case in CASES[name]:
        called = set()
        with hooked(lambda primitive, *_, called=called: called.add(primitive.name)):
            call(case, inputs_of(case), case.constants)
        # A vector takes part in matmul through reshape; broadcast_to of the same shape does nothing.
        assert name in called, case.label


@pytest.mark.parametrize("name", ["stop_gradient", "sign", "greater", "less_equal", "equal", "not_equal"])
def test_no_gradient_flows_where_there_is_none(name):
    x = tensor([0.5, -1.0, 2.0], np.float64, requires_grad=True)
    inputs = [x] if name in ("stop_gradient", "sign") else [x, 0.0]
    y = ad.apply(ad.PRIMITIVES[name], *inputs)
    assert not y.requires_grad
    assert y.node is None
    (g,) = backward((y * x).sum(), [x])
    np.testing.assert_array_equal(g.numpy(), y.numpy())  # x is what y was multiplied by


# ------------------------------------------------------------------ gradients


def check(name, case, backend="numpy", **options):
    """Check the gradients of a case, which may be zero only where that is in its nature."""
    inputs = [tensor(x, backend=backend) for x in case.inputs]
    empty = any(x.size == 0 for x in inputs) or call(case, inputs, case.constants, backend).size == 0
    f = lambda *x: call(case, x, case.constants, backend)  # noqa: E731
    report = check_gradients(f, inputs, allow_zero=empty or name in CHOICES, **options)
    assert report.comparisons > 0 or empty
    return report


@every_case
def test_first_and_second_derivatives(name, case, backend_name):
    if (name, backend_name) == ("ive", "cupy"):
        pytest.skip("CuPy has no ive; it is refused")
    assert check(name, case, backend_name, order=2).largest_error < 1e-6


@every_case
def test_random_directions_and_the_complex_step_agree(name, case):
    assert check(name, case, order=2, mode="directions").largest_error < 1e-6
    if name not in NOT_ANALYTIC | REAL_ONLY:
        assert check(name, case, order=2, complex_step=True).largest_error < 1e-12


@pytest.mark.parametrize("name", sorted(CHOICES))
def test_choices_have_cases_in_which_every_input_counts(name):
    def counts(case):
        inputs = inputs_of(case)
        y = call(case, inputs, case.constants)
        return all(g.numpy().any() for g in backward(y, inputs, random_like(y)))

    assert any(map(counts, CASES[name]))


# ---------------------------------------------------------------------- dtype


@every_case
def test_float32_stays_float32(name, case):
    """On the strict device, where a float64 array made on the way is an error, too."""
    inputs = inputs_of(case, np.float32, "strict")
    constants = [tensor(c, backend="strict") for c in case.constants]
    with strict.counter.forbid_dtype("float64"):
        y = case.f(*inputs, *constants)
        v = tensor(random_like(y).astype(np.float32), backend="strict")
        gradients = backward(y, inputs, v, create_graph=True)
        total = sum((g * g).sum() for g in gradients)
        second = backward(total, inputs) if total.requires_grad else []
    assert {t.dtype.name for t in (y, *gradients, *second)} == {"float32"}
    expected = backward(call(case, inputs := inputs_of(case), case.constants), inputs, v.numpy().astype(np.float64))
    for found, wanted in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found.numpy(), wanted.numpy(), rtol=2e-4, atol=1e-5)


# --------------------------------------------------------------- memory layout


def strided(x):
    padded = np.full([2 * n + 1 for n in x.shape], np.nan)
    view = padded[tuple(slice(1, 2 * n + 1, 2) for n in x.shape)]
    view[...] = x
    return view


LAYOUTS = {
    "column-major": np.asfortranarray,
    "strided": strided,
    "backwards": lambda x: x[(slice(None, None, -1),) * x.ndim].copy()[(slice(None, None, -1),) * x.ndim],
    "read-only": lambda x: np.broadcast_to(x, x.shape),
}


def run_laid_out(case, relay):
    """Output and gradients, as arrays; and nobody wrote into an input or a cotangent."""
    inputs = [Parameter(relay(x) if x.ndim else x) for x in case.inputs]
    y = call(case, inputs, case.constants)
    v = random_like(y)
    cotangent = tensor(relay(v) if v.ndim else v)
    results = [y, *backward(y, inputs, cotangent)]
    np.testing.assert_array_equal(cotangent.numpy(), random_like(y))
    for x, original in zip(inputs, case.inputs, strict=True):
        np.testing.assert_array_equal(x.numpy(), original)
    return [t.numpy() for t in results]


@every_case
def test_memory_layout_makes_no_difference(name, case):
    plain = run_laid_out(case, np.array)
    for layout, relay in LAYOUTS.items():
        for a, b in zip(plain, run_laid_out(case, relay), strict=True):
            np.testing.assert_allclose(b, a, rtol=1e-14, atol=1e-15, err_msg=layout)


# -------------------------------------------------------------------- PyTorch


def beside_pytorch(case):
    """Ours and PyTorch's: the value, the gradient by each input, the derivatives of their sum with random weights."""
    import torch

    inputs = inputs_of(case)
    twins = [torch.tensor(x.copy(), requires_grad=True) for x in case.inputs]
    y = call(case, inputs, case.constants)
    z = case.twin(torch, *twins, *(torch.tensor(c) for c in case.constants))
    v = random_like(y)
    first = backward(y, inputs, v, create_graph=True)
    expected = torch.autograd.grad(z, twins, torch.tensor(v), create_graph=True)
    weights = [random_like(g, seed) for seed, g in enumerate(first)]
    total: Tensor = sum((g * w).sum() for g, w in zip(first, weights, strict=True))
    total_twin = sum((g * torch.tensor(w)).sum() for g, w in zip(expected, weights, strict=True))
    second = []  # where there is one: the gradient may be constant
    if total_twin.requires_grad:
        seconds = torch.autograd.grad(total_twin, twins, allow_unused=True, materialize_grads=True)
        second = zip(sweep(total, inputs), seconds, strict=True)
    orders = [(y, z)], zip(first, expected, strict=True), second
    return [[(a.numpy(), b.numpy(force=True)) for a, b in pairs] for pairs in orders]


@every_case
def test_values_and_two_orders_of_gradients_equal_pytorch(name, case):
    pytest.importorskip("torch", reason="the oracle, from pip install 'minivae[oracle]'")
    # PyTorch's trigamma is off by up to 5e-10, which second derivatives enlarge.
    exact, tolerance = (2e-9, 1e-8) if name in REAL_ONLY else (1e-13, 1e-11)
    for pairs, rtol in zip(beside_pytorch(case), (exact, tolerance, tolerance), strict=True):
        for ours, theirs in pairs:
            np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol / 10)


@pytest.mark.parametrize("name", ["exp", "add"])
def test_an_operation_of_nothing_is_refused(name):
    with pytest.raises(InputError, match=f"^{name}: nothing was given; expected what goes together"):
        getattr(ad, name)()
