"""Checks return plain Python values, or name the argument, what came and what was expected."""

from __future__ import annotations

import math

import numpy as np
import pytest

from minivae.errors import (
    BackendError,
    InputError,
    MinivaeError,
    NonFiniteError,
    decay_rate,
    finite_number,
    number_from_zero,
    one_of,
    positive_integer,
    positive_number,
)


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(InputError, ValueError), (BackendError, RuntimeError), (NonFiniteError, ArithmeticError)],
)
def test_errors_are_minivaes_and_the_builtin_of_their_kind(error, builtin):
    assert issubclass(error, MinivaeError)
    assert issubclass(error, builtin)


@pytest.mark.parametrize("value", [1, 500, np.int64(3), np.uint8(2)])
def test_positive_integers_pass_as_int(value):
    found = positive_integer("latent", value)
    assert found == value
    assert type(found) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, "3", None, True, np.float32(2), math.nan])
def test_other_values_are_no_positive_integers(value):
    with pytest.raises(InputError) as caught:
        positive_integer("latent", value)
    assert str(caught.value) == f"latent is {value!r}; expected an integer of at least 1"


@pytest.mark.parametrize("value", [1, 1e-3, np.float32(0.5), np.int64(2), 5e-324])
def test_positive_numbers_pass_as_float(value):
    found = positive_number("lr", value)
    assert found == value
    assert type(found) is float


@pytest.mark.parametrize("value", [0, -1e-3, math.nan, math.inf, -math.inf, "1", None, True, 1j])
def test_other_values_are_no_positive_numbers(value):
    with pytest.raises(InputError) as caught:
        positive_number("lr", value)
    assert str(caught.value) == f"lr is {value!r}; expected a finite number above 0"


KINDS = {
    number_from_zero: ([0, 2, 0.5], [-1e-9, math.nan, math.inf, "1", None, True], "a finite number of at least 0"),
    finite_number: ([-3.0, 0, 1e300], [math.nan, -math.inf, "1", None, False], "a finite number"),
    decay_rate: ([0, 0.5, 0.999], [1, -0.1, math.nan, "0.5", None, False], r"a number in [0, 1)"),
}


@pytest.mark.parametrize("check", KINDS)
def test_numbers_of_other_kinds(check):
    passing, refused, expected = KINDS[check]
    for value in passing:
        assert check("x", value) == value
        assert type(check("x", value)) is float
    for value in refused:
        with pytest.raises(InputError) as caught:
            check("x", value)
        assert str(caught.value) == f"x is {value!r}; expected {expected}"


def test_a_choice_passes():
    assert one_of("optimizer", "adam", ["sgd", "adam"]) == "adam"
    assert one_of("optimizer", "sgd", iter(["sgd", "adam"])) == "sgd"


@pytest.mark.parametrize(
    ("value", "hint"),
    [("adm", "; did you mean 'adam'?"), ("ADAM", "; did you mean 'adam'?"), ("lbfgs", ""), (3, ""), (None, "")],
)
def test_another_value_is_refused_with_the_nearest_choice(value, hint):
    with pytest.raises(InputError) as caught:
        one_of("optimizer", value, iter(["sgd", "adam"]))
    assert str(caught.value) == f"optimizer is {value!r}; expected one of sgd, adam{hint}"
