"""Tensor: an array and how it was made; ``apply``: the one place where a primitive runs.

Reverse-mode differentiation needs two things. While the program runs forward, every
result remembers the primitive and the inputs that made it (its *node*). Afterwards
:mod:`minivae.autodiff.backward` walks those nodes in reverse and applies each
primitive's derivative rule. This module is the first half.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from .. import backend
from ..errors import InputError, instance, lengths, shown
from .messages import argument_name, misfit, too_large
from .modes import mode
from .primitives import Primitive, primitive

_SCALARS = (float, int, bool)


class Tensor:
    """An array, with the record of how it was computed.

    Operators and methods mirror NumPy's (see :mod:`minivae.autodiff.operators`); every
    one of them goes through :func:`apply`.

    Attributes:
        data: the array (NumPy's, CuPy's, ...), never written in place by a primitive
            other than ``assign``.
        requires_grad: whether gradients flow to or through this tensor.
        node: ``(primitive, inputs, attributes)`` if it was computed from tensors that
            require gradients, else None (a leaf).
    """

    __slots__ = ("__weakref__", "data", "node", "requires_grad")

    # NumPy arrays on the left of an operator hand over to us.
    __array_ufunc__ = None

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self.data = data
        self.requires_grad = requires_grad
        self.node: tuple | None = None

    shape = property(lambda self: self.data.shape, doc="The array's shape.")
    dtype = property(lambda self: self.data.dtype, doc="The array's dtype.")
    ndim = property(lambda self: self.data.ndim, doc="The number of axes.")
    size = property(lambda self: self.data.size, doc="The number of elements.")

    def numpy(self) -> np.ndarray:
        """The values in host memory. On a GPU this waits for the device.

        Raises:
            InputError: inside a step that ``compile`` records, where the value would be
                that of this one call for ever.
        """
        if mode.tracing:
            raise InputError(
                "a value is read inside a step that compile() records; return it and read it outside, "
                "or choose with where() instead of if"
            )
        return backend.to_numpy(self.data)

    def item(self) -> float:
        """The value of a one-element tensor as a Python number. On a GPU this waits."""
        return self.numpy().item()

    __float__ = item

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __iter__(self) -> Iterator[Tensor]:
        return (self[i] for i in range(len(self)))

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("a Tensor is not converted to an array silently; use .numpy() or .data")

    def __repr__(self) -> str:
        made = f", made by {self.node[0].name}" if self.node else ", requires_grad=True" if self.requires_grad else ""
        values = np.array2string(self.numpy(), separator=", ", threshold=20, prefix="Tensor(")
        return f"Tensor({values}, dtype={self.dtype}{made})"


class Parameter(Tensor):
    """A tensor that is trained: a leaf that requires gradients.

    Attributes:
        place: where an optimizer has put its array (``optim.flat.Place``); None before.
    """

    __slots__ = ("place",)

    def __init__(self, data: Any) -> None:
        if data is not None and not (backend.is_array(data) and data.dtype.kind in "fc"):
            raise InputError(f"data is {shown(data)}; expected a floating-point array")
        super().__init__(data, requires_grad=True)
        self.place: Any = None

    def __getstate__(self) -> tuple[None, dict[str, Any]]:
        """What a copy or a pickle takes along: not the place, whose memory it does not share."""
        return None, {"data": self.data, "requires_grad": self.requires_grad, "node": None, "place": None}


def tensor(value: Any, dtype: Any = None, backend: str | None = None, requires_grad: bool = False) -> Tensor:
    """Make a leaf tensor from an array, a number or a nested list.

    Args:
        value: the values; an array is not copied if it is in place already.
        dtype: of the result; arrays keep theirs by default and Python numbers become float32.
        backend: the library; arrays stay where they are by default.
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
        InputError: ``x`` is no tensor, array, number or list, or lives in another library than ``like``.
    """
    if not isinstance(x, Tensor):
        x = _constant_tensor(x, like, name)
    if like is not None and type(x.data) is not type(like.data):
        _require_library(name, x, like)
    return x


def _constant_tensor(x: Any, like: Tensor | None, name: str) -> Tensor:
    if isinstance(x, np.generic) and like is not None:
        x = x.item()  # a number, wherever it came from
    known = backend.is_array(x)
    if not known and not isinstance(x, int | float | list | tuple):
        raise InputError(f"{name} is {shown(x)}; expected a tensor, an array or a number")
    if like is None:
        return Tensor(_asarray(x, name=name))
    dtype = instance("like", like, Tensor, "a Tensor").dtype
    dtype = dtype if dtype.kind == "f" else None
    if isinstance(x, int | float) and dtype is not None:
        return constant_like(like, x)
    return Tensor(_asarray(x, dtype, None if known else backend.library_of(like.data).name, name=name))


def _require_library(name: str, x: Tensor, like: Tensor) -> None:
    found, expected = backend.library_of(x.data).name, backend.library_of(like.data).name
    if found != expected:
        raise InputError(f"{name} is on {found}; expected {expected}: move it with backend.asarray(x, backend=...)")


def constant_like(x: Tensor, value: float, shape: Sequence[int] = ()) -> Tensor:
    """A constant of ``shape`` with the dtype and in the library of ``x``, made there without a transfer."""
    library = backend.library_of(x.data).name
    return apply(_constant, library=library, shape=lengths("shape", shape), value=value, dtype=x.dtype)


_asarray = backend.asarray  # where an argument hides the module's name


# -------------------------------------------------------------- primitives


def apply(primitive: Primitive, *inputs: Any, **attributes: Any) -> Tensor:
    """Run a primitive: compute its value, and record it if a gradient may be wanted.

    Inputs are tensors or Python scalars (which take the dtype of the tensors beside
    them); arrays become constant tensors.

    Raises:
        InputError: the shapes, dtypes or libraries of the inputs do not go together.
        OutOfMemoryError: there is no memory for the result.
    """
    arrays = []
    wanted = found = False
    for x in inputs:
        if isinstance(x, Tensor):
            found = True
            wanted = wanted or x.requires_grad
            arrays.append(x.data)
        elif type(x) in _SCALARS:
            arrays.append(x)
        else:
            return apply(primitive, *_lift(primitive, inputs), **attributes)
    if inputs and not found:
        return apply(primitive, tensor(inputs[0]), *inputs[1:], **attributes)
    try:
        # What has no inputs is told its library by its attributes.
        data = primitive.value(backend.namespace(*arrays) if arrays else None, *arrays, **attributes)
    except (ValueError, TypeError, IndexError) as error:
        raise misfit(primitive, arrays, attributes, error) from error
    except MemoryError as error:
        raise too_large(primitive, arrays, attributes, error) from error
    # NumPy's reductions return scalars; ours stay 0-d arrays, as CuPy's do.
    output = Tensor(np.asarray(data) if isinstance(data, np.generic) else data)
    if wanted and mode.recording and primitive.vjps:
        output.requires_grad = True
        output.node = (primitive, inputs, attributes)
    for hook in mode.hooks:
        hook(primitive, inputs, attributes, output)
    return output


def _lift(primitive: Primitive, inputs: Sequence[Any]) -> list[Any]:
    """Arrays to constant tensors like the first floating-point one; NumPy scalars, which promote, to Python's."""
    like = next((x for x in inputs if isinstance(x, Tensor) and x.dtype.kind == "f"), None)
    return [_lift_one(x, like, argument_name(primitive, i)) for i, x in enumerate(inputs)]


def _lift_one(x: Any, like: Tensor | None, name: str) -> Any:
    if isinstance(x, np.generic):
        return x.item()
    if type(x) in _SCALARS:
        return x
    boolean = backend.is_array(x) and x.dtype.kind == "b"  # a condition, which stays one
    return as_tensor(x, None if boolean else like, name)


Primitive.__call__ = apply

# Without inputs, so that a recorded step knows that the result is the same each time.
_constant = primitive(
    "constant",
    "one number, repeated",
    lambda xp, library, shape, value, dtype, out=None: backend.library(library).xp.full(shape, value, dtype=dtype),
)
