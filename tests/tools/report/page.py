"""What the report is made of, and how it is written down and read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from minivae.autodiff import Tensor
from minivae.gradcheck import check_gradients

SEED = 20131220  # of all random inputs, unless a table says another; the day of the paper's first version
DASH = "–"


class Row(NamedTuple):
    """What was measured of one component.

    Attributes:
        cases: how many inputs, shapes or options it was tried with.
        errors: the largest error by each column of the section; None where it does not apply.
    """

    cases: int
    errors: tuple[float | None, ...]


class Section(NamedTuple):
    """A table of the page: components of one kind and what each was held against.

    Attributes:
        title: of the kind.
        text: what was checked, against which oracle.
        limits: by column, the error above which no page is written.
        components: the names of those that the package has now, found by looking.
        measures: by name, what measures it.
    """

    title: str
    text: str
    limits: dict[str, float]
    components: Callable[[], set[str]]
    measures: dict[str, Callable[[], Row] | str]


def error(found: Any, expected: Any) -> float:
    """The largest |found - expected| / max(1, |expected|): relative, or absolute below 1. NaN and infinities match."""
    found, expected = (np.asarray(x.numpy() if isinstance(x, Tensor) else x, np.longdouble) for x in (found, expected))
    assert found.shape == expected.shape, f"shape {found.shape} beside {expected.shape}"
    with np.errstate(invalid="ignore"):
        difference = abs(found - expected) / np.maximum(1, abs(expected))
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return float(np.where(same, 0, difference).max(initial=0))


def z_of_mean(draws: np.ndarray, expected: Any) -> float:
    """The largest distance, in standard errors, of a column's mean from what it should be."""
    distance = abs(draws.mean(0) - expected)
    # What never varies, such as log p of a uniform distribution, has no standard error but rounding.
    standard_error = np.maximum(draws.std(0, ddof=1) / np.sqrt(len(draws)), 1e-12 * (1 + abs(draws.mean(0))))
    return float(np.max(distance / standard_error))


def z_of_cdf(columns: Iterable[np.ndarray], cdf: Any) -> float:
    """The Kolmogorov-Smirnov p-value of the worst column, as the z of a two-sided test."""
    return float(max(stats.norm.isf(stats.kstest(column, cdf).pvalue / 2) for column in columns))


def gradient_error(f: Callable[..., Tensor], inputs: Sequence[Any], **options: Any) -> float:
    """By central differences: first derivatives element by element, second ones in random directions."""
    first = check_gradients(f, inputs, mode="jacobian", **options)
    return max(first.largest_error, check_gradients(f, inputs, order=2, mode="directions", **options).largest_error)


def table(section: Section) -> Iterator[str]:
    """The lines of a section, measured now.

    Raises:
        ValueError: a component has no measure, or an error is above its limit.
    """
    components = section.components()
    if components != section.measures.keys():
        raise ValueError(
            f"{section.title}: measured and existing components differ: {components ^ {*section.measures}}"
        )
    yield from (f"## {section.title}", "", section.text, "")
    yield f"| component | cases | {' | '.join(section.limits)} |"
    yield f"| --- |{' ---: |' * (1 + len(section.limits))}"
    yield f"| *limit* | | {' | '.join(f'*{limit:.2g}*' for limit in section.limits.values())} |"
    for name in sorted(components):
        measure = section.measures[name]
        if isinstance(measure, str):
            yield f"| `{name}` | {DASH} | {measure} |{' |' * (len(section.limits) - 1)}"
            continue
        row = measure()
        for (column, limit), found in zip(section.limits.items(), row.errors, strict=True):
            if found is not None and not found <= limit:
                raise ValueError(f"{name}, {column}: {found:.3g}, above the limit of {limit:.3g}")
        yield f"| `{name}` | {row.cases} | {' | '.join(map(number, row.errors))} |"
    yield ""


def number(found: float | None) -> str:
    """An error as the page shows it."""
    if found is None:
        return DASH
    return f"{found:.1f}" if found == 0 or found >= 0.1 else f"{found:.0e}"


def listed(page: str) -> dict[str, set[str]]:
    """By title of a section, the components that a page has a row for."""
    terms = re.split(r"^## (.+)$", page, flags=re.MULTILINE)[1:]
    names = (set(re.findall(r"^\| `(.+?)` \|", body, re.MULTILINE)) for body in terms[1::2])
    return {title: found for title, found in zip(terms[::2], names, strict=True) if found}
