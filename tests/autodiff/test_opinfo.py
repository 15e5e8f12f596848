"""Every operation by the samples that PyTorch ships: value, gradients and second derivatives against PyTorch's."""

import inspect
import math
import os
import sys
import warnings

import hypothesis
import numpy as np
import pytest

import minivae.autodiff as ad
from minivae.autodiff.backward import sweep

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from .opinfo import (
    EXCLUDED,
    EXTREMES,
    TWINS,
    WITHOUT_TWIN,
    Exclusion,
    Twin,
    exclusion,
    mapped,
    operations,
    reference_samples,
    samples,
)

BY_NAME = {str(twin): twin for twin in TWINS}

# ------------------------------------------------------------------- the comparison


def arguments(sample, make):
    """What a sample holds, with its tensors made by ``make``; and those to differentiate by."""
    made = {}  # a tensor that stands twice is made once

    def once(x):
        if id(x) not in made:
            made[id(x)] = make(x)
        return made[id(x)]

    args, kwargs = mapped(once, [sample.input, *sample.args]), mapped(once, sample.kwargs)
    return args, kwargs, [x for x in made.values() if x.requires_grad]


def weights(i, x):
    return np.random.default_rng(i).normal(size=tuple(x.shape))


def differentiable(results, leaves):
    return [(i, y) for i, y in enumerate(results) if leaves and y.requires_grad]


def as_list(result):
    return list(result) if isinstance(result, list | tuple) else [result]


def our_results(twin, sample):
    """The values, the gradients g of their weighted sum, and those of <v, g>."""
    args, kwargs, leaves = arguments(sample, lambda x: ad.tensor(x.numpy(force=True), requires_grad=x.requires_grad))

    def gradients(results):
        if not (wanted := differentiable(results, leaves)):
            return [ad.tensor(np.zeros(x.shape, x.dtype)) for x in leaves]
        total = sum((y * ad.tensor(weights(i, y), y.dtype)).sum() for i, y in wanted)
        return sweep(total, leaves, create_graph=True)

    with np.errstate(all="ignore"):
        parts = [as_list(twin(*args, **kwargs))]
        for _ in range(twin.orders):
            parts.append(gradients(parts[-1]))
    return [[x.numpy() for x in part] for part in parts]


def their_results(twin, sample):
    args, kwargs, leaves = arguments(sample, lambda x: x.detach().requires_grad_(x.requires_grad))

    def gradients(results):
        if not (wanted := differentiable(results, leaves)):
            return [torch.zeros_like(x) for x in leaves]
        total = sum((y * torch.tensor(weights(i, y), dtype=y.dtype)).sum() for i, y in wanted)
        return torch.autograd.grad(total, leaves, create_graph=True, allow_unused=True, materialize_grads=True)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a variance of no elements
        values = as_list(operations()[twin.theirs].op(*args, **kwargs))
    parts = [values if twin.part is None else [values[twin.part]]]
    for _ in range(twin.orders):
        parts.append(gradients(parts[-1]))
    return [[x.numpy(force=True) for x in part] for part in parts]


def difference(found, expected):
    """The largest, as a part of the largest element (or of 1); infinite beside a NaN or an infinity of one alone."""
    finite = np.isfinite(expected)
    if not np.array_equal(found[~finite], expected[~finite], equal_nan=found.dtype.kind == "f"):
        return math.inf
    found, expected = (x[finite].astype("float64") for x in (found, expected))
    if not np.isfinite(found).all():
        return math.inf
    return np.abs(found - expected).max(initial=0) / np.abs(expected).max(initial=1)


def compare(twin, sample):
    """Assert that our results are PyTorch's, in shape, dtype and value; return the largest difference."""
    largest = 0.0
    names = ("value", "first derivative", "second derivative")[: twin.orders + 1]
    for name, ours, theirs in zip(names, our_results(twin, sample), their_results(twin, sample), strict=True):
        assert len(ours) == len(theirs), f"{len(ours)} results, not {len(theirs)}"
        for i, (found, expected) in enumerate(zip(ours, theirs, strict=True)):
            kind, expected_kind = ((x.shape, x.dtype) for x in (found, expected))
            assert kind == expected_kind, f"{name} {i}: {kind}, not {expected_kind}"
            largest = max(largest, error := difference(found, expected))
            assert error <= twin.tolerance, f"{name} {i} is off by {error:.2g} of its largest element"
    return largest


def described(x):
    return f"{str(x.dtype).removeprefix('torch.')}{tuple(x.shape)}"


def held_to(twin, drawn, *tables):
    """Compare the samples; return how many agree, and say so. One that does not must stand in the tables."""
    agree, largest, needed = 0, 0.0, set()
    for i, sample in enumerate(drawn):
        try:
            largest = max(largest, compare(twin, sample))
            agree += 1
        except Exception as problem:
            if (row := exclusion(twin, sample, *tables)) is None:
                text = f"{twin}, sample {i}: {mapped(described, [sample.input, sample.args, sample.kwargs])}"
                raise AssertionError(f"{text}: {type(problem).__name__}: {problem}") from problem
            needed.add(row)
    idle = [row.reason for table in tables for row in table.get(twin.theirs, []) if row not in needed]
    assert not idle, f"{twin}: every sample agrees, so these exclusions may go: {idle}"
    print(f"{twin}: {agree} of {len(drawn)} samples agree, within {largest:.1g}; {len(needed)} exclusions")
    return agree


# ------------------------------------------------------------------------ the tests


