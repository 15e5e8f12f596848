"""Each function that minivae asks of a backend's module, with each keyword that it uses: CuPy's answer is NumPy's.

The names come from the sources, so that a new call has no row here until it gets one.
"""

from __future__ import annotations

import ast
import operator
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import minivae
from minivae import backend
from minivae.compiler.cuda.source import COMPARISONS, FUNCTIONS

from ..conftest import usable

X = np.array([[0.5, 0.25, 0.75], [0.125, 0.5, 0.875]])
Y, ROWS, SQUARE = X[::-1].copy(), np.array([1, 0, 1]), np.array([[2.0, 0.5], [0.5, 1.0]])
ARGUMENTS = {
    **dict.fromkeys(FUNCTIONS.keys() - {"cast"}, (X, Y)),
    **dict.fromkeys(("max", "min", "sum", "prod", "any", "all", "argmax", "argmin", "cumsum", "cumprod"), (X,)),
    **dict.fromkeys(("sort", "argsort", "copy", "array", "asarray", "ones_like", "zeros_like", "transpose"), (X,)),
    **dict.fromkeys(("arange", "eye", "ones", "zeros"), (3,)),
    **dict.fromkeys(("linalg.cholesky", "linalg.inv", "linalg.slogdet"), (SQUARE,)),
    "arccosh": (X + 1,),
    "broadcast_to": (X, (4, 2, 3)),
    "concatenate": ([X, Y],),
    "copysign": (X, Y),
    "copyto": (X, Y),
    "flip": (X, 0),
    "floor_divide": (X, Y),
    "full": (3, 0.5),
    "full_like": (X, 0.5),
    "lib.stride_tricks.as_strided": (X, (2, 2, 2), (24, 8, 8)),
    "linspace": (-1.0, 1.0, 5),
    "linalg.solve": (SQUARE, SQUARE[:, :1]),
    "matmul": (X, Y.T),
    "may_share_memory": (X, Y),
    "moveaxis": (X, 0, 1),
    "reshape": (X, (3, 2)),
    "result_type": (X, np.float32(1)),
    "squeeze": (X[:, :1],),
    "stack": ([X, Y],),
    "take": (X, ROWS),
    "take_along_axis": (X, ROWS[None], 1),
    "where": (X > Y, X, Y),
}
ONE_ARGUMENT = {name for name in FUNCTIONS if "{1}" not in FUNCTIONS[name]} - {"cast"}
VALUES = {"axis": 1, "keepdims": True, "dtype": "float32", "casting": "unsafe", "kind": "stable", "out": None}
BY_NAME = {  # functions that are asked for by name: reductions, scans, and those of formulas
    **{name: {"axis", "keepdims", "out"} for name in ("max", "min", "argmax", "argmin", "prod")},
    **{name: {"axis", "out"} for name in ("cumsum", "cumprod")},
    **{name: {"out"} for name in FUNCTIONS.keys() - {"cast"}},
}
# CuPy's min with CUB hands out and dtype on in the wrong order (14.2), and its where has none: neither is asked for.
NEVER = {("min", "out"), ("where", "out")}
NO_ARRAYS = {"empty", "from_dlpack", "asnumpy", "ndarray", "get_default_memory_pool", "get_default_pinned_memory_pool"}
KERNELS = {"RawKernel", "ReductionKernel", "add.at"}  # tested where they are used
PARTS = ("cuda", "random")  # the same


def calls() -> dict[str, set[str]]:
    """The functions that the sources call on ``xp``, with the keywords that they use."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in Path(minivae.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            name = ".".join(_names(node.func)) if isinstance(node, ast.Call) else ""
            if name:
                found[name] |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return found


def _names(node: ast.expr) -> Iterator[str]:
    """What is asked of ``xp`` or ``<something>.xp``: ``linalg``, ``inv``; nothing for another expression."""
    names = []
    while isinstance(node, ast.Attribute) and node.attr not in ("xp", "_xp"):
        names.append(node.attr)
        node = node.value
    if names and (isinstance(node, ast.Attribute) or (isinstance(node, ast.Name) and node.id == "xp")):
        yield from reversed(names)


@cache
def rows() -> dict[str, set[str]]:
    found = {name: keywords for name, keywords in calls().items() if name.split(".")[0] not in PARTS}
    return {name: found.get(name, set()) | BY_NAME.get(name, set()) for name in {**found, **BY_NAME}}


def test_every_call_has_a_row():
    assert {name for name in rows() if name not in ARGUMENTS} <= NO_ARRAYS | KERNELS
    assert set().union(*(rows()[name] for name in rows() if name in ARGUMENTS)) <= VALUES.keys()


@pytest.mark.gpu
@pytest.mark.parametrize("name", sorted(rows().keys() & ARGUMENTS.keys()))
def test_each_keyword_alone_and_all_together(name):
    usable("cupy")
    keywords = {keyword for keyword in rows()[name] if (name, keyword) not in NEVER}
    others = keywords - {"out"}
    for given in [set(), *({keyword} for keyword in others), others, keywords]:
        assert_same(name, given)


def assert_same(name, keywords):
    xp, given = backend.get_backend("cupy").xp, {keyword: VALUES[keyword] for keyword in keywords - {"out"}}
    arguments = ARGUMENTS[name][:1] if name in ONE_ARGUMENT else ARGUMENTS[name]
    hosts, places = ([moved(copied, x) for x in arguments] for copied in (np.copy, xp.asarray))
    expected = call(np, name, hosts, given)
    if "out" in keywords:
        given["out"] = xp.empty(expected.shape, expected.dtype)
    found = call(xp, name, places, given)
    if "out" in keywords:
        found = given["out"]
    for a, b in zip(*((x if isinstance(x, tuple) else (x,)) for x in (found, expected)), strict=True):
        np.testing.assert_allclose(getattr(a, "get", lambda a=a: a)(), b, rtol=1e-6, err_msg=f"{name}, {keywords}")
        assert getattr(a, "dtype", None) == getattr(b, "dtype", None) or name in COMPARISONS


def call(xp, name, arguments, given):
    made = operator.attrgetter(name)(xp)(*arguments, **given)
    if name == "result_type":
        return str(made) == "float64"
    return arguments[0] if made is None else made


def moved(copied, x):
    """An argument's arrays where ``copied`` puts them."""
    if isinstance(x, list):
        return [copied(one) for one in x]
    return copied(x) if isinstance(x, np.ndarray) else x
