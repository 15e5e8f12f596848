"""The rows of ``autodiff``, the engine."""

from __future__ import annotations

import numpy as np

import minivae as mv
import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import Primitive, tensor
from minivae.distributions.special import log_gammaincinv

from .subject import (
    BACKENDS,
    DTYPES,
    GENERATORS,
    NO_TENSORS,
    SHAPES,
    Says,
    misuse,
    ones,
    strict,
)

GENERATOR = backend.generator(0, "numpy")
AXES = (2, -3, 1.5, "x", (0, 0), (0, 2), (0.5,))

# Primitives that are called as they are: of one input, or of two that broadcast.
for row in (value for name in ad.__all__ if isinstance(value := getattr(ad, name), Primitive)):
    arguments = getattr(row.value, "arguments", ("a", "b") if row.name == "floor_divide" else ("x",))
    if len(arguments) == 1:
        inside = ones(2) * (0.5 if row.name == "arctanh" else 1.0)
        misuse(row, {"x": inside}, call=lambda x, row=row: row(x), x=NO_TENSORS)
    else:
        wrong = (*NO_TENSORS, ones(3), strict(2))
        misuse(row, {"a": ones(2), "b": ones(2)}, call=lambda a, b, row=row: row(a, b), a=wrong, b=wrong)

misuse(
    ad.where,
    {"condition": np.ones(2, bool), "a": ones(2), "b": ones(2)},
    condition=("x", None, ones(3), np.ones(3, bool)),
    a=(*NO_TENSORS, ones(3)),
    b=(*NO_TENSORS, ones(3), strict(2)),
)
misuse(
    ad.clip,
    {"x": ones(2), "low": 0.0, "high": 1.0},
    x=NO_TENSORS,
    low=("0", ones(3), strict(2)),
    high=("1", ones(3), strict(2)),
)
misuse(ad.log_sigmoid, {"x": ones(2)}, x=NO_TENSORS)
misuse(
    ad.matmul,
    {"a": ones(2, 3), "b": ones(3, 2)},
    a=(*NO_TENSORS, ones(2, 2), ones()),
    b=(*NO_TENSORS, ones(2, 2), ones(), strict(3, 2)),
)
misuse(
    ad.linear,
    {"x": ones(4, 3), "weight": ones(3, 2), "bias": ones(2)},
    x=(*NO_TENSORS, ones(3, 4), ones()),
    weight=(*NO_TENSORS, ones(2, 2), ones(3), strict(3, 2)),
    bias=(*(x for x in NO_TENSORS if x is not None), ones(3), ones(1, 2), strict(2)),
)
misuse(
    ad.linear, {"x": ones(4, 3), "weight": ones(3, 2)}, label="linear without bias", weight=(ones(2, 2), strict(3, 2))
)
misuse(ad.outer, {"a": ones(2), "b": ones(3)}, a=NO_TENSORS, b=(*NO_TENSORS, strict(2)))
misuse(
    ad.tensordot,
    {"a": ones(2, 3), "b": ones(3, 2), "axes": 1},
    a=(*NO_TENSORS, ones(2, 2), ones()),
    b=(*NO_TENSORS, ones(2, 2), ones(), strict(3, 2)),
    axes=(2, -1, 3, 0.5, None, ([1], [1]), "ab"),
)
misuse(
    ad.einsum,
    {"subscripts": "ij,jk->ik", "operands": [ones(2, 3), ones(3, 2)]},
    call=lambda subscripts, operands: ad.einsum(subscripts, *operands),
    subscripts=("ij", "ij,jk->il", "ij,jk->ii", "i,jk", "i1,1k", "ij,ij", "ij,jk,kl", None, 3),
    operands=[
        Says([ones(2, 3)], "ij,jk->ik", "subscripts"),
        Says([ones(2, 3), ones(2)], "ij,jk->ik", "subscripts"),
        Says([ones(2, 3), ones(2, 2)], "ij,jk->ik", "subscripts"),
        Says(["x", ones(2, 2)], "'x'"),
    ],
)
SQUARE = (*NO_TENSORS, ones(), ones(2), ones(2, 3))
misuse(ad.cholesky, {"a": np.eye(2)}, a=(*SQUARE, -np.eye(2)))
misuse(ad.inv, {"a": np.eye(2)}, a=(*SQUARE, ones(2, 2)))
misuse(ad.slogdet, {"a": np.eye(2)}, a=SQUARE)
for solves in (ad.solve, ad.solve_triangular):
    misuse(
        solves,
        {"a": ones(2, 2) + tensor(np.eye(2, dtype="float32")), "b": ones(2, 3)},
        a=(*SQUARE, np.zeros((2, 2)), strict(2, 2)),
        b=(*NO_TENSORS, ones(), ones(3), ones(3, 2), strict(2, 2)),
    )
