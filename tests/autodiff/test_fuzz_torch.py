"""Random programs: value, gradients and second derivatives against PyTorch's."""

import collections

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae.autodiff import Parameter, backward

from ..doubles.oracle import one_thread, torch  # noqa: F401 (a fixture)
from .programs import LONGEST, OPERATIONS, Step, ours, random_program

PROGRAMS = 360
# Relative to the largest element (or to 1, if that is smaller), as rounding errors are. Measured: 5.3e-15 at most.
TOLERANCE = 1e-12
# Rows that no program calls, and why; tests/autodiff/cases.py has them beside PyTorch, each by itself.
LEFT_OUT = {
    "astype": "everything here is float64",
    "identity": "does nothing",
    "sum_of_one": "stands for a sum where a step is recorded: tests/autodiff/test_shape.py",
    "gammaln": "PyTorch's own derivatives of it are off by 5e-10",
    "polygamma": "as gammaln",
    "pair_sum": "sums a kernel that it is given: tests/regularizers/test_pairs.py",
    "pair_force": "as pair_sum",
    "scaled_exp1": "not in PyTorch",
    "log_gammaincinv": "not in PyTorch",
    "gammainc_slope": "not in PyTorch",
    "log_mean_tilt": "not in PyTorch",
    "gammainc": "PyTorch has no derivative of it by the shape",
    "betainc": "not in PyTorch",
    "betainc_slope": "not in PyTorch",
    "betaln": "as gammaln",
    **dict.fromkeys(
        ("conv2d", "conv_transpose2d", "conv2d_weight"), "of images: a grid of its own, test_convolution.py"
    ),
    "ive": "PyTorch has it of order 0 and 1 alone",
}


def weights(x, seed):
    return np.random.default_rng(seed).normal(size=tuple(x.shape))


def our_results(program):
    """The value (a weighted sum of all that is left over), its gradients g, and those of <v, g>."""
    leaves = [Parameter(leaf) for leaf in program.leaves]
    value = sum((y * weights(y, i)).sum() for i, y in enumerate(program.run(leaves, ours)))
    first = backward(value, leaves, create_graph=True)
    product = sum((g * weights(g, i)).sum() for i, g in enumerate(first))
    second = backward(product, leaves) if product.requires_grad else [0 * leaf for leaf in leaves]
    return [t.numpy() for t in (value, *first, *second)]


def their_results(program):
    leaves = [torch.tensor(leaf, requires_grad=True) for leaf in program.leaves]
    results = program.run(leaves, lambda step, x: OPERATIONS[step.name].twin(torch, *x, *step.arguments))
    unused = {"allow_unused": True, "materialize_grads": True}
    value = sum((y * torch.tensor(weights(y, i))).sum() for i, y in enumerate(results))
    first = torch.autograd.grad(value, leaves, create_graph=True, **unused)
    product = sum((g * torch.tensor(weights(g, i))).sum() for i, g in enumerate(first))
    second = torch.autograd.grad(product, leaves, **unused) if product.requires_grad else [0 * leaf for leaf in leaves]
    return [t.detach().numpy(force=True) for t in (value, *first, *second)]


def largest_error(program):
    """The largest difference between the two, as a part of the largest element; shapes are asserted."""
    names = ["value", *(f"{order} derivative by v{i}" for order in ("first", "second") for i in range(len(program[0])))]
    errors = {}
    for name, found, expected in zip(names, our_results(program), their_results(program), strict=True):
        assert found.shape == expected.shape, f"{name} has shape {found.shape}, not {expected.shape}\n{program}"
        errors[name] = np.abs(found - expected).max() / max(1.0, np.abs(expected).max())
    worst = max(errors, key=errors.get)
    assert errors[worst] <= TOLERANCE, f"{worst} is off by {errors[worst]:.2g} of its largest element\n{program}"
    return errors[worst]


@pytest.mark.parametrize("seed", range(PROGRAMS))
def test_a_random_program_equals_pytorch(seed):
    largest_error(random_program(seed))


# ------------------------------------------------- the programs, and the comparison


def test_the_programs_are_long_share_results_and_use_every_operation():
    programs = [random_program(seed) for seed in range(PROGRAMS)]
    lengths = [len(program.steps) for program in programs]
    assert max(lengths) == LONGEST
    assert np.median(lengths) > LONGEST / 2
    used = collections.Counter(step.name for program in programs for step in program.steps)
    assert min(used[name] for name in OPERATIONS) >= 10, used
    uses = [collections.Counter(j for step in program.steps for j in step.operands) for program in programs]
    assert np.mean([max(count.values()) >= 2 for count in uses]) > 0.9


def test_the_fuzz_knows_every_row_that_can_be_differentiated():
    """By the primitives that the programs call, on the way forward or back."""
    called = set()
    with ad.hooked(lambda primitive, *_: called.add(primitive.name)):
        for seed in range(PROGRAMS):
            our_results(random_program(seed))
    differentiable = {name for name, row in ad.PRIMITIVES.items() if row.vjps}
    assert differentiable - called <= LEFT_OUT.keys(), "add them to tests/autodiff/programs.py, or say why not"


def fails(program):
    try:
        largest_error(program)
    except AssertionError as error:
        return str(error)


@pytest.mark.parametrize("name", ["tanh", "maximum", "matmul", "sum", "getitem"])
def test_a_gradient_off_by_one_part_in_a_thousand_is_noticed(name, monkeypatch):
    row = ad.PRIMITIVES[name]
    rule = row.vjps[0]
    monkeypatch.setattr(row, "vjps", (lambda g, *rest, **options: rule(g, *rest, **options) * 1.001, *row.vjps[1:]))
    messages = [fails(random_program(seed)) for seed in range(60)]
    assert sum(message is not None for message in messages) >= 5
    assert f"{name}(v" in "".join(filter(None, messages))  # the program is printed


def test_a_step_prints_as_it_is_called():
    program = random_program(0)._replace(steps=[Step("sum", (1,), ((0,), True)), Step("add", (4, 1), ())])
    assert str(program).splitlines()[4:] == ["v4 = sum(v1, (0,), True)", "v5 = add(v4, v1)", "results: v0, v2, v3, v5"]
