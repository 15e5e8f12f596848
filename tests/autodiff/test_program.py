"""Program: what is left of a step, and how it is printed."""

import numpy as np

import minivae.autodiff as ad


def program_of(step, *inputs):
    compiled = ad.compile(step)
    compiled(*inputs)
    return str(compiled.program)


X = np.ones((3, 4), "float32")


def test_what_nobody_needs_is_dropped():
    def step(x):
        ad.cos(x)
        return ad.sum(ad.sin(x))

    printed = program_of(step, X)
    assert "sin(" in printed
    assert "cos(" not in printed


def test_one_line_an_operation():
    def step(x):
        return ad.tanh(ad.transpose(x) @ x + 1)

    title, matmul, late, add, tanh = program_of(step, X).splitlines()
    assert title == "1 calls a run, 128 bytes of memory"
    assert matmul == "  %2 float32[4, 4] = matmul(@0[4, 3], @1[3, 4])   at 0 to 16"
    assert late == "when a result is read:"
    assert add == "| %3 float32[4, 4] = add(%2, 1)   in the cache"
    assert tanh == "| %4 float32[4, 4] = tanh(%3)   at 16 to 32"


def test_what_is_made_of_numbers_alone_is_not_made_again():
    def step(x):
        return x + ad.exp(ad.constant_like(x, 2.0, (4,)))

    assert "exp" not in program_of(step, X)


def test_runs_are_counted_and_late_calls_run_once_for_each():
    compiled = ad.compile(lambda x: ad.exp(ad.exp(x)))
    compiled(0.0)
    result = compiled(1.0)
    assert compiled.program.runs == 1
    first = result.numpy()
    first[...] = 7  # what was computed is kept, not computed again
    assert result.item() == 7


def test_joined_results_are_computed_in_their_part_of_the_whole():
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.arange(4, dtype=np.float32)

    def step(a, b):
        x, y = ad.exp(a), b * 2
        whole = ad.concatenate([ad.reshape(x, -1), y, ad.reshape(ad.transpose(x), -1), y])
        return {"whole": whole, "sum": ad.sum(whole), "x": x + y[:3], "y": y}

    compiled = ad.compile(step)
    for scale in (1, 2, 3):
        found, expected = compiled(a * scale, b * scale), step(ad.tensor(a * scale), ad.tensor(b * scale))
        for name, value in expected.items():
            np.testing.assert_array_equal(found[name].numpy(), value.numpy())
    # Dead results are late here; what is assigned makes the same joined vector part of the step.
    target = ad.tensor(np.zeros(10, np.float32))

    def update(a, b):
        return ad.assign(target, ad.concatenate([ad.reshape(ad.exp(a), -1), b * 2]) + 1.0)

    updated = ad.compile(update)
    for scale in (1, 2, 3):
        updated(a * scale, b * scale)
        np.testing.assert_array_equal(target.numpy(), np.concatenate([np.exp(a * scale).ravel(), b * scale * 2]) + 1)
    assert str(updated.program).startswith("3 calls a run")  # exp, multiply and add: nothing is copied