for special in (ad.gammaln, ad.digamma, ad.erf, ad.ndtr, ad.log_ndtr):
    misuse(special, {"x": ones(2)}, x=NO_TENSORS)
misuse(ad.erfinv, {"x": ones(2) * 0.5}, x=NO_TENSORS)
for special in (ad.betaln, ad.gammainc):
    second = "b" if special is ad.betaln else "x"
    wrong = {"a": (*NO_TENSORS, ones(3)), second: (*NO_TENSORS, ones(3), strict(2))}
    misuse(special, {"a": ones(2), second: ones(2)}, **wrong)
misuse(
    ad.betainc,
    {"a": ones(2), "b": ones(2), "x": ones(2) * 0.5},
    a=(*NO_TENSORS, ones(3)),
    b=(*NO_TENSORS, ones(3), strict(2)),
    x=(*NO_TENSORS, ones(3), strict(2)),
)
misuse(ad.ive, {"v": 1, "x": ones(2)}, v=(np.inf, "1", None, ones(2), np.ones(2)), x=NO_TENSORS)
misuse(ad.polygamma, {"n": 1, "x": ones(2)}, n=(-1, 1.5, "1", None), x=NO_TENSORS)
misuse(
    log_gammaincinv,
    {"a": ones(2), "u": ones(2) * 0.5},
    a=(*NO_TENSORS, ones(3)),
    u=(*NO_TENSORS, ones(3), strict(2)),
)

# ------------------------------------------------------ reductions and shapes

for reduction in (ad.sum, ad.mean, ad.max, ad.min, ad.logsumexp, ad.softmax, ad.log_softmax):
    misuse(reduction, {"x": ones(2, 3), "axis": 0}, x=NO_TENSORS, axis=AXES)
for reduction in (ad.prod, ad.norm, ad.any, ad.all):
    misuse(reduction, {"x": ones(2, 3), "axis": 0}, x=NO_TENSORS, axis=AXES)
for reduction in (ad.var, ad.std):
    misuse(reduction, {"x": ones(2, 3), "axis": 0, "ddof": 1}, x=NO_TENSORS, axis=AXES, ddof=("1", None, np.nan))
for along in (ad.argmax, ad.argmin, ad.cumsum, ad.cumprod, ad.sort, ad.argsort):
    misuse(along, {"x": ones(2, 3), "axis": 0}, x=NO_TENSORS, axis=(*AXES[:4], (0, 1)))
misuse(
    ad.reshape,
    {"x": ones(2, 3), "shape": (6,)},
    call=lambda x, shape: ad.reshape(x, shape),
    x=NO_TENSORS,
    shape=((4,), (2.5,), ("a",), (-1, -1), (None,)),
)
misuse(ad.broadcast_to, {"x": ones(3), "shape": (2, 3)}, x=NO_TENSORS, shape=((3, 2), 2.5, None, (2.5, 3), (-1, 3)))
misuse(ad.transpose, {"x": ones(2, 3), "axes": (1, 0)}, x=NO_TENSORS, axes=((0,), (0, 2), 1, "ab", (0.5, 1), (0, 0)))
misuse(ad.swapaxes, {"x": ones(2, 3), "a": 0, "b": 1}, x=NO_TENSORS, a=(2, 0.5, "a", None), b=(2, 0.5, "a", None))
misuse(ad.expand_dims, {"x": ones(2), "axis": 0}, x=NO_TENSORS, axis=(3, 0.5, "a", None))
misuse(ad.squeeze, {"x": ones(1, 2), "axis": 0}, x=NO_TENSORS, axis=(1, 3, 0.5, "a", (0, 1), (0, 0)))
misuse(
    ad.moveaxis,
    {"x": ones(2, 3), "source": 0, "destination": 1},
    x=NO_TENSORS,
    source=(2, 0.5, "a", None, (0, 1), (0, 0)),
    destination=(2, 0.5, "a", None, (0, 1), (0, 0)),
)
misuse(ad.flatten, {"x": ones(2)}, x=NO_TENSORS)
misuse(ad.one_hot_of_largest, {"x": ones(2)}, x=(*NO_TENSORS, Says(ones(), "0 dimensions", "axis")))
misuse(ad.flip, {"x": ones(2, 3), "axis": 0}, x=NO_TENSORS, axis=AXES)
misuse(ad.astype, {"x": ones(2), "dtype": "float64"}, x=NO_TENSORS, dtype=("floot", 3, None, "U3", object))
misuse(
    ad.getitem, {"x": ones(2, 3), "index": 0}, x=NO_TENSORS, index=(2, 0.5, "a", Says((0, 0, 0), "(0, 0, 0)"), ones(2))
)
misuse(
    ad.scatter,
    {"x": ones(2), "index": slice(0, 2), "shape": (3,)},
    x=(*NO_TENSORS, ones(4)),
    index=(5, 0.5, "a"),
    shape=SHAPES,
)
misuse(
    ad.take,
    {"x": ones(3, 2), "indices": np.array([0, 2]), "axis": 0},
    x=(*NO_TENSORS, Says(ones(), "0 dimensions", "axis"), strict(3, 2)),
    indices=(*NO_TENSORS, np.array([3]), np.array([-4]), np.array([0.5]), [0.5], np.array([True]), strict(2)),
    axis=(2, -3, 0.5, "a", (0,)),
)
misuse(
    ad.pad,
    {"x": ones(2), "widths": [(1, 1)], "value": 0.5, "mode": "constant"},
    x=NO_TENSORS,
    widths=([(1, -1)], [], [(1, 1), (1, 1)], -1, None, [(0.5, 1)], [(1, 1, 1)], 0.5, "a", {1: 2}, {"a": 1}),
    value=("0", None, 1j, ones(2)),
    mode=("edges", None, 3),
)
misuse(
    ad.roll,
    {"x": ones(2, 3), "shift": 1, "axis": 0},
    x=NO_TENSORS,
    shift=(0.5, "a", None, (1, 2)),
    axis=(2, -3, 1.5, "x", (0, 0), (0, 2)),
)
misuse(
    ad.repeat,
    {"x": ones(2, 3), "repeats": 2, "axis": 0},
    x=NO_TENSORS,
    repeats=(-1, 0.5, "2", None, [1, 2]),
    axis=(2, -3, 1.5, "x", (0,)),
)
misuse(ad.tile, {"x": ones(2), "reps": 2}, x=NO_TENSORS, reps=(-1, 0.5, "2", None, (2, -1)))

