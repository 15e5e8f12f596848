"""The launches and bytes of a step are those of its program."""

import numpy as np
import pytest

import minivae as mv
from benchmarks import counts


@pytest.mark.parametrize("case", ["mnist-100"])
def test_a_step_of_mnist_is_at_most_30_launches(fake, case, capsys):
    counts.main([case, "--backend", "strict"])
    *_, line = capsys.readouterr().out.splitlines()
    _, name, launches, moved, least, _ = (cell.strip() for cell in line.split("|"))
    assert name == case
    assert int(launches) <= 30
    assert least == "22.8"
    assert float(least) < float(moved) < 2.2 * float(least)


def program_of(step, *inputs):
    compiled = mv.compile(step, fast=False)
    compiled(*inputs)
    return compiled.program


X = np.ones((3, 4), "float32")


@pytest.mark.parametrize(
    ("step", "inputs", "expected"),
    [
        (lambda s, x: mv.assign(s, mv.exp(x) * 2), [X], 48 + 48),  # what is in between stays in the kernel
        (lambda s, x, row: mv.assign(s, x + mv.broadcast_to(row, (3, 4))), [X, X[0]], 48 + 16 + 48),
        (lambda s, x: mv.assign(s, x @ mv.eye(4, like=x)), [X], 48 + 64 + 48 + 48 + 48),  # the product is copied
        (lambda s, x, rows: mv.assign(s, mv.take(x, rows, 0)), [np.ones((99, 4), "float32"), np.arange(3)], 24 + 96),
    ],
)
def test_the_bytes_that_are_moved(step, inputs, expected):
    state = mv.tensor(X.copy())
    assert program_of(lambda *given: step(state, *given), *inputs).moved == expected
