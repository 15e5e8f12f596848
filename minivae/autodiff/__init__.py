"""The engine: reverse-mode automatic differentiation on NumPy and CuPy arrays."""

from . import operators  # gives Tensor its operators
from .anomaly import detect_anomaly
from .backward import backward, grad, jacobian, value_and_grad, vjp
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
from .random import standard_normal, uniform
from .reduce import log_softmax, logsumexp, max, mean, min, softmax, var
from .shape import (
    as_tensor,
    astype,
    broadcast_to,
    concatenate,
    constant_like,
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
from .tensor import PRIMITIVES, Parameter, Primitive, Tensor, apply, enable_grad, hooked, no_grad, primitive, tensor
from .update import assign
