"""Kernels as CUDA C: what is done with one element, for :mod:`.grid` and for CuPy's ``ReductionKernel``.

A kernel's operations become one line of C each, ``const float v2 = expf(v1);``, over
``x0, x1, ...`` (its loads) and ``v0, v1, ...`` (earlier results); its stores are the last
lines, ``y0 = v2;``, so that what is computed in place has been read by then. This module
makes text alone; nothing here touches CUDA.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..fuse import Kernel, Load, Operation, Result

TYPES = {
    "bool": "bool",
    "int8": "signed char",
    "uint8": "unsigned char",
    "int16": "short",
    "uint16": "unsigned short",
    "int32": "int",
    "uint32": "unsigned int",
    "int64": "long long",
    "uint64": "unsigned long long",
    "float32": "float",
    "float64": "double",
}

# {f} is the suffix of C's float32 functions; without it they would compute in float64.
FLOATING = {
    "absolute": "fabs{f}({0})",
    "arccos": "acos{f}({0})",
    "arccosh": "acosh{f}({0})",
    "arcsin": "asin{f}({0})",
    "arcsinh": "asinh{f}({0})",
    "arctan": "atan{f}({0})",
    "arctan2": "atan2{f}({0}, {1})",
    "arctanh": "atanh{f}({0})",
    "ceil": "ceil{f}({0})",
    "cos": "cos{f}({0})",
    "cosh": "cosh{f}({0})",
    "divide": "{0} / {1}",
    "exp": "exp{f}({0})",
    "expm1": "expm1{f}({0})",
    "floor": "floor{f}({0})",
    "log": "log{f}({0})",
    "log10": "log10{f}({0})",
    "log1p": "log1p{f}({0})",
    "log2": "log2{f}({0})",
    # (equal infinities have no difference)
    "logaddexp": "{0} == {1} ? {0} + ({type})0.6931471805599453 : "
    "({0} > {1} ? {0} : {1}) + log1p{f}(exp{f}(-fabs{f}({0} - {1})))",
    "power": "pow{f}({0}, {1})",
    # C's has the sign of the dividend, NumPy's that of the divisor, also where it is 0.
    "remainder": "fmod{f}({0}, {1}) != 0 && (fmod{f}({0}, {1}) < 0) != ({1} < 0) ? "
    "fmod{f}({0}, {1}) + {1} : copysign{f}(fmod{f}({0}, {1}), {1})",
    "rint": "rint{f}({0})",
    "sin": "sin{f}({0})",
    "sinh": "sinh{f}({0})",
    "sqrt": "sqrt{f}({0})",
    "tan": "tan{f}({0})",
    "tanh": "tanh{f}({0})",
}
COMPARISONS = {
    "equal": "{0} == {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
    "isfinite": "{0} - {0} == {0} - {0}",
    "isnan": "{0} != {0}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "not_equal": "{0} != {1}",
}
OTHERS = {
    "add": "{0} + {1}",
    "cast": "{0}",
    "logical_and": "{0} && {1}",
    "logical_not": "!{0}",
    "logical_or": "{0} || {1}",
    "logical_xor": "{0} != {1}",
    # NaN wins, as in NumPy; fmaxf would drop it.
    "maximum": "{0} > {1} || {0} != {0} ? {0} : {1}",
    "minimum": "{0} < {1} || {0} != {0} ? {0} : {1}",
    "multiply": "{0} * {1}",
    "negative": "-{0}",
    "sign": "{0} != {0} ? {0} : ({type})(({0} > 0) - ({0} < 0))",
    "square": "{0} * {0}",
    "subtract": "{0} - {1}",
    "where": "{0} ? {1} : {2}",
}
FUNCTIONS = FLOATING | COMPARISONS | OTHERS

# What is not finite has no literal in C; these are its bits, by CUDA's own functions.
_BITS = {
    "float32": {"inf": "__int_as_float(0x7f800000)", "nan": "__int_as_float(0x7fc00000)"},
    "float64": {
        "inf": "__longlong_as_double(0x7ff0000000000000LL)",
        "nan": "__longlong_as_double(0x7ff8000000000000LL)",
    },
}
_MAX_PARAMETERS = 4096  # bytes of a CUDA kernel's arguments, on every device and driver


class Source(NamedTuple):
    """A kernel's text.

    Attributes:
        name: of the CUDA function, as profilers show it.
        inputs, outputs: declarations as CuPy wants them, ``"float32 x0, uint8 x1"``.
        body: C statements that compute every output from the inputs.
    """

    name: str
    inputs: str
    outputs: str
    body: str


class MapSource(NamedTuple):
    """The text of a kernel whose one result is summed, value by value.

    Attributes:
        name, inputs, outputs: as in :class:`Source`.
        preamble: a device function that computes one value.
        value: the C expression that calls it.
        type: the C type of the sum.
    """

    name: str
    inputs: str
    outputs: str
    preamble: str
    value: str
    type: str


def elementwise(kernel: Kernel) -> Source:
    """The source of a kernel that stores its results."""
    stored = [(n, operation) for n, operation in enumerate(kernel.operations) if operation.store is not None]
    outputs = ", ".join(f"{operation.dtype.name} y{i}" for i, (_, operation) in enumerate(stored))
    stores = [f"y{i} = v{n};" for i, (n, _) in enumerate(stored)]
    return Source(_name(kernel), _inputs(kernel), outputs, "\n".join([*_lines(kernel), *stores]))


def mapped_sum(kernel: Kernel) -> MapSource:
    """The source of a kernel whose last result is summed over axes instead of stored."""
    last, name = kernel.operations[-1], _name(kernel)
    kind = TYPES[last.dtype.name]
    arguments = ", ".join(f"const {TYPES[x.dtype.name]} x{i}" for i, x in enumerate(kernel.loads))
    lines = "\n".join([*_lines(kernel), f"return v{len(kernel.operations) - 1};"])
    preamble = f"__device__ {kind} {name}_value({arguments}) {{\n{lines}\n}}"
    value = f"{name}_value({', '.join(f'x{i}' for i in range(len(kernel.loads)))})"
    inputs = _inputs(kernel)
    if len(kernel.loads) == 1:
        # CuPy (14.2) gives a reduction of one input to CUB, and the sum the layout of that input: so there is another.
        inputs += f", {kernel.loads[0].dtype.name} x1"
    return MapSource(f"{name}_sum", inputs, f"{last.dtype.name} y0", preamble, value, kind)


def translatable(kernel: Kernel) -> bool:
    """Whether a kernel has such a source: known dtypes and functions, and not too many arrays."""
    if not kernel.loads:  # CuPy learns from its arguments how many elements there are
        return False
    arrays = len(kernel.loads) + sum(o.store is not None for o in kernel.operations)
    if arrays * (16 + 16 * len(kernel.shape)) > _MAX_PARAMETERS - 64:  # pointer, size, shape and strides of each
        return False
    dtypes = [x.dtype for x in kernel.loads] + [o.dtype for o in kernel.operations]
    return all(dtype.name in TYPES for dtype in dtypes) and all(
        o.function in FUNCTIONS and (o.function not in FLOATING or o.dtype.kind == "f") for o in kernel.operations
    )


def _name(kernel: Kernel) -> str:
    return "_".join(["minivae", *(call.primitive.name for call in kernel.calls)])[:80]


def _inputs(kernel: Kernel) -> str:
    return ", ".join(f"{x.dtype.name} x{i}" for i, x in enumerate(kernel.loads))


def _lines(kernel: Kernel) -> list[str]:
    """One declaration for each operation."""
    return [
        f"const {TYPES[operation.dtype.name]} v{n} = {_expression(kernel, operation)};"
        for n, operation in enumerate(kernel.operations)
    ]


def _expression(kernel: Kernel, operation: Operation) -> str:
    """What an operation computes, in C."""
    function, operands = operation.function, operation.operands
    dtypes = [_dtype(kernel, o) for o in operands]
    if function == "cast":
        kind = dtypes[0]
    elif function in COMPARISONS:
        kind = np.result_type(*(o if dtype is None else dtype for o, dtype in zip(operands, dtypes, strict=True)))
    else:
        kind = operation.dtype
    wanted = [operation.dtype if kind is None else kind] * len(operands)
    if function == "where":
        wanted[0] = np.dtype("bool")
    texts = [_operand(o, dtype, w) for o, dtype, w in zip(operands, dtypes, wanted, strict=True)]
    suffix = "f" if kind == np.float32 else ""
    return FUNCTIONS[function].format(*texts, f=suffix, type=TYPES[operation.dtype.name])


def _dtype(kernel: Kernel, operand: Any) -> np.dtype | None:
    """What an operand is; None for a number, which takes the dtype of what it meets."""
    if isinstance(operand, Load):
        return kernel.loads[operand.number].dtype
    return kernel.operations[operand.number].dtype if isinstance(operand, Result) else None


def _operand(operand: Any, dtype: np.dtype | None, wanted: np.dtype) -> str:
    if dtype is None:
        return literal(operand, wanted)
    name = f"x{operand.number}" if isinstance(operand, Load) else f"v{operand.number}"
    return name if dtype == wanted else f"({TYPES[wanted.name]}){name}"


def literal(value: float, dtype: np.dtype) -> str:
    """A number in C, of exactly the type of ``dtype``."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return "true" if value else "false"
    if dtype.kind != "f":
        return f"({TYPES[dtype.name]})({int(value)}LL)"
    with np.errstate(over="ignore"):
        number = float(dtype.type(value))
    if number != number:
        return _BITS[dtype.name]["nan"]
    if number in (float("inf"), float("-inf")):
        return _BITS[dtype.name]["inf"] if number > 0 else f"(-{_BITS[dtype.name]['inf']})"
    text = f"{number!r}{'f' if dtype == np.float32 else ''}"
    return f"({text})" if text.startswith("-") else text
