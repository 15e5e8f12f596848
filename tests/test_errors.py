"""Checks return plain Python values, or name the argument, what came and what was expected."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from minivae.checks import (
    decay_rate,
    finite_number,
    function,
    instance,
    integer_from_zero,
    layer_sizes,
    lengths,
    number_from_zero,
    one_of,
    pair,
    path_of,
    positive_integer,
    positive_number,
    sequence,
)
from minivae.errors import BackendError, InputError, MinivaeError, NonFiniteError, shown


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


def refusal(check, *arguments) -> str:
    """What a check says of a value that it refuses."""
    with pytest.raises(InputError) as caught:
        check("x", *arguments)
    return str(caught.value)


def test_a_pair_is_an_integer_for_both_or_two():
    assert [pair("x", value, 1) for value in (2, (2, 3), [np.int64(1), 4])] == [(2, 2), (2, 3), (1, 4)]
    assert pair("x", 0, 0) == (0, 0)
    for value in (0, (1, 0), 1.5, "22", None, (True, 1), 1 << 40):
        assert "expected an integer of at least 1, or two, for rows and columns" in refusal(pair, value, 1)
    for value in ((1, 2, 3), [], (1,)):
        assert refusal(pair, value, 1) == f"x is {value!r}; expected an integer, or two, for rows and columns"


def test_seeds_and_counts_begin_at_zero():
    assert [integer_from_zero("x", value) for value in (0, 3, np.int64(2))] == [0, 3, 2]
    for value in (-1, 1.0, True, None, "0"):
        assert refusal(integer_from_zero, value) == f"x is {value!r}; expected an integer of at least 0"


def test_shapes_are_tuples_of_lengths():
    assert lengths("x", [2, np.int64(3)]) == (2, 3)
    assert lengths("x", ()) == ()
    for value in (2, None, "ab", (2.5,), (2, -1)):
        assert refusal(lengths, value) == f"x is {value!r}; expected the lengths of axes, such as (2, 3)"


def test_sequences_are_kept_or_made_lists():
    given = (1, 2)
    assert sequence("x", given, "numbers") is given
    assert sequence("x", iter(given), "numbers") == [1, 2]
    for value in (3, None, "ab", b"ab", {1: 2}):
        assert refusal(sequence, value, "numbers") == f"x is {value!r}; expected numbers"


def test_layer_sizes_are_named_one_by_one():
    assert layer_sizes("x", (5, np.int64(4))) == [5, 4]
    assert layer_sizes("x", ()) == []
    assert refusal(layer_sizes, (5, 0)) == "x[1] is 0; expected an integer of at least 1"
    assert refusal(layer_sizes, 500) == "x is 500; expected a sequence of layer sizes, such as (500,)"


def test_instances_functions_and_paths_pass_as_they_are():
    assert instance("x", 3, int, "an int") == 3
    assert refusal(instance, "3", int, "an int") == "x is '3'; expected an int"
    assert function("x", len) is len
    assert refusal(function, 3) == "x is 3; expected a function"
    assert path_of("x", "a/b") == Path("a", "b")
    for value in (3, None, "", b"", b"a"):
        assert refusal(path_of, value) == f"x is {value!r}; expected a path"


def test_a_value_is_shown_in_one_short_line():
    assert shown(np.ones((2, 2))) == "array([[1., 1.], [1., 1.]])"
    assert len(shown("x" * 100)) == 60
