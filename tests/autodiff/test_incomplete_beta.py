"""The incomplete beta function, with its derivatives by the shapes, against mpmath.

The numbers were computed with mpmath 1.3.0 at 60 digits: I_x(a, b) is
``mp.betainc(a, b, 0, x, regularized=True)``, and a derivative of it by a is
``mp.diff(lambda a: I(a, b, x), a, k, h=a * 1e-15)``.
"""

import numpy as np
import pytest
from scipy import special

import minivae.autodiff as ad
from minivae.autodiff import PRIMITIVES, backward, betainc, tensor
from minivae.gradcheck import check_gradients

from .written import require_written_in_place

# a, b, x, and the derivatives of I_x(a, b) by a, b, a and a, a and b, b and b.
BETAINC = np.array(
    [
        (
            0.001,
            2.5,
            0.3,
            -0.35644048553688738,
            0.00023569482526689066,
            -0.33118087774368668,
            0.23565977829718162,
            -0.0001960161167975067,
        ),
        (
            0.001,
            0.001,
            0.9,
            -249.45241767547648,
            250.5471980615787,
            249450.8889408977,
            547.39241243348006,
            -250549.49510269878,
        ),
        (
            0.05,
            7.0,
            1e-08,
            -7.2057918499089144,
            0.0034352618097655982,
            114.97837257469127,
            0.013333821303359093,
            -0.00049817721720751844,
        ),
        (
            0.5,
            0.5,
            0.2,
            -0.64197567826920871,
            0.38756376927544048,
            1.587114188152536,
            -0.38594561122134683,
            -0.46088590803124712,
        ),
        (
            0.5,
            30.0,
            0.01,
            -0.76731289100809631,
            0.0076893368612345242,
            0.63516697118831121,
            0.0057124210714858178,
            -0.00020648197743876814,
        ),
        (1.0, 1.0, 0.5, -0.34657359027997265, 0.34657359027997265, 0.24022650695910071, 0.0, -0.24022650695910071),
        (
            1.0,
            3.0,
            0.75,
            -0.02537454006972185,
            0.021660849392498291,
            -0.019993234029206431,
            0.031033376102895186,
            -0.030028313369887589,
        ),
        (
            2.5,
            0.05,
            0.999,
            -0.018222733304337256,
            4.2836057213681162,
            0.0082538928015142281,
            -0.25659952712289828,
            -23.555494778010576,
        ),
        (
            2.5,
            2.5,
            0.1,
            -0.02941007142310067,
            0.011213991369799691,
            0.054696335326632447,
            -0.0181864981654324,
            0.0040510562213032888,
        ),
        (
            2.5,
            7.0,
            0.26,
            -0.23249943810700986,
            0.0789649864361934,
            0.032157275334865266,
            0.0072680033814428484,
            -0.0085057761557513173,
        ),
        (
            7.0,
            2.5,
            0.6,
            -0.059089690916916855,
            0.12640773980566066,
            0.018782821182001545,
            -0.031014351942489592,
            0.038250201949737777,
        ),
        (7.0, 7.0, 0.5, -0.10986297830080599, 0.10986297830080599, 0.00831954557215742, 0.0, -0.00831954557215742),
        (
            7.0,
            30.0,
            0.35,
            -0.0098140873858512543,
            0.0034566604420388192,
            -0.0058082712414684286,
            0.002286758860098824,
            -0.00085934125753764249,
        ),
        (
            30.0,
            0.5,
            0.95,
            -0.0050922668088767181,
            0.22140111052994928,
            0.00034675305651351769,
            -0.011979333595078048,
            0.21974324547371115,
        ),
        (
            30.0,
            30.0,
            0.45,
            -0.040413295224917999,
            0.036568626794300737,
            0.0049467262102966645,
            -0.0038578226265092562,
            0.002872160031441232,
        ),
        (
            300.0,
            7.0,
            0.97,
            -0.0025660446313382367,
            0.097471536309897566,
            2.7345501581976525e-5,
            -0.00088335229796628965,
            0.026569975073998625,
        ),
        (
            300.0,
            300.0,
            0.52,
            -0.009884749024717607,
            0.010288203473920678,
            -0.00037124320160034174,
            0.00040356911675701285,
            -0.00043721405920440066,
        ),
        (
            3000.0,
            30.0,
            0.9905,
            -0.00070449291311203928,
            0.072326940159383742,
            -5.271747021886819e-8,
            1.7551592023160616e-5,
            -0.0030291387185028416,
        ),
        (
            3000.0,
            1000.0,
            0.74,
            -0.0012851690614170137,
            0.0037555558905530931,
            1.7572310016475442e-5,
            -5.0726979184474375e-5,
            0.0001463654277653954,
        ),
        (
            30.0,
            3000.0,
            0.012,
            -0.036229115283459198,
            0.0003976936434905448,
            -0.0069697117260056334,
            8.2999111079698939e-5,
            -9.752795070772037e-7,
        ),
    ]
)
# The same far out in a tail, and of large shapes: mp.quad of the derivative of the density.
FAR = np.array(
    [
        (
            10.0,
            60.0,
            0.45,
            -1.6686476286932257e-8,
            6.3546417320436246e-9,
            -1.9026445753968414e-8,
            7.526532538411387e-9,
            -2.9114638394174965e-9,
        ),
        (
            30.0,
            30.0,
            0.1,
            -5.0871717245567957e-15,
            1.8638236238038108e-15,
            8.2841248944616457e-15,
            -3.0012518585906825e-15,
            1.0655274118821685e-15,
        ),
        (
            200.0,
            1000000.0,
            0.00023,
            -0.003370667083769447,
            7.2299866905912908e-7,
            -0.00047195124978637858,
            1.0300056366170485e-7,
            -2.2446398824982518e-11,
        ),
        (
            1000000.0,
            300.0,
            0.9997,
            -6.9068383944026645e-6,
            0.02303212982295562,
            7.5263858994359262e-12,
            -1.3582628540400744e-8,
            6.8661525782405211e-6,
        ),
        (
            20000.0,
            30000.0,
            0.41,
            -6.8272775373159683e-8,
            4.6469985409599581e-8,
            -1.6844719227367397e-9,
            1.1476990019448208e-9,
            -7.819568235069549e-10,
        ),
    ]
)
ORDERS = [(1, 0), (0, 1), (2, 0), (1, 1), (0, 2)]


