"""Which of the arguments of a model belong to which likelihood."""

from __future__ import annotations

from typing import Any

from ..checks import finite_number, one_of, positive_integer
from ..errors import InputError, shown
from .own import is_own

# What a learned variance of the Gaussian likelihood is of: a function of z as in Eq. 12, one of each x_i, one of all.
VARIANCE_OF = ("point", "column", "all")


def options_of(
    likelihood: str,
    log_var_floor: float,
    *,
    sigmoid_mean: bool,
    variance: float | None,
    variance_of: str,
    categories: int | None,
) -> dict[str, Any]:
    """What the decoder of a likelihood is made with, of all that a model may be told of one.

    Raises:
        InputError: one is out of its range, or belongs to another likelihood.
    """
    floor = finite_number("log_var_floor", log_var_floor)
    one_of("variance_of", variance_of, VARIANCE_OF)
    if categories is not None:
        positive_integer("categories", categories)
    if variance is not None and variance_of != "point":
        raise InputError(
            f"variance_of is {shown(variance_of)} and variance is {shown(variance)}; expected one that is learned, None"
        )
    given = {"sigmoid_mean": sigmoid_mean or None, "variance": variance, "categories": categories}
    given["variance_of"] = None if variance_of == "point" else variance_of
    for name, value in given.items():
        owner = "categorical" if name == "categories" else "gaussian"
        if value is not None and likelihood != owner:
            given_to = f"{name} is {shown(value)} with the {likelihood} likelihood"
            raise InputError(f"{given_to}; it belongs to the {owner} one")
    if likelihood == "gaussian":
        return {"sigmoid_mean": sigmoid_mean, "variance": variance, "variance_of": variance_of, "log_var_floor": floor}
    if likelihood == "categorical":
        return {"categories": positive_integer("categories", categories)}
    if likelihood in ("laplace", "log-cosh", "student-t") or is_own(likelihood):
        return {"log_scale_floor": floor / 2}
    return {}