@pytest.mark.parametrize("name", BY_NAME)
def test_an_operation_equals_pytorch_on_its_samples(name):
    assert held_to(BY_NAME[name], samples(BY_NAME[name]), EXCLUDED), "no sample was compared"


@pytest.mark.slow
@pytest.mark.parametrize("name", BY_NAME)
def test_an_operation_equals_pytorch_on_its_reference_samples(name):
    assert held_to(BY_NAME[name], reference_samples(BY_NAME[name]), EXCLUDED, EXTREMES), "no sample was compared"


# ------------------------------------------------------------------- the tables


def is_operation(name):
    value = getattr(ad, name)
    return callable(value) and not inspect.isclass(value)


def test_every_operation_has_a_twin_or_a_reason_for_none():
    public, with_twin = set(filter(is_operation, ad.__all__)), {twin.ours for twin in TWINS}
    assert public - with_twin - WITHOUT_TWIN.keys() == set(), "without a row in tests/autodiff/opinfo.py"
    assert (with_twin | WITHOUT_TWIN.keys()) - public == set(), "rows of what is no longer there"
    assert with_twin.isdisjoint(WITHOUT_TWIN)


def test_every_row_names_an_operation_of_pytorch():
    theirs = {twin.theirs for twin in TWINS}
    assert theirs <= operations().keys()
    assert EXCLUDED.keys() | EXTREMES.keys() <= theirs
    assert len(BY_NAME) == len(TWINS)


def test_the_samples_are_many():
    count = sum(len(samples(twin)) for twin in TWINS)
    print(f"{count} samples of {len(TWINS)} operations of PyTorch, for {len({t.ours for t in TWINS})} of ours")
    assert count > 1500


def test_importing_the_table_leaves_the_process_as_it_was():
    environment, profile = dict(os.environ), hypothesis.settings.get_current_profile_name()
    operations.__wrapped__()
    assert dict(os.environ) == environment
    assert hypothesis.settings.get_current_profile_name() == profile
    assert profile == "untimed"  # that of conftest.py, and none of PyTorch's
    assert not torch.backends.flags_frozen()
    assert sys.modules["hypothesis"] is hypothesis


# -------------------------------------------------------------- what is to be noticed


def fails(twin, drawn=None):
    """What is said of a twin that is not PyTorch's; None if it passes."""
    try:
        held_to(twin, drawn or samples(twin), {})
    except AssertionError as error:
        return str(error)


def with_rule(monkeypatch, name, rule):
    """A primitive whose derivative rule is another one."""
    row = ad.PRIMITIVES[name]
    monkeypatch.setattr(row, "vjps", (rule, *row.vjps[1:]))


def test_a_wrong_value_is_noticed():
    assert fails(Twin("tanh", "tanh")) is None
    assert "value 0 is off by" in fails(Twin("tanh", "tanh", lambda x: ad.tanh(x) * (1 + 1e-10)))


def test_a_wrong_gradient_is_noticed(monkeypatch):
    with_rule(monkeypatch, "tanh", lambda g, y, x: g * (1 - y * y) * (1 + 1e-10))
    assert "first derivative 0 is off by" in fails(BY_NAME["tanh tanh"])


def test_a_wrong_second_derivative_is_noticed(monkeypatch):
    with_rule(monkeypatch, "tanh", lambda g, y, x: g * (1 - ad.stop_gradient(y) * y))
    assert "second derivative 0 is off by" in fails(BY_NAME["tanh tanh"])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda a, b: ad.add(a, ad.stop_gradient(b)), "first derivative 1 is off"),
        (lambda a, b: ad.astype(a + b, "float32"), "not ((), dtype('float64'))"),
        (lambda a, b: ad.expand_dims(a + b, 0), "value 0: ((1,)"),
        (lambda a, b: [a + b, a], "2 results, not 1"),
        (lambda a, b: (a + b) / ad.where(a + b > 0, 1.0, 0.0), "value 0 is off by inf"),
        (lambda a, b: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_what_else_can_be_wrong_is_noticed(call, said):
    assert said in fails(Twin("add", "__radd__", call))


def test_a_sample_that_disagrees_and_is_not_in_the_table_is_named():
    assert "sum sum, sample 1: ['float64()', (), {'dim': 0, 'keepdim': True}]: InputError" in fails(BY_NAME["sum sum"])


def test_an_exclusion_that_no_sample_needs_is_noticed():
    twin, idle = BY_NAME["add add"], Exclusion("none", lambda sample: True)
    with pytest.raises(AssertionError, match="these exclusions may go: \\['none'\\]"):
        held_to(twin, samples(twin), {"add": [idle]})


def test_samples_are_the_same_each_time():
    first, second = samples.__wrapped__(BY_NAME["add add"]), samples.__wrapped__(BY_NAME["add add"])
    assert all(torch.equal(a.input, b.input) for a, b in zip(first, second, strict=True))


def test_a_difference_is_a_part_of_the_largest_element():
    assert difference(np.array([2.0, 400.0]), np.array([1.0, 400.0])) == 1 / 400
    assert difference(np.array([0.2, 0.4]), np.array([0.1, 0.4])) == pytest.approx(0.1)
    assert difference(np.array([]), np.array([])) == 0
    nan, inf = np.array([math.nan, 1.0]), np.array([math.inf, 1.0])
    assert difference(nan, nan) == difference(inf, inf) == 0
    assert difference(nan, inf) == difference(inf, -inf) == difference(nan, np.ones(2)) == math.inf
    assert difference(np.ones(2), nan) == math.inf
    assert difference(np.array([True, False]), np.array([True, True])) == 1
