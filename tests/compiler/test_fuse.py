"""Fusing: which calls make one kernel, and what it reads and stores."""

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae.compiler.fuse import Kernel, Load, Result, group_calls

from .test_analysis import analysed, record


def grouped(step, *inputs):
    calls, outputs = record(step, *inputs)
    recorded = analysed(calls, outputs)
    return group_calls(recorded, [*recorded.main, *recorded.late])


X = np.arange(12, dtype="float32").reshape(3, 4)


def test_a_chain_is_one_kernel_that_stores_its_end():
    (kernel,) = grouped(lambda x: ad.sigmoid(x * 2) + x, X)
    assert [o.function for o in kernel.operations] == [
        *("multiply", "maximum", "negative", "exp", "add", "divide"),
        "add",
    ]
    assert [o.store is not None for o in kernel.operations] == [False] * 6 + [True]
    assert kernel.operations[0].operands == (Load(0), 2)
    assert kernel.operations[-1].operands == (Result(5), Load(0))
    assert len(kernel.loads) == 1
    assert kernel.last_uses() == {0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6}


@pytest.mark.parametrize(
    ("step", "sizes"),
    [
        (lambda x: ad.sin(ad.sum(ad.exp(x), 0)), [1, 0, 1]),  # other shapes, a sum between
        (lambda x: ad.sin(ad.exp(x)[::-1]), [1, 1]),  # a view, read in another order
        (lambda x: ad.astype(x > 1, "float32") * x, [3]),
        (lambda x: ad.sin(ad.reshape(ad.exp(x), 1, 3, 4)), [2]),  # a view, read where it is written
        (lambda x: ad.sin(ad.reshape(ad.exp(ad.transpose(x)), 1, 4, 3)), [2]),
    ],
)
def test_where_kernels_are_cut(step, sizes):
    assert [len(item.calls) if isinstance(item, Kernel) else 0 for item in grouped(step, X)] == sizes


def test_an_update_in_place_joins_only_if_it_is_read_where_it_is_written():
    for view, kernels in ((lambda p: p, 1), (lambda p: p[::-1], 2)):
        p = ad.Tensor(X.copy())

        def step(x, p=p, view=view):
            moved = view(p) * 2.0
            ad.assign(p, moved + x)

        assert len(grouped(step, X)) == kernels


def test_what_was_assigned_is_read_at_other_places_by_another_kernel():
    p, q = ad.Tensor(X.copy()), ad.Tensor(X.copy())

    def step(x):
        ad.assign(p, p * 2.0 + x)
        ad.assign(q, p[::-1] + x)

    assert [len(kernel.calls) for kernel in grouped(step, X)] == [2, 1]
