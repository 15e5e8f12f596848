"""The tape: ``apply``, the one place where a primitive runs, and what it writes down for ``backward``.

Tape, trace (``compile``), anomaly detection and profiling all hook in here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import backend
from ..backend import get_backend, xp_of
from ..checks import function, instance, lengths
from ..errors import InputError, shown
from .formula import Formula
from .messages import argument_name, misfit, no_array, too_large
from .modes import mode
from .primitives import OPERATIONS, PRIMITIVES, Primitive, RuleForEach
from .tensor import Tensor

_SCALARS = (float, int, bool)
_Scalar, _ndarray, _FLOAT64 = np.generic, np.ndarray, np.dtype("float64")
_new = tuple.__new__  # quicker than Node() is


class assignments:
    """How many there have been in this process: see :mod:`minivae.autodiff.effects`."""

    count: int = 0


class Node(NamedTuple):
    """How a tensor was computed: what backward needs to go back through it.

    ``assignments`` is how many of them there had been then. A node without inputs
    stands where there is no way back, and its attribute ``refusal`` says why.
    """

    primitive: Primitive
    inputs: tuple[Any, ...]
    attributes: dict[str, Any]
    assignments: int = 0


def apply(primitive: Primitive, *inputs: Any, **attributes: Any) -> Tensor:
    """Run a primitive: compute its value, and record it if a gradient may be wanted.

    Inputs are tensors or Python scalars (which take the dtype of the tensors beside
    them); arrays become constant tensors.

    Raises:
        InputError: the shapes, dtypes or backends of the inputs do not go together.
        OutOfMemoryError: there is no memory for the result.
    """
    arrays = []
    wanted = found = False
    for x in inputs:
        if isinstance(x, Tensor):
            found = True
            wanted = wanted or x.requires_grad
            arrays.append(x._data)
        elif type(x) in _SCALARS:
            arrays.append(x)
        else:
            return apply(primitive, *_lift(primitive, inputs), **attributes)
    if inputs and not found:
        return apply(primitive, tensor(inputs[0]), *inputs[1:], **attributes)
    try:
        # What has no inputs is told its backend by its attributes.
        data = primitive.value(xp_of(*arrays) if arrays else None, *arrays, **attributes)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError) as error:
        if isinstance(error, AttributeError) and (arrays or {"backend", "generator"} & attributes.keys()):
            raise  # no misfit, as that of nothing given is
        raise misfit(primitive, arrays, attributes, error) from error
    except MemoryError as error:
        raise too_large(primitive, arrays, attributes, error) from error
    if type(data) is not _ndarray:
        # NumPy's reductions return scalars; ours stay 0-d arrays, as CuPy's do.
        data = np.asarray(data) if isinstance(data, _Scalar) else _checked(primitive, data)
    if data.dtype is _FLOAT64 and len(arrays) > 1 and _drifts(primitive, arrays):
        return apply(primitive, *_integers_as_floats(inputs), **attributes)
    output = (mode.tracer or Tensor)(data)
    if wanted and primitive.differentiable and mode.taping:
        output.requires_grad = True
        output.node = _new(Node, (primitive, inputs, attributes, assignments.count))
    for hook in mode.hooks:
        hook(primitive, inputs, attributes, output)
    return output


def _checked(primitive: Primitive, data: Any) -> Any:
    if not backend.is_array(data):
        raise InputError(no_array(primitive, data))
    return data


def _drifts(primitive: Primitive, arrays: Sequence[Any]) -> bool:
    """Whether a result is float64 only because an array of integers was among those of a narrower float."""
    if getattr(arrays[0], "dtype", _FLOAT64) is _FLOAT64 and getattr(arrays[-1], "dtype", _FLOAT64) is _FLOAT64:
        return False  # most often, and quickly
    if not (primitive.broadcasts or primitive.kind in ("product", "conv")):
        return False
    dtypes = [x.dtype for x in arrays if hasattr(x, "dtype")]
    floats = {d for d in dtypes if d.kind in "fc"}
    return len(floats) == 1 and _FLOAT64 not in floats and any(d.kind in "iu" for d in dtypes)


def _integers_as_floats(inputs: Sequence[Any]) -> list[Any]:
    """Tensors of integers in the dtype of the float beside them, which arrays of integers take as well."""
    dtype = next(x.dtype for x in inputs if isinstance(x, Tensor) and x.dtype.kind in "fc")
    whole = [isinstance(x, Tensor) and x.dtype.kind in "iu" for x in inputs]
    return [apply(PRIMITIVES["astype"], x, dtype=dtype) if w else x for x, w in zip(inputs, whole, strict=True)]


# --------------------------------------------------------- rows that can be called


class Operation(Primitive):
    """A primitive that can be called: ``exp(x)`` is ``apply(exp, x)``."""

    __call__ = apply


def primitive(
    name: str,
    doc: str,
    value: Callable,
    *vjps: Callable | None,
    each: Callable[..., Callable[[int], Any]] | None = None,
    **options: Any,
) -> Operation:
    """Add a row to the table of primitives and return it.

    Args:
        name, value, vjps, options: see :class:`~minivae.autodiff.primitives.Primitive`;
            a ``value`` that is a formula makes the row element-wise.
        doc: one line that says what it computes.
        each: for operations of any number of inputs, their rules as one: what
            :class:`~minivae.autodiff.primitives.RuleForEach` takes.

    Raises:
        InputError: the name is taken, or the value or a rule is no function.
    """
    if instance("primitive name", name, str, "free text") in PRIMITIVES:
        raise InputError(f"primitive name is {shown(name)}; expected one not yet taken")
    if isinstance(value, Formula):
        options |= {"kind": "elementwise", "formula": value}
    function("value", value)
    for i, rule in enumerate(vjps):
        if rule is not None:
            function(f"vjps[{i}]", rule)
    rules = RuleForEach(function("each", each)) if each else vjps
    row = PRIMITIVES[name] = Operation(name, value, rules, doc=doc, **options)
    OPERATIONS.setdefault(name, row)
    return row


# ------------------------------------------------------------- tensors from what is none


def tensor(value: Any, dtype: Any = None, backend: str | None = None, requires_grad: bool = False) -> Tensor:
    """Make a leaf tensor from an array, a number or a nested list.

    Args:
        value: the values; an array is not copied if it is in place already.
        dtype: of the result; arrays keep theirs by default and Python numbers become float32.
        backend: where it lives; by default arrays stay where they are.
        requires_grad: whether gradients are wanted.

    Raises:
        InputError: gradients are wanted of integers or booleans.
    """
    data = _asarray(value, dtype, backend)
    if requires_grad and data.dtype.kind not in "fc":
        raise InputError(f"value has dtype {data.dtype}; gradients need floating point: give dtype=")
    return Tensor(data, requires_grad)


def as_tensor(x: Any, like: Tensor | None = None, name: str = "x") -> Tensor:
    """``x`` itself if it is a tensor, else a constant one.

    With ``like``, numbers and lists go where it lives and, if it is floating-point,
    take its dtype. Arrays take that dtype too, so that float64 data do not turn a
    float32 model into a float64 one, but are not moved.

    ``name`` is what messages call it.

    Raises:
        InputError: ``x`` is no tensor, array, number or list, or lives in another backend than ``like``.
    """
    if not isinstance(x, Tensor):
        x = _constant_tensor(x, like, name)
    if like is not None and type(x._data) is not type(like._data):
        _require_backend(name, x, like)
    return x


def _constant_tensor(x: Any, like: Tensor | None, name: str) -> Tensor:
    if isinstance(x, np.generic) and like is not None:
        x = _number(x, name)
    known: Any = x if backend.is_array(x) else None
    if known is None and not isinstance(x, int | float | list | tuple):
        raise InputError(f"{name} is {shown(x)}; expected a tensor, an array or a number")
    if like is None:
        return Tensor(_asarray(x, name=name))
    dtype = instance("like", like, Tensor, "a Tensor").dtype
    dtype = dtype if dtype.kind == "f" else None
    if isinstance(x, int | float) and dtype is not None:
        return constant_like(like, x)
    if known is None:
        return Tensor(_asarray(x, dtype, backend.backend_of(like._data).name, name=name))
    if dtype is not None and known.dtype.kind == "c" and known.imag.any():
        raise InputError(f"{name} has dtype {known.dtype}, and is used together with {dtype}; expected real numbers")
    if dtype is not None and known.dtype.kind in "biufc" and known.dtype != dtype:
        return apply(PRIMITIVES["astype"], Tensor(x), dtype=dtype)  # an operation, so that a replay sees new values
    return Tensor(_asarray(x, dtype, name=name))


def _number(x: Any, name: str) -> Any:
    """A NumPy scalar as a Python number, wherever it came from."""
    number = x.item()
    if isinstance(number, np.generic) and number.dtype.kind == "f":  # a longdouble, which has no other item
        number = float(number)
    if not isinstance(number, float | int | bool):
        raise InputError(f"{name} is {shown(x)}; expected a real number")
    return number


def _require_backend(name: str, x: Tensor, like: Tensor) -> None:
    found, expected = backend.backend_of(x._data).name, backend.backend_of(like._data).name
    if found != expected:
        raise InputError(f"{name} is on {found}; expected {expected}: move it with backend.asarray(x, backend=...)")


def constant_like(x: Tensor, value: float, shape: Sequence[int] = ()) -> Tensor:
    """A constant of ``shape`` with the dtype and in the backend of ``x``, made there without a transfer."""
    where = backend.backend_of(x._data).name
    return apply(_constant, backend=where, shape=lengths("shape", shape), value=value, dtype=x.dtype)


def leaf(x: Tensor) -> Tensor:
    """A tensor with the array of ``x`` that requires gradients and was made from nothing: to differentiate by."""
    made = (mode.tracer or Tensor)(x._data)
    made.requires_grad = True
    return made


_asarray = backend.asarray  # where an argument hides the module's name


def _lift(primitive: Primitive, inputs: Sequence[Any]) -> list[Any]:
    """Arrays to constant tensors like the first floating-point one; NumPy scalars, which promote, to Python's."""
    like = next((x for x in inputs if isinstance(x, Tensor) and x.dtype.kind == "f"), None)
    return [_lift_one(x, like, argument_name(primitive, i)) for i, x in enumerate(inputs)]


def _lift_one(x: Any, like: Tensor | None, name: str) -> Any:
    if isinstance(x, np.generic):
        return _number(x, name)
    if type(x) in _SCALARS:
        return x
    boolean = backend.is_array(x) and x.dtype.kind == "b"  # a condition, which stays one
    return as_tensor(x, None if boolean else like, name)


# Without inputs, so that a recorded step knows that the result is the same each time.
_constant = primitive(
    "constant",
    "one number, repeated",
    lambda xp, backend, shape, value, dtype, out=None: get_backend(backend).xp.full(shape, value, dtype=dtype),
    kind="constant",
)
