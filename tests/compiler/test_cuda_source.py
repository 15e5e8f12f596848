"""CUDA C: every element-wise primitive has a translation that compiles, keeps its dtype and gives NumPy's numbers.

The text is compiled by NVRTC, as CuPy would compile it, where CuPy and the NVRTC wheel are
installed (``pip install 'minivae[nvrtc]'``; no GPU is needed), and run through the C compiler
of this machine where there is one.
"""

from __future__ import annotations

import ctypes
import shutil

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import PRIMITIVES
from minivae.autodiff.formula import Formula
from minivae.compiler.analysis import Call
from minivae.compiler.cuda.grid import grid_of, text
from minivae.compiler.cuda.source import FUNCTIONS, TYPES, elementwise, literal, mapped_sum, translatable
from minivae.compiler.fuse import Kernel, group_calls
from minivae.models import VAE, Batch
from minivae.optim import Adam

from ..doubles.fake_nvrtc import Compiler
from .test_analysis import analysed, record

ROWS = {name: row for name, row in PRIMITIVES.items() if isinstance(row.value, Formula)}
FLOATS = ["float32", "float64"]
NUMBERS = {"clip": (-0.5, 1.5)}  # inputs that are numbers, after the arrays
needs_c = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc)")
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # infinities and NaN are meant


def call(name, *inputs, **attributes):
    row = PRIMITIVES[name]
    return Call(row, inputs, attributes, row.value(np, *inputs, **attributes))


def kernel(name, *inputs, **attributes):
    """A kernel of one primitive."""
    return Kernel([call(name, *inputs, **attributes)], set(), {})


def every_row(dtype):
    """A kernel of every element-wise primitive, each with its own inputs or those of others, and each stored.

    Its values are ordinary numbers, zeros of both signs, infinities and NaN, each with each.
    """
    special = np.array([0.3, -1.7, 2.0, 0.0, -0.0, 1.0, -1.0, 90.0, -90.0, np.inf, -np.inf, np.nan], dtype)
    a, b = (x.ravel().copy() for x in np.meshgrid(special, special))
    given = {1: (a,), 2: (a, b), 3: (a > b, a, b)}
    calls = []
    for name, row in ROWS.items():
        numbers = NUMBERS.get(name, ())
        calls.append(call(name, *given[len(row.value.arguments) - len(numbers)], *numbers))
    return Kernel(calls, set(), {})


# -------------------------------------------------------------------- text


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_element_wise_primitive_has_a_translation(dtype):
    for one in every_row(dtype).calls:
        assert translatable(Kernel([one], set(), {})), one.primitive.name


def test_every_function_of_the_formulas_is_in_the_table_and_no_other():
    assert set(FUNCTIONS) == {step.function for row in ROWS.values() for step in row.value.steps} | {"cast"}


def test_one_line_an_operation():
    source = elementwise(kernel("sigmoid", np.ones((2, 3), "float32")))
    assert source.name == "minivae_sigmoid"
    assert (source.inputs, source.outputs) == ("float32 x0", "float32 y0")
    assert source.body.splitlines() == [
        "const float v0 = x0 > (-87.0f) || x0 != x0 ? x0 : (-87.0f);",
        "const float v1 = -v0;",
        "const float v2 = expf(v1);",
        "const float v3 = 1.0f + v2;",
        "const float v4 = 1.0f / v3;",
        "y0 = v4;",
    ]
    assert mapped_sum(kernel("negative", np.ones(2))).preamble.splitlines() == [
        "__device__ double minivae_negative_value(const double x0) {",
        "const double v0 = -x0;",
        "return v0;",
        "}",
    ]


def test_operands_of_other_dtypes_are_cast_as_numpy_promotes():
    pixels, floats = np.ones(2, "uint8"), np.ones(2, "float32")
    for name, expected in [
        ("multiply", "const float v0 = (float)x0 * x1;"),
        ("greater", "const bool v0 = (float)x0 > x1;"),
        ("where", "const float v0 = (bool)x0 ? x1 : 0.5f;"),
    ]:
        given = (pixels, floats, *([0.5] if name == "where" else []))
        assert elementwise(kernel(name, *given)).body.splitlines()[0] == expected


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (0.1, "float32", "0.10000000149011612f"),
        (0.1, "float64", "0.1"),
        (-2, "float32", "(-2.0f)"),
        (1e-45, "float32", "1.401298464324817e-45f"),
        (1e39, "float32", "__int_as_float(0x7f800000)"),
        (-np.inf, "float64", "(-__longlong_as_double(0x7ff0000000000000LL))"),
        (np.nan, "float32", "__int_as_float(0x7fc00000)"),
        (True, "bool", "true"),
        (3, "uint8", "(unsigned char)(3LL)"),
    ],
)
def test_literals_are_of_their_type(value, dtype, expected):
    assert literal(value, np.dtype(dtype)) == expected


def test_what_has_no_translation():
    complex_, whole = np.ones(2, "complex128"), np.ones(2, "int64")
    assert not translatable(kernel("exp", complex_))
    assert not translatable(kernel("power", whole, whole))  # of integers
    assert translatable(kernel("divide", whole, whole))  # is floating point
    assert not translatable(Kernel([Call(PRIMITIVES["add"], (1.0, 2.0), {}, np.array(3.0))], set(), {}))  # no arrays


# ------------------------------------------------------------ through C


@needs_c
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_numbers_are_those_of_numpy(dtype, tmp_path):
    assert_same(every_row(dtype), tmp_path)


