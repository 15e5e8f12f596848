"""The engine: reverse-mode automatic differentiation on NumPy and CuPy arrays."""

from types import ModuleType as _Module

from .anomaly import detect_anomaly
from .assign import assign
from .backward import backward
from .creation import arange
from .elementwise import (
    absolute,
    add,
    clip,
    cos,
    divide,
    equal,
    exp,
    expm1,
    greater,
    greater_equal,
    identity,
    less,
    less_equal,
    log,
    log1p,
    log_sigmoid,
    maximum,
    minimum,
    multiply,
    negative,
    not_equal,
    power,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    square,
    stop_gradient,
    subtract,
    tanh,
    where,
)
from .linalg import linear, matmul
from .modes import enable_grad, hooked, no_grad, tracing
from .primitives import PRIMITIVES, Primitive
from .random import standard_normal, uniform
from .reduce import index_of_largest, log_softmax, logsumexp, max, mean, min, one_hot_of_largest, softmax, var
from .shape import (
    astype,
    broadcast_to,
    concatenate,
    expand_dims,
    getitem,
    pad,
    reshape,
    scatter,
    split,
    squeeze,
    stack,
    sum,
    swapaxes,
    take,
    transpose,
)
from .special import digamma, gammaln, polygamma
from .tape import apply, as_tensor, constant_like, leaf, primitive, tensor
from .tensor import Parameter, Tensor
from .transforms import grad, jacobian, value_and_grad, vjp

__all__ = [name for name, value in vars().items() if not name.startswith("_") and not isinstance(value, _Module)]