# ------------------------------------------------------------------ matrices

for triangle in (ad.tril, ad.triu, ad.diag):
    one = ones(2, 2, 2) if triangle is ad.diag else ones(2)
    misuse(triangle, {"x": ones(2, 3), "k": 0}, x=(*NO_TENSORS, ones(), one), k=(0.5, "0", None))
for of in (ad.diagonal, ad.trace):
    wrong = (2, -3, 0.5, "a", None)
    misuse(
        of,
        {"x": ones(2, 3), "offset": 0, "axis1": 0, "axis2": 1},
        x=(*NO_TENSORS, ones(), ones(2)),
        offset=(0.5, "0", None),
        axis1=(1, *wrong),
        axis2=(0, *wrong),
    )

# ------------------------------------------------------------------- joining

misuse(
    ad.concatenate,
    {"inputs": [ones(2), ones(3)], "axis": 0},
    inputs=(
        [],
        None,
        ones(2),
        "ab",
        Says([ones(2), ones(2, 2)], "(2, 2)"),
        Says([ones(2), strict(2)], "strict"),
        Says([ones(2), "x"], "'x'"),
    ),
    axis=AXES[:4],
)
misuse(
    ad.stack,
    {"inputs": [ones(2), ones(2)], "axis": 0},
    inputs=([], None, ones(2), Says([ones(2), ones(3)], "(1, 3)"), Says([ones(2), strict(2)], "strict")),
    axis=AXES[:4],
)
misuse(
    ad.split,
    {"x": ones(4), "sections": 2, "axis": 0},
    x=NO_TENSORS,
    sections=(3, 0, 2.5, "2", None, [5], [-1], [3, 1], [0.5]),
    axis=AXES[:4],
)

# -------------------------------------------------- tensors, noise, assignment

misuse(
    ad.tensor,
    {"value": [1.0], "dtype": "float32", "backend": "numpy"},
    value=NO_TENSORS,
    dtype=("floot", 3, "U3"),
    backend=BACKENDS,
)
misuse(ad.from_dlpack, {"x": np.ones(2)}, x=(None, 3, [1.0], "x", np.array(["a"])))
PLACE = {"dtype": ("floot", 3, "U3"), "backend": BACKENDS, "like": (3.0, "x", np.ones(1))}
misuse(ad.full, {"shape": (2,), "value": 1.0}, shape=SHAPES, value=("x", None, [1.0], ones(2)), **PLACE)
for filled in (ad.zeros, ad.ones):
    misuse(filled, {"shape": (2,)}, shape=SHAPES, **PLACE)
