"""The launches and bytes of a step are those of its program."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import minivae as mv
from benchmarks import counts
from minivae.errors import BackendError


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler (cc)")
@pytest.mark.parametrize("case", ["mnist-100"])
def test_a_step_of_mnist_is_at_most_30_launches(case, capsys):
    counts.main([case, "--backend", "strict"])
    *_, line = capsys.readouterr().out.splitlines()
    _, name, launches, moved, least, _ = (cell.strip() for cell in line.split("|"))
    assert name == case
    assert int(launches) <= 30
    assert least == "22.8"
    assert float(least) < float(moved) < 2.2 * float(least)


def refusal(capsys, *arguments):
    with pytest.raises(SystemExit) as leaving:
        counts.main(arguments)
    found = capsys.readouterr()
    assert (leaving.value.code, found.out, found.err.count("\n")) == (2, "", 1)
    return found.err


def test_without_a_gpu_it_is_refused_in_one_line_that_says_how_it_is_done_without(capsys, monkeypatch):
    def no_cupy(name):
        raise BackendError("backend 'cupy' needs CuPy")

    monkeypatch.setattr(counts, "get_backend", no_cupy)
    line = refusal(capsys, "digits")
    assert line == "python -m benchmarks.counts: backend 'cupy' needs CuPy; without a GPU: --backend strict\n"
    assert "`python -m benchmarks.counts --backend strict`" in Path(counts.__file__).with_name("README.md").read_text()


def test_an_unknown_case_or_no_compiler_is_refused_in_one_line(capsys, monkeypatch):
    assert "case is 'mnist'; expected one of digits, frey, mnist-100" in refusal(capsys, "mnist")
    monkeypatch.setattr(counts.shutil, "which", lambda name: None)
    assert "needs a C compiler (cc)" in refusal(capsys, "digits", "--backend", "strict")


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
