"""The engine: reverse-mode automatic differentiation on NumPy and CuPy arrays."""

from . import operators  # gives Tensor its operators
from .anomaly import detect_anomaly
from .backward import backward, grad, jacobian, value_and_grad, vjp
from .check import GradientReport, check_gradients
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
from .primitives import PRIMITIVES, Primitive, primitive
from .random import standard_normal, uniform
from .reduce import log_softmax, logsumexp, max, mean, min, softmax, var
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
from .special import digamma, gammaln, log_gammaincinv, polygamma, scaled_exp1
from .tensor import Parameter, Tensor, apply, as_tensor, constant_like, tensor
from .trace import compile
from .update import assign

__all__ = [
    name for name, value in vars().items() if not name.startswith("_") and not isinstance(value, type(operators))
]