@needs_c
def test_casts_are_those_of_numpy(tmp_path):
    inputs = [np.array([0, 1, 3, 100]).astype(dtype) for dtype in TYPES]
    assert_same(Kernel([call("astype", x, dtype=np.dtype(to)) for x in inputs for to in TYPES], set(), {}), tmp_path)


def assert_same(kernel, folder):
    source = elementwise(kernel)
    expected = [one.output for one in kernel.calls]
    found = [np.empty_like(x) for x in expected]
    grid = grid_of(kernel.shape, [*kernel.loads, *found])
    run = Compiler(folder).grid(text(source, grid), source.name)
    given = [ctypes.c_void_p(x.ctypes.data) for x in (*kernel.loads, *found)]
    (across, down), block = grid.launch()
    run(across, down, *block, *given, *map(ctypes.c_longlong, grid.numbers))
    for one, x, y in zip(kernel.calls, found, expected, strict=True):
        rtol = {"float32": 5e-7, "float64": 1e-15}.get(y.dtype.name, 0)  # a few units in the last place
        np.testing.assert_allclose(x, y, rtol, 0, err_msg=one.primitive.name)


# -------------------------------------------------------- through NVRTC

HEADERS = "".join(f"#include <cupy/{name}>\n" for name in ("complex.cuh", "carray.cuh", "math_constants.h"))


def ptx(code, headers=""):
    """The PTX of a CUDA source."""
    cupy = pytest.importorskip("cupy", reason="CuPy is not installed")
    core, nvrtc = pytest.importorskip("cupy._core.core"), cupy.cuda.nvrtc
    try:
        nvrtc.getVersion()
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"NVRTC is not installed: {error}")
    options = (*core.assemble_cupy_compiler_options(()), "-ftz=true", "-arch=compute_75")
    program = nvrtc.createProgram(headers + code, "kernel.cu", (), ())
    try:
        nvrtc.compileProgram(program, options)
    except nvrtc.NVRTCError as error:
        pytest.fail(f"{error}\n{nvrtc.getProgramLog(program)}\n{code}")
    return nvrtc.getPTX(program).decode()


def reduction_code(source, kinds):
    """What CuPy makes of a sum's source, without a GPU."""
    made = pytest.importorskip("cupy._core._reduction", reason="CuPy is not installed")
    if not hasattr(made, "_ReductionKernel_get_cached_function_code"):
        pytest.skip("this CuPy does not give its kernels' text without a GPU; 14.2 does")
    from cupy import ndarray
    from cupy._core._kernel import _ArgInfo, _get_param_info, _TypeMap

    params = _get_param_info(source.inputs, True) + _get_param_info(source.outputs, False)
    params += _get_param_info("CIndexer _in_ind, CIndexer _out_ind", False) + _get_param_info(
        "int32 _block_stride", True
    )
    arrays = [_ArgInfo(1, ndarray, np.dtype(kind).type, 2, False, True) for kind in kinds]
    indices = [_ArgInfo(2, object, None, 2, True, True)] * 2
    stride = _ArgInfo(3, object, np.int32, 0, True, True)
    return made._ReductionKernel_get_cached_function_code(
        *(len(kinds) - 1, 1, params, (*arrays, *indices, stride), _TypeMap((("IndexT", np.int32),))),
        *(source.name, 512, source.type, "0"),
        *(source.value, "a + b", "y0 = a", source.preamble, ()),
    )


def elementwise_code(kernel):
    """The whole function, for arrays as they were recorded."""
    return text(elementwise(kernel), grid_of(kernel.shape, [*kernel.loads, *kernel.makes]))


@pytest.mark.parametrize("dtype", FLOATS)
def test_nvrtc_compiles_every_primitive(dtype):
    kernel = every_row(dtype)
    assert "minivae_add" in ptx(elementwise_code(kernel))
    # Float32 kernels compute nothing in double precision, but for CUDA's own sinf and cosf of large numbers.
    kernel = Kernel([one for one in kernel.calls if one.primitive.name not in ("sin", "cos")], set(), {})
    assert (".f64" in ptx(elementwise_code(kernel))) == (dtype == "float64")


def test_nvrtc_compiles_casts_between_all_dtypes():
    inputs = [np.ones(2, dtype) for dtype in TYPES]
    calls = [call("astype", x, dtype=np.dtype(to)) for x in inputs for to in ("bool", "uint8", "float32")]
    kernel = Kernel(calls, set(), {})
    ptx(elementwise_code(kernel))


@pytest.mark.parametrize("dtype", FLOATS)
def test_nvrtc_compiles_sums(dtype):
    x = np.ones((3, 4), dtype)
    terms = call("multiply", x, np.array(2, dtype))
    kernel = Kernel([terms, call("softplus", terms.output)], {id(terms.output)}, {})
    made = ptx(reduction_code(mapped_sum(kernel), [dtype] * 3), HEADERS)
    assert "minivae_multiply_softplus_sum" in made
    assert (".f64" in made) == (dtype == "float64")


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_nvrtc_compiles_every_kernel_of_a_training_step(likelihood):
    model = VAE(12, 3, (7,), likelihood=likelihood)
    adam, generator = Adam(model.parameters()), backend.generator(0)

    def step(images):
        (phase,) = model.phases(Batch(ad.astype(images, "float32") / 255), generator)
        adam.apply(ad.backward(phase.loss, phase.parameters))

    adam.advance()
    recorded = analysed(*record(step, np.ones((5, 12), "uint8")))
    kernels = [item for item in group_calls(recorded, recorded.main) if isinstance(item, Kernel)]
    assert len(kernels) > 8
    code = {elementwise_code(one) for one in kernels}
    assert not any(".f64" in made for made in map(ptx, code))
