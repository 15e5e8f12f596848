"""The operators and methods of Tensor, each the function of the same name."""

from __future__ import annotations

from typing import Any

from . import elementwise as e
from . import linalg, reduce, shape
from .tensor import Tensor

_BINARY = {
    "add": e.add,
    "sub": e.subtract,
    "mul": e.multiply,
    "truediv": e.divide,
    "pow": e.power,
    "matmul": linalg.matmul,
}
_COMPARISONS = {
    "lt": e.less,
    "le": e.less_equal,
    "gt": e.greater,
    "ge": e.greater_equal,
    "eq": e.equal,
    "ne": e.not_equal,
}
_METHODS = {
    "sum": shape.sum,
    "mean": reduce.mean,
    "var": reduce.var,
    "max": reduce.max,
    "min": reduce.min,
    "reshape": shape.reshape,
    "transpose": shape.transpose,
    "astype": shape.astype,
    "detach": e.stop_gradient,
    "__getitem__": shape.getitem,
    "__neg__": e.negative,
    "__abs__": e.absolute,
}


def _method(function: Any) -> Any:
    # A primitive is an object, not a function: it would not be bound to its tensor.
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        return function(self, *args, **kwargs)

    method.__doc__ = function.__doc__
    return method


def _reflected(function: Any) -> Any:
    def method(self: Tensor, other: Any) -> Tensor:
        return function(other, self)

    return method


for _name, _function in _BINARY.items():
    setattr(Tensor, f"__{_name}__", _method(_function))
    setattr(Tensor, f"__r{_name}__", _reflected(_function))
for _name, _function in _COMPARISONS.items():
    setattr(Tensor, f"__{_name}__", _method(_function))
for _name, _function in _METHODS.items():
    setattr(Tensor, _name, _method(_function))
Tensor.__hash__ = object.__hash__  # by identity, although == compares elements
Tensor.T = property(shape.transpose, doc="The tensor with its axes reversed.")
