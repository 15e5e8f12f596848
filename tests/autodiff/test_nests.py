"""Nests: what is a leaf, and that a nest comes back as it was."""

from collections import OrderedDict, defaultdict
from typing import NamedTuple

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.autodiff.nests import filled, mapped
from minivae.errors import InputError


class Pair(NamedTuple):
    weight: object
    bias: object


def leaves_of(nest):
    found = []
    mapped(lambda name, leaf: found.append((name, leaf)), nest, name="x")
    return found


X, Y = tensor([1.0]), np.ones(2)


@pytest.mark.parametrize(
    ("nest", "expected"),
    [
        (X, [("x", X)]),
        (2.0, [("x", 2.0)]),
        ([1.0, 2], [("x", [1.0, 2])]),
        ([[1.0], [2.0]], [("x", [[1.0], [2.0]])]),
        ([], [("x", [])]),
        ([X, 2.0], [("x[0]", X), ("x[1]", 2.0)]),
        ((X, (Y, [X])), [("x[0]", X), ("x[1][0]", Y), ("x[1][1][0]", X)]),
        ({"w": X, "b": {"c": 1.0}}, [("x['w']", X), ("x['b']['c']", 1.0)]),
        (Pair(1.0, [X]), [("x.weight", 1.0), ("x.bias[0]", X)]),
        ([X, None, {"a": None}], [("x[0]", X)]),
    ],
)
def test_leaves_have_names(nest, expected):
    found = leaves_of(nest)
    assert [name for name, _ in found] == [name for name, _ in expected]
    assert all(a is b or a == b for (_, a), (_, b) in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    "nest",
    [
        (X, [Y, {"a": X}]),
        Pair(X, (Y,)),
        OrderedDict(b=X, a=Y),
        defaultdict(list, a=X),
        [X, None],
    ],
)
def test_a_nest_comes_back_as_it_was(nest):
    letters = "abcd"[: len(leaves_of(nest))]
    found = filled(nest, letters)
    assert type(found) is type(nest)
    assert leaves_of(found) == [(name, letter) for (name, _), letter in zip(leaves_of(nest), letters, strict=True)]
    if isinstance(nest, dict):
        assert list(found) == list(nest)
        assert found is not nest


def test_others_go_along():
    nest, other = {"a": X, "b": (Y, X)}, {"b": (2, "c"), "a": 1}  # in any order
    assert mapped(lambda name, x, n: (name, n), nest, other, name="x") == {
        "a": ("x['a']", 1),
        "b": (("x['b'][0]", 2), ("x['b'][1]", "c")),
    }


@pytest.mark.parametrize("other", [(X,), [X, X], {"a": X}, X, None, Pair(X, X)])
def test_what_is_arranged_in_another_way_is_refused(other):
    with pytest.raises(InputError, match=r"x is .*; expected what is arranged as"):
        mapped(lambda *_: None, (X, X), other, name="x")
