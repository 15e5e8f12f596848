"""Tensors of a given shape: what passes, and what is said of the rest."""

from __future__ import annotations

import numpy as np
import pytest

from minivae.autodiff import tensor
from minivae.autodiff.shape import shaped
from minivae.errors import InputError

from ..doubles import strict_device  # noqa: F401  (adds the backend "strict")


@pytest.mark.parametrize(
    ("shape", "wanted"),
    [
        ((2, 3), (2, 3)),
        ((2, 3), (None, 3)),
        ((3,), (..., 3)),
        ((5, 2, 3), (..., 3)),
        ((5, 2, 3), (..., None, 3)),
        ((), ()),
    ],
)
def test_shapes_that_fit(shape, wanted):
    x = tensor(np.ones(shape))
    assert shaped("x", x, None, *wanted) is x


@pytest.mark.parametrize(
    ("shape", "wanted", "expected"),
    [
        ((2, 3), (2, 4), "(2, 4)"),
        ((2, 3), (None, 4), "(any, 4)"),
        ((3,), (None, 3), "(any, 3)"),
        ((1, 2, 3), (2, 3), "(2, 3)"),
        ((), (..., 3), "(..., 3)"),
        ((5, 4), (..., 3), "(..., 3)"),
        ((2,), (3,), "(3,)"),
        ((3,), (..., None, 3), "(..., any, 3)"),
    ],
)
def test_shapes_that_do_not_fit(shape, wanted, expected):
    with pytest.raises(InputError) as caught:
        shaped("x", np.ones(shape), None, *wanted)
    assert str(caught.value) == f"x has shape {shape}; expected {expected}"


def test_the_message_may_say_it_in_other_words():
    with pytest.raises(InputError, match=r"x has shape \(2,\); expected \(L, M\), samples by points"):
        shaped("x", np.ones(2), None, None, None, expected="(L, M), samples by points")


def test_arrays_take_the_dtype_of_what_they_go_with_and_must_live_there():
    like = tensor(np.ones(2, np.float32))
    assert shaped("x", np.ones(2), like, 2).dtype == np.float32
    with pytest.raises(InputError, match="x is on strict; expected numpy"):
        shaped("x", tensor(np.ones(2), backend="strict"), like, 2)
