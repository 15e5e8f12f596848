"""The analysis of a recording: constants, views, what is needed, what is computed in place."""

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae.compiler.analysis import Call, Trace
from minivae.compiler.placement import place


def record(step, *inputs):
    """The calls of a step on arrays, and the arrays that it returns."""
    calls = []

    def write_down(primitive, operands, attributes, output):
        arrays = tuple(x.data if isinstance(x, ad.Tensor) else x for x in operands)
        calls.append(Call(primitive, arrays, attributes, output.data))

    with ad.hooked(write_down):
        outputs = step(*map(ad.tensor, inputs))
    outputs = [] if outputs is None else outputs if isinstance(outputs, list) else [outputs]
    return calls, [output.data for output in outputs]


def analysed(calls, outputs):
    recorded = Trace(calls, outputs)
    place(recorded)
    return recorded


def names(recorded, numbers):
    return [recorded.calls[n].primitive.name for n in numbers]


X = np.ones((3, 4), "float32")


def test_only_what_is_needed_is_kept_and_what_is_only_returned_is_late():
    p = ad.Tensor(X.copy())

    def step(x):
        shared = ad.exp(x)
        ad.tanh(shared)
        ad.assign(p, ad.sin(shared))
        return ad.sum(ad.cos(shared))

    recorded = analysed(*record(step, X))
    assert names(recorded, recorded.main) == ["exp", "sin"]  # the assignment is made in place
    assert names(recorded, recorded.late) == ["cos", "sum"]


def test_views_lead_to_what_they_view():
    calls, outputs = record(lambda x: ad.transpose(ad.reshape(ad.exp(x), -1))[1:], X)
    recorded = analysed(calls, outputs)
    assert recorded.root(outputs[0]) == id(calls[0].output)
    assert not recorded.root(calls[0].arrays[0])
    assert (len(recorded.made), len(recorded.views)) == (1, 3)


def in_place(step, target):
    """Whether a step's one assignment is computed in its target's memory."""
    recorded = analysed(*record(step, X))
    assert all(place is target.data for place in recorded.placed.values())
    return bool(recorded.placed)


P = ad.Tensor(np.ones((3, 4), "float32"))
SQUARE = ad.Tensor(np.ones((4, 4), "float32"))


def read_between(x):
    new = P + x
    old = ad.sum(P)
    ad.assign(P, new)
    ad.assign(SQUARE, ad.broadcast_to(old, (4, 4)))


def return_the_value(x):
    new = P + x
    ad.assign(P, new)
    return new


def assign_twice(x):
    new = P + x
    ad.assign(P, new)
    ad.assign(P, x)
    ad.assign(SQUARE, ad.sum(new) + SQUARE)


@pytest.mark.parametrize(
    ("step", "target", "expected"),
    [
        (lambda x: ad.assign(P, P * 2 + x), P, True),
        (lambda x: ad.assign(SQUARE, ad.transpose(x) @ x), SQUARE, True),
        (lambda x: ad.assign(SQUARE, SQUARE @ SQUARE), SQUARE, False),
        (lambda x: ad.assign(SQUARE, ad.transpose(SQUARE) + 1), SQUARE, False),
        (lambda x: ad.assign(P, P[::-1] + x), P, False),
        (lambda x: ad.assign(P, x), P, False),
        (lambda x: ad.assign(P, ad.sum(x)), P, False),
        (return_the_value, P, False),
    ],
)
def test_what_may_be_computed_in_place(step, target, expected):
    def nothing_read(x):
        with ad.no_grad():
            return step(x)

    assert in_place(nothing_read, target) is expected


def test_two_updates_of_one_target_are_both_made_in_place():
    p = ad.Tensor(X.copy())

    def step(x):
        ad.assign(p, p * 2.0 + x)
        ad.assign(p, ad.exp(p))

    recorded = analysed(*record(step, X))
    assert names(recorded, recorded.main) == ["multiply", "add", "exp"]
    assert [target is p.data for target in recorded.placed.values()] == [True, True]


def test_what_is_still_needed_is_not_overwritten():
    assert not any(place is P.data for place in analysed(*record(read_between, X)).placed.values())
    assert not any(place is P.data for place in analysed(*record(assign_twice, X)).placed.values())
