"""What is chosen for data without a name: one number more does not change it, and the reason is said."""

import math

import numpy as np
import pytest

from minivae.datasets import Dataset, Split
from minivae.models.automatic import for_own
from minivae.models.vae import LOG_VAR_FLOOR


def data(x, shape=None, scale=1.0):
    return Dataset("x", Split(x[:-5]), Split(x[-5:]), shape, scale, "")


def chosen(x, shape=None, scale=1.0, **given):
    found = for_own(data(np.asarray(x), shape, scale), given)
    return found["likelihood"], found["prepare"], found["why"]


RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(3, (50, 6))
ONE_MORE = np.where(np.arange(300).reshape(50, 6) == 7, 300, COUNTS)
KINDS = {
    "bytes of pictures": ((RNG.integers(0, 256, (50, 16), np.uint8), (4, 4), 255.0), "bernoulli", "none", "pixels"),
    "pixels in [0, 1]": ((RNG.random((50, 16)), (4, 4)), "bernoulli", "none", "pixels"),
    "pixels in [-1, 1]": ((RNG.random((50, 16)) * 2 - 1, (4, 4)), "gaussian", "standardize", "real numbers"),
    "bits": ((RNG.integers(0, 2, (50, 6)),), "bernoulli", "none", "bits"),
    "counts": ((COUNTS,), "negative-binomial", "none", "counts"),
    "counts, one beyond bytes": ((ONE_MORE,), "negative-binomial", "none", "counts"),
    "counts stored as floats": ((COUNTS.astype("float32"),), "negative-binomial", "none", "counts"),
    "real numbers": ((RNG.normal(size=(50, 6)),), "gaussian", "standardize", "real numbers"),
    "whole numbers below 0": ((COUNTS - 3,), "gaussian", "standardize", "real numbers"),
    "a table of fractions": ((RNG.random((50, 6)),), "gaussian", "standardize", "real numbers"),
    "tiny numbers": ((RNG.random((50, 16)) * 1e-6, (4, 4)), "gaussian", "standardize", "real numbers"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_chosen_and_why(kind):
    arguments, likelihood, prepare, why = KINDS[kind]
    found = chosen(*arguments)
    assert found[:2] == (likelihood, prepare)
    assert why in found[2]


@pytest.mark.parametrize("factor", [1e-9, 1e-3, 1e3, 1e9])
def test_the_unit_of_a_table_makes_no_difference(factor):
    assert chosen(RNG.normal(size=(50, 6)) * factor)[:2] == ("gaussian", "standardize")


@pytest.mark.parametrize(
    ("given", "likelihood", "prepare"),
    [
        ({"likelihood": "laplace"}, "laplace", "standardize"),
        ({"likelihood": "poisson"}, "poisson", "none"),
        ({"likelihood": "gaussian", "sigmoid_mean": True}, "gaussian", "none"),
        ({"likelihood": "gaussian", "prepare": "log1p"}, "gaussian", "log1p"),
        ({"prepare": "log1p"}, "gaussian", "log1p"),
        ({"prepare": "unit"}, "bernoulli", "unit"),
        ({"prepare": "none"}, "negative-binomial", "none"),
        ({"prepare": "auto"}, "negative-binomial", "none"),
    ],
)
def test_what_is_said_wins_and_the_rest_suits_it(given, likelihood, prepare):
    assert chosen(COUNTS, **given)[:2] == (likelihood, prepare)


def test_categories_are_counted():
    assert for_own(data(RNG.integers(0, 5, (50, 6))), {"likelihood": "categorical"})["categories"] == 5


@pytest.mark.parametrize("factor", [1e-4, 1.0, 1e4])
def test_the_floor_of_a_density_is_relative_to_data_that_are_not_prepared(factor):
    x = RNG.normal(size=(5000, 6)) * factor
    found = for_own(data(x), {"likelihood": "gaussian", "prepare": "none"})
    assert found["log_var_floor"] == pytest.approx(LOG_VAR_FLOOR + 2 * math.log(factor), abs=0.05)
    assert "log_var_floor" not in for_own(data(x), {})
