"""The engine: reverse-mode automatic differentiation on NumPy and CuPy arrays."""

from types import ModuleType as _Module

from .activations import log_sigmoid, logaddexp, relu, sigmoid, softplus
from .anomaly import detect_anomaly
from .assign import assign
from .backward import backward
from .contractions import einsum, tensordot
from .creation import arange, eye, full, full_like, ones, ones_like, tri, zeros, zeros_like
from .decompositions import cholesky, inv, slogdet, solve, solve_triangular
from .elementwise import (
    absolute,
    add,
    ceil,
    clip,
    divide,
    exp,
    expm1,
    floor,
    identity,
    log,
    log1p,
    log2,
    log10,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    power,
    round,
    sign,
    sqrt,
    square,
    stop_gradient,
    subtract,
    where,
)
from .incomplete_beta import betainc
from .incomplete_gamma import gammainc
from .indexing import flip, getitem, scatter, take
from .joining import concatenate, pad, repeat, roll, split, stack, tile
from .linalg import linear, matmul, outer
from .logic import (
    equal,
    greater,
    greater_equal,
    isfinite,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    not_equal,
)
from .matrices import diag, diagonal, trace, tril, triu
from .modes import enable_grad, hooked, no_grad, tracing
from .primitives import PRIMITIVES, Primitive
from .random import standard_normal, uniform
from .reduce import (
    all,
    any,
    argmax,
    argmin,
    log_softmax,
    logsumexp,
    max,
    mean,
    min,
    norm,
    one_hot_of_largest,
    prod,
    softmax,
    std,
    var,
)
from .scan import argsort, cumprod, cumsum, sort
from .shape import (
    astype,
    broadcast_to,
    expand_dims,
    flatten,
    moveaxis,
    reshape,
    squeeze,
    sum,
    swapaxes,
    transpose,
)
from .special import betaln, digamma, erf, erfinv, gammaln, ive, log_ndtr, ndtr, polygamma
from .tape import apply, as_tensor, constant_like, leaf, primitive, tensor
from .tensor import Parameter, Tensor
from .transforms import grad, hessian, jacobian, jvp, value_and_grad, vjp
from .trigonometry import (
    arccos,
    arccosh,
    arcsin,
    arcsinh,
    arctan,
    arctan2,
    arctanh,
    cos,
    cosh,
    sin,
    sinh,
    tan,
    tanh,
)

__all__ = [name for name, value in vars().items() if not name.startswith("_") and not isinstance(value, _Module)]
