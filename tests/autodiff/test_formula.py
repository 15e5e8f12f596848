"""Formula: text, parsed into steps, against the same expression by NumPy."""

import numpy as np
import pytest

from minivae.autodiff import PRIMITIVES
from minivae.autodiff.formula import Formula, Literal, Step

# The others are their input: there is nothing to write.
ROWS = [row for row in PRIMITIVES.values() if isinstance(row.value, Formula) and row.value.steps]
NAMES = {name: getattr(np, name) for name in ("exp", "log1p", "maximum", "minimum", "where")}


def values(formula, dtype="float64", shape=(3, 4)):
    rng = np.random.default_rng(1)
    arrays = [rng.uniform(0.1, 2, shape).astype(dtype) for _ in formula.arguments]
    return [a > 1 if name == "condition" else a for a, name in zip(arrays, formula.arguments, strict=True)]


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("a + b * 2 - a / b", "ab"),
        ("-(a ** b)", "ab"),
        ("exp(x) * exp(x) + exp(-x)", "x"),
        ("where(a > b, a, b * b)", "ab"),
        ("(a >= b) + (a < b) * (a <= 1) + (a == 1) + (a != b)", "ab"),
        ("maximum(x, 1) + log1p(exp(minimum(x, 1) - maximum(x, 1)))", "x"),
        ("x", "x"),
    ],
)
@pytest.mark.parametrize("shape", [(), (3, 4)])
def test_text_means_what_it_means_in_python(text, arguments, shape):
    formula = Formula(text, arguments)
    arrays = values(formula, shape=shape)
    kept = [array.copy() for array in arrays]
    expected = eval(text, NAMES | dict(zip(arguments, arrays, strict=True)))
    np.testing.assert_array_equal(formula(np, *arrays), expected)
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_a_part_written_twice_is_a_step_once():
    formula = Formula("exp(x) / (1 + exp(x))", "x")
    assert formula.steps == [Step("exp", (0,)), Step("add", (Literal(1), 1)), Step("divide", (1, 2))]
    assert formula.result == 3


@pytest.mark.filterwarnings("ignore:invalid value")  # outside the domains of some
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_row_writes_where_it_is_told(row, dtype):
    formula = row.value
    arrays = values(formula, dtype)
    kept = [array.copy() for array in arrays]
    expected = formula(np, *arrays)
    out = np.empty_like(expected)
    assert formula(np, *arrays, out=out) is out
    assert out.tobytes() == expected.tobytes()
    for array, before in zip(arrays, kept, strict=True):
        np.testing.assert_array_equal(array, before)


def test_results_broadcast():
    a, b = np.ones((3, 1)), np.full((1, 4), 2.0)
    np.testing.assert_array_equal(Formula("exp(a) * b + a", "ab")(np, a, b), np.exp(a) * b + a)


def test_the_lowest_argument_depends_on_the_dtype():
    lowest = Literal("LOWEST")
    assert [lowest.resolve(np.dtype(name)) for name in ("float32", "float64")] == [-87.0, -708.0]
    with pytest.raises(TypeError, match="expected floating point, got int64"):
        lowest.resolve(np.dtype("int64"))
