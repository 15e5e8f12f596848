"""What all optimizers share: checks, dtypes, blocks, clipping, state, and nothing that waits."""

import math

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import Parameter, hooked, tensor
from minivae.errors import InputError
from minivae.optim import OPTIMIZERS, SGD, Adam
from minivae.optim.optimizer import Flat, clip_by_norm

from ..doubles.strict_device import strict
from .problem import SHAPES, Problem, joint_norm, values

# Every optimizer with the options that take part in its steps.
OPTIONS = {
    "sgd": {"lr": 0.1, "momentum": 0.9},
    "adagrad": {"lr": 0.1, "warmup": 2},
    "adam": {"lr": 0.1},
    "adamax": {"lr": 0.1},
}
EVERY = pytest.mark.parametrize("name", OPTIMIZERS)


def make(name, parameters, **options):
    return OPTIMIZERS[name](parameters, **OPTIONS[name], **options)


def assert_same(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_array_equal(a, b, strict=True)


def test_every_optimizer_is_here():
    assert set(OPTIONS) == set(OPTIMIZERS)


# --------------------------------------------------------------------- steps


@EVERY
def test_steps_change_the_parameters_own_arrays(name, backend_name):
    problem = Problem()
    parameters = problem.parameters(backend_name)
    optimizer = make(name, parameters)
    arrays = [p.data for p in parameters]
    found = problem.run(optimizer)
    assert all(p.data is array for p, array in zip(parameters, arrays, strict=True))
    assert all((a != b).any() for a, b in zip(found, problem.start, strict=True))
    assert all(p.requires_grad and p.node is None for p in parameters)


@EVERY
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1, "max_norm": 1.0}])
def test_every_backend_takes_the_same_steps(name, options, backend_name):
    problem = Problem("float64")
    found = problem.run(make(name, problem.parameters(backend_name), **options))
    for a, b in zip(found, problem.run(make(name, problem.parameters(), **options)), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@EVERY
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_parameters_and_state_keep_their_dtype(name, dtype, backend_name):
    problem = Problem(dtype)
    optimizer = make(name, problem.parameters(backend_name), weight_decay=0.1, max_norm=1.0)
    found = problem.run(optimizer)
    assert {x.dtype.name for x in (*found, *optimizer.state)} == {dtype}
    assert all(backend.backend_of(slot.data).name == backend_name for slot in optimizer.state)


@EVERY
def test_a_float64_gradient_leaves_a_float32_parameter_float32(name):
    p = Parameter(np.ones(3, np.float32))
    optimizer = make(name, [p])
    optimizer.step([tensor(np.ones(3))])
    assert {p.dtype.name, *(slot.dtype.name for slot in optimizer.state)} == {"float32"}


@EVERY
def test_a_step_makes_no_host_wait_and_no_float64(name):
    problem = Problem()
    optimizer = make(name, problem.parameters("strict"), weight_decay=0.1, max_norm=1.0)
    gradients = [tensor(backend.asarray(g, backend="strict")) for g in problem.noise[0]]
    counter = strict.counter
    with counter.forbid_synchronization(), counter.forbid_transfers(), counter.forbid_dtype("float64"):
        for _ in range(4):
            optimizer.step(gradients)


@EVERY
def test_the_gradients_are_left_as_they_were(name):
    problem = Problem()
    gradients = [tensor(g.copy()) for g in problem.noise[0]]
    make(name, problem.parameters(), weight_decay=0.1, max_norm=1.0).step(gradients)
    assert_same(values(gradients), problem.noise[0])


@EVERY
def test_the_factor_scales_the_step_size(name):
    problem = Problem(steps=1)
    halved, half = make(name, problem.parameters()), make(name, problem.parameters())
    half.lr /= 2
    for optimizer, factor in ((halved, 0.5), (half, 1.0)):
        for _ in range(4):
            optimizer.step([tensor(g) for g in problem.noise[0]], factor)
    assert_same(values(halved.parameters), values(half.parameters))


def test_weight_decay_is_the_gradient_of_a_squared_norm(rng):
    """lambda/2 |theta|^2 has the gradient lambda theta, beside the loss's."""
    start, g = rng.standard_normal((2, 5))
    for own in (g, np.zeros(5)):
        p = Parameter(start.copy())
        SGD([p], 0.1, weight_decay=0.5).step([tensor(own)])
        np.testing.assert_allclose(p.numpy(), start - 0.1 * (own + 0.5 * start), rtol=1e-14)


# ------------------------------------------------------------------- recorded


@EVERY
@pytest.mark.parametrize("options", [{}, {"weight_decay": 0.1, "max_norm": 1.0}])
def test_the_recorded_rule_gives_the_same_bits(name, options):
    problem = Problem(shapes=[(3, 5000), (7,)], steps=4)
    recorded, eager = (make(name, problem.parameters(), **options) for _ in range(2))
    with hooked(lambda *_: None):  # whoever watches sees every operation
        expected = problem.run(eager)
    assert_same(problem.run(recorded), expected)
    assert_same(recorded.state_dict().values(), eager.state_dict().values())


@EVERY
def test_without_recording_every_operation_runs_at_every_step(name, monkeypatch):
    problem = Problem(steps=4)
    steps = []
    for compile in (True, False):
        optimizer = make(name, problem.parameters(), compile=compile)
        update, calls = optimizer.update, []
        monkeypatch.setattr(optimizer, "update", lambda *a, f=update, c=calls, **k: c.append(1) or f(*a, **k))
        steps.append((values(optimizer.parameters), problem.run(optimizer), len(calls)))
    (_, recorded, once), (_, eager, always) = steps
    assert (once, always) == (1, 4)
    assert_same(recorded, eager)


@pytest.mark.parametrize("compile", [True, False])
def test_a_step_looks_at_each_parameter_a_few_times(compile, monkeypatch):
    """Not at all of them for each of them."""
    looks = []
    vector = Flat.vector.fget
    monkeypatch.setattr(Flat, "vector", property(lambda self: looks.append(1) or vector(self)))

    def looks_in_a_step(count):
        optimizer = Adam([Parameter(np.ones(2)) for _ in range(count)], compile=compile)
        gradients = [tensor(np.ones(2))] * count
        optimizer.step(gradients)
        looks.clear()
        optimizer.step(gradients)
        return len(looks)

    assert looks_in_a_step(30) == looks_in_a_step(3) <= 5


@EVERY
@pytest.mark.parametrize("block", [None, 4])
def test_gradients_and_parameters_need_not_be_contiguous(name, block, monkeypatch, backend_name):
    monkeypatch.setattr(backend.get_backend(backend_name), "cache_block", block)
    problem = Problem(shapes=[(7, 5)], steps=4)
    plain, other = problem.parameters(backend_name), problem.parameters(backend_name)
    other[0].data = backend.asarray(problem.start[0].T.copy(), backend=backend_name).T
    a, b = make(name, plain), make(name, other)
    for (g,) in problem.noise:
        a.step([tensor(backend.asarray(g, backend=backend_name))])
        b.step([tensor(backend.asarray(g.T.copy(), backend=backend_name).T)])
    assert (plain[0].numpy() != problem.start[0]).all()
    np.testing.assert_array_equal(plain[0].numpy(), other[0].numpy())


@EVERY
def test_a_parameter_without_elements(name):
    make(name, [Parameter(np.zeros((0, 3), np.float32))], max_norm=1.0).step([tensor(np.zeros((0, 3), np.float32))])


# ------------------------------------------------------------------ clipping


def test_clipping_keeps_the_direction_and_caps_the_norm(backend_name):
    gradients = Problem("float64").noise[0]
    found = values(clip_by_norm([tensor(g, backend=backend_name) for g in gradients], 0.5))
    assert joint_norm(found) == pytest.approx(0.5, rel=1e-6)
    for a, g in zip(found, gradients, strict=True):
        np.testing.assert_allclose(a, g * (0.5 / joint_norm(gradients)), rtol=1e-6)


def test_a_tiny_norm_is_clipped_as_by_pytorch():
    """By max_norm / (norm + 1e-6)."""
    (found,) = clip_by_norm([tensor(np.array([3e-6, 4e-6]))], 1e-6)
    np.testing.assert_allclose(found.numpy(), np.array([3e-6, 4e-6]) / 6, rtol=1e-12)


def test_clipping_leaves_short_gradients_alone(backend_name):
    gradients = Problem().noise[0]
    assert_same(values(clip_by_norm([tensor(g, backend=backend_name) for g in gradients], 100.0)), gradients)


def test_clipping_of_zero_and_of_nan(backend_name):
    zero, nan = (tensor(np.full(3, x, np.float32), backend=backend_name) for x in (0.0, math.nan))
    assert not clip_by_norm([zero], 1.0)[0].numpy().any()
    assert np.isnan(clip_by_norm([nan], 1.0)[0].numpy()).all()


# --------------------------------------------------------------------- state


@EVERY
def test_a_resumed_optimizer_goes_on_as_if_uninterrupted(name, backend_name):
    problem = Problem()
    whole = make(name, problem.parameters(backend_name))
    expected = problem.run(whole)
    first = make(name, problem.parameters(backend_name))
    middle = problem.run(first, range(5))
    saved = first.state_dict()
    second = make(name, [Parameter(backend.asarray(p, backend=backend_name)) for p in middle])
    second.load_state_dict(saved)
    assert_same(problem.run(second, range(5, 10)), expected)
    assert_same(second.state_dict().values(), whole.state_dict().values())


@EVERY
def test_state_is_named_and_copied(name):
    problem = Problem()
    optimizer = make(name, problem.parameters())
    problem.run(optimizer, range(3))
    state = optimizer.state_dict()
    slots = {f"{slot}.{i}": shape for i, shape in enumerate(SHAPES) for slot in optimizer.slots}
    assert {key: value.shape for key, value in state.items()} == {"count": ()} | slots
    before = {key: value.copy() for key, value in state.items()}
    problem.run(optimizer, range(3, 5))
    assert_same(state.values(), before.values())
    assert all(type(value) is np.ndarray for value in state.values())


@EVERY
def test_a_state_is_loaded_whole_or_not_at_all(name):
    problem = Problem()
    optimizer = make(name, problem.parameters())
    problem.run(optimizer, range(3))
    before, slot = optimizer.state_dict(), optimizer.slots[-1]
    ones = {key: np.ones_like(value) for key, value in before.items()}
    last = f"{slot}.2"
    faults = [
        ({key: value for key, value in ones.items() if key != last}, f"missing {last}"),
        (ones | {"other": np.ones(1)}, "unexpected other"),
        (ones | {last: np.ones(4)}, rf"{last} has shape \(4,\), expected \(\)"),
        (ones | {last: np.array("text")}, "expected an array or numbers"),
        ({key: value for key, value in ones.items() if key != "count"}, "count None"),
        (ones | {"count": np.array(-1)}, "count -1"),
        (ones | {"count": np.array(1.5)}, r"count 1\.5"),
        (ones | {"count": np.array([1])}, r"count \[1\]"),
    ]
    for state, message in faults:
        with pytest.raises(InputError, match=message):
            optimizer.load_state_dict(state)
        assert_same(optimizer.state_dict().values(), before.values())


def test_the_error_names_the_optimizer():
    problem = Problem()
    with pytest.raises(InputError, match=r"does not fit Adam: missing m\.0; missing m\.1; .*unexpected velocity\.0"):
        Adam(problem.parameters()).load_state_dict(SGD(problem.parameters()).state_dict())


# ----------------------------------------------------------------- bad input


@EVERY
def test_gradients_that_do_not_fit_are_refused_before_the_step(name):
    problem = Problem()
    optimizer = make(name, problem.parameters())
    gradients = [tensor(g) for g in problem.noise[0]]
    for wrong in (gradients[:2], gradients[::-1], [*gradients, gradients[0]]):
        with pytest.raises(InputError, match=r"gradients have shapes .*; expected \[\(7, 5\), \(5,\), \(\)\]"):
            optimizer.step(wrong)
    assert optimizer.count == 0
    assert_same(values(optimizer.parameters), problem.start)