misuse(ad.full_like, {"x": ones(2), "value": 1.0}, x=NO_TENSORS, value=("x", None, [1.0]), dtype=PLACE["dtype"])
for filled in (ad.zeros_like, ad.ones_like):
    misuse(filled, {"x": ones(2)}, x=NO_TENSORS, dtype=PLACE["dtype"])
misuse(
    ad.arange,
    {"start": 0, "stop": 3, "step": 1},
    start=("0", None, np.nan, [1]),
    stop=("3", np.inf, [1]),
    step=(0, 0.0, "1", None, np.nan),
    **PLACE,
)
for pattern in (ad.eye, ad.tri):
    misuse(pattern, {"n": 2, "m": 3, "k": 0}, n=(-1, 0.5, "2", None), m=(-1, 0.5, "3"), k=(0.5, "0", None), **PLACE)
misuse(ad.as_tensor, {"x": [1.0], "like": ones(1)}, x=(*NO_TENSORS, strict(2)), like=(3.0, "x", np.ones(1)), name=())
misuse(ad.Parameter, {"data": np.ones(2)}, data=([1.0], "x", 1.0, {}, np.ones(2, int)))
for draw in (ad.standard_normal, ad.uniform):
    misuse(draw, {"generator": GENERATOR, "shape": (2,)}, generator=GENERATORS, shape=SHAPES, dtype=DTYPES)
misuse(
    ad.assign,
    {"target": ones(2), "value": ones(2)},
    target=("x", None, np.ones(2), 1.0, ones(3)),
    value=("x", None, ones(3), strict(2)),
)
misuse(ad.hooked, {"hook": print}, hook=(None, "x", 3))
for block in (ad.no_grad, ad.enable_grad):
    misuse(block, {"f": print}, f=("x", 3))

# ------------------------------------------------------------------ derivatives

SQUARES = {"f": lambda x: ad.sum(ad.square(x)), "argnums": 0}
NO_FUNCTIONS = (None, "f", 3.0)
NO_TENSOR_BACK = tuple(Says(f, words) for f, words in ((lambda x: None, "NoneType"), (lambda x: 3.0, "float")))
for of in (ad.grad, ad.value_and_grad, ad.jacobian, ad.hessian):
    misuse(
        of,
        SQUARES,
        call=lambda f, argnums, of=of: of(f, argnums)(ones(2)),
        f=(*NO_FUNCTIONS, *NO_TENSOR_BACK),
        argnums=(1, -2, 0.5, "0", None, (0, 0)),
    )
NO_PRIMALS = [Says([value], repr(value)) for value in ("x", None)]
misuse(
    ad.vjp,
    {"f": ad.square, "args": ones(2)},
    call=lambda f, args: ad.vjp(f, args),
    f=(*NO_FUNCTIONS, *NO_TENSOR_BACK),
    args=[Says(value, repr(value)) for value in ("x", None)],
)
misuse(
    ad.jvp,
    {"f": ad.square, "primals": [ones(2)], "tangents": [ones(2)]},
    f=(*NO_FUNCTIONS, *NO_TENSOR_BACK),
    primals=(None, 3.0, Says([ones(2), ones(2)], "expected that of primals, 2", "tangents"), *NO_PRIMALS),
    tangents=(None, 3.0, Says([], "length 0"), Says([ones(3)], "(3,)"), Says([{"x": ones(2)}], "Tensor"), *NO_PRIMALS),
)


def _backward(output="square", inputs="x", cotangent=None):
    x = ad.tensor([1.0, 2.0], requires_grad=True)
    y = ad.square(x) if output == "square" else output
    return ad.backward(y, [x] if inputs == "x" else inputs, cotangent)


misuse(
    ad.backward,
    {"cotangent": ones(2)},
    call=_backward,
    output=(None, "x", 3.0),
    inputs=(None, 3, Says([ones(2)], "Tensor([1., 1.]"), Says(["x"], "'x'")),
    cotangent=(ones(3), "x", strict(2), Says(None, "(2,)")),
)
misuse(
    mv.check_gradients,
    {"f": ad.square, "inputs": [[1.0, 2.0]], "order": 1, "mode": "auto", "tolerance": 1e-6},
    f=(*NO_FUNCTIONS, Says(lambda x: None, "NoneType")),
    inputs=(None, 3.0, *(Says([x], repr(x)) for x in ("x", None)), Says([np.array([1, 2])], "int64")),
    order=(0, 3, "1", None),
    mode=("Jacobian", 3, None),
    tolerance=(-1.0, "1", np.nan, 0),
)
misuse(mv.compile, {"step": lambda x: x * 2, "fast": None}, step=(None, "x", 3))
misuse(ad.primitive, {}, call=lambda name=None: name and ad.primitive(name, "", abs), name=("exp",))