# --------------------------------------------------------------------- betainc


def beta_slope(a, b, x, order):
    i, j = order
    return ad.apply(PRIMITIVES["betainc_slope"], tensor(a), tensor(b), tensor(x), i=i, j=j).numpy()


@pytest.mark.parametrize("column", range(5))
def test_derivatives_of_the_incomplete_beta_function_by_the_shapes(column):
    a, b, x = BETAINC[:, :3].T
    expected = BETAINC[:, 3 + column]
    found = beta_slope(a, b, x, ORDERS[column])
    # Measured: 2.2e-12 at most (of a and b in the thousands), beside the largest derivative of its point.
    scale = np.maximum(abs(expected), 0.1 * abs(BETAINC[:, 3:]).max(1))
    np.testing.assert_array_less(abs(found - expected) / scale, 5e-12)
    # The distribution of 1 - x is Beta(b, a); 1 - 1e-8 is rounded.
    i, j = ORDERS[column]
    mirrored = beta_slope(b, a, 1 - x, (j, i))
    np.testing.assert_array_less((abs(mirrored + expected) / scale)[x > 1e-3], 1e-11)


@pytest.mark.parametrize("column", range(5))
def test_derivatives_far_out_and_of_large_shapes(column):
    a, b, x = FAR[:, :3].T
    found = beta_slope(a, b, x, ORDERS[column])
    # Of small shapes to many digits; log B is of the size of the large ones, and its rounding with it.
    np.testing.assert_allclose(found[:2], FAR[:2, 3 + column], rtol=2e-13)
    np.testing.assert_allclose(found, FAR[:, 3 + column], rtol=1e-8)


def test_derivatives_of_the_incomplete_beta_function_in_float32():
    a, b, x = BETAINC[3:17, :3].astype(np.float32).T
    found = beta_slope(a, b, x, (1, 0))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, beta_slope(*(v.astype(np.float64) for v in (a, b, x)), (1, 0)), rtol=2e-4)


def test_where_the_method_changes_there_is_no_jump():
    """From the series to the integral, and from x to 1 - x."""
    for a, b, x in ((0.7, 20.0, 0.1), (30.0, 8.0, 0.25), (0.7, 1.5, 0.5), (30.0, 40.0, 0.5)):
        near = x * np.array([1 - 1e-9, 1 + 1e-9])
        for order in ORDERS:
            below, above = beta_slope(np.full(2, a), np.full(2, b), near, order)
            assert above == pytest.approx(below, rel=2e-7, abs=1e-9)


def test_the_incomplete_beta_function_and_its_gradients(backend_name):
    a, b, x, by_a, by_b = BETAINC[:, :5].T
    inputs = [tensor(v, backend=backend_name, requires_grad=True) for v in (a, b, x)]
    y = betainc(*inputs)
    np.testing.assert_allclose(y.numpy(), special.betainc(a, b, x), rtol=1e-11 if backend_name == "cupy" else 1e-13)
    found = [g.numpy() for g in backward(y, inputs, [1.0] * len(a))]
    density = np.exp((a - 1) * np.log(x) + (b - 1) * np.log1p(-x) - special.betaln(a, b))
    for g, expected in zip(found, (by_a, by_b, density), strict=True):
        np.testing.assert_allclose(g, expected, rtol=1e-11)


def test_second_derivatives_of_the_incomplete_beta_function():
    a, b, x = np.array([0.4, 2.0, 9.0]), np.array([3.0, 0.7, 12.0]), np.array([0.1, 0.8, 0.45])
    check_gradients(betainc, [a, b, x], order=2)


@pytest.mark.parametrize(("i", "j"), [(2, 0), (1, 1), (0, 2), (2, 1), (1, 2), (2, 2)])
def test_further_derivatives_of_the_incomplete_beta_function(i, j):
    """By the series and by the integral, on both sides of 1/2."""
    a, b, x = np.array([0.4, 3.0, 9.0, 12.0]), np.array([3.0, 0.4, 12.0, 9.0]), np.array([0.1, 0.9, 0.45, 0.55])
    slope = lambda a, b, x: ad.apply(PRIMITIVES["betainc_slope"], a, b, x, i=i, j=j)  # noqa: E731
    check_gradients(slope, [a, b, x], mode="jacobian")


def test_at_the_ends_nothing_depends_on_the_shapes():
    a, b = (tensor([0.5, 1.0, 3.0], np.float64, requires_grad=True) for _ in range(2))
    for x in (0.0, 1.0):
        for g in backward(betainc(a, b, np.full(3, x)), [a, b], np.ones(3)):
            np.testing.assert_array_equal(g.numpy(), 0.0)


def test_at_the_ends_the_slope_is_that_of_a_power():
    """x^(a - 1) / B(a, b) at 0, (1 - x)^(b - 1) / B(a, b) at 1."""
    x = tensor(np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]), requires_grad=True)
    a = np.array([1.0, 2.0, 0.5, 3.0, 3.0, 3.0])
    b = np.array([3.0, 3.0, 3.0, 1.0, 2.0, 0.5])
    with np.errstate(divide="ignore"):
        (g,) = backward(betainc(a, b, x), [x], np.ones(6))
    np.testing.assert_allclose(g.numpy(), [3.0, 0.0, np.inf, 3.0, 0.0, np.inf], rtol=1e-14)


@pytest.mark.parametrize("x", [-0.5, 1.5, np.nan])
def test_outside_of_the_unit_interval_value_and_slopes_are_nan(x):
    inputs = [tensor(np.float64(v), requires_grad=True) for v in (2.5, 1.5, x)]
    y = betainc(*inputs)
    with np.errstate(invalid="ignore"):
        found = [y, *backward(y, inputs)]
    assert all(np.isnan(t.item()) for t in found)


def test_numbers_take_the_dtype_of_the_tensor_beside_them():
    assert betainc(2.0, 3, tensor([0.25, 0.5])).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "inputs", "attributes"),
    [
        ("betainc", (2.5, 0.5, 0.25), {}),
        ("betainc_slope", (2.5, 0.5, 0.25), {"i": 1, "j": 0}),
        ("betainc_slope", (0.5, 9.0, 0.25), {"i": 0, "j": 1}),
    ],
)
def test_values_are_written_where_they_are_asked_for(name, inputs, attributes, backend_name):
    require_written_in_place(name, inputs, attributes, backend_name)
