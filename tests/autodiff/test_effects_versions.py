"""Memory that is assigned to between forward and backward is noticed, where a rule reads it, and nowhere else."""

import gc

import numpy as np
import pytest

import minivae.autodiff as ad
from minivae import backend
from minivae.autodiff import Parameter, assign, backward, effects, exp, reshape, sin, tensor
from minivae.autodiff.tape import assignments
from minivae.compiler import compile
from minivae.errors import InputError
from minivae.nn import Linear
from minivae.optim import SGD, Adam

GONE = r"assign\(\) \(an optimizer's step\?\) has overwritten it since; call backward before that"


def parameters(where="numpy", count=2):
    rng = np.random.default_rng(0)
    return [Parameter(backend.asarray(rng.normal(size=3), backend=where)) for _ in range(count)]


# What is computed from p and q, whether a rule then reads p, and what the message calls it.
READ_P = {
    "a factor": (lambda p, q: p * q, "multiply needs a"),
    "an argument": (lambda p, q: sin(p) + q, "sin needs x"),
    "of a view of it": (lambda p, q: sin(reshape(p, (3, 1)))[:, 0] * q, "sin needs x"),
    "a divisor": (lambda p, q: q / p, "divide needs b"),
    "both factors": (lambda p, q: p * p + q, "multiply needs b"),
}
NOT_READ = {
    "a term": lambda p, q: p + q,
    "an argument whose result is what is needed": lambda p, q: exp(p) + q,
    "times a number": lambda p, q: p * 2.0 - q,
    "summed and reshaped": lambda p, q: reshape(p, (3, 1)).sum() + q.sum() + p[1],
}


@pytest.mark.parametrize("label", READ_P)
def test_an_overwritten_value_that_a_rule_reads_is_refused(label, backend_name):
    f, what = READ_P[label]
    p, q = parameters(backend_name)
    y = f(p, q).sum()
    assign(p, p * 2.0)
    with pytest.raises(InputError, match=rf"the derivative of {what}, \(3,.*\) float64, as it was when it ran.*{GONE}"):
        backward(y, [p, q])


@pytest.mark.parametrize("label", NOT_READ)
def test_an_overwritten_value_that_no_rule_reads_is_no_matter(label, backend_name):
    p, q = parameters(backend_name)
    expected = [g.numpy() for g in backward(NOT_READ[label](p, q).sum(), [p, q])]
    y = NOT_READ[label](p, q).sum()
    assign(p, p * 2.0)
    for create_graph in (True, False):
        for found, right in zip(backward(y, [p, q], create_graph=create_graph), expected, strict=True):
            np.testing.assert_array_equal(found.numpy(), right)


def test_only_what_is_asked_for_counts():
    p, q = parameters()
    y = (p * q).sum()
    assign(p, p * 2.0)
    np.testing.assert_array_equal(backward(y, [p], retain_graph=True)[0].numpy(), q.numpy())
    with pytest.raises(InputError, match="multiply needs a"):
        backward(y, [q])


def test_a_result_that_is_overwritten_is_noticed():
    (p,) = parameters(count=1)
    y = exp(p)
    z = y.sum()
    assign(y, 0.0)
    with pytest.raises(InputError, match="the derivative of exp needs its result"):
        backward(z, [p])


@pytest.mark.parametrize("f", [lambda p, i: p[i], lambda p, i: ad.take(p, i)])
def test_an_index_that_is_overwritten_is_noticed(f):
    p, i = Parameter(np.arange(4.0)), tensor(np.array([0, 1]))
    y = f(p, i).sum()
    assign(i, np.array([2, 3]))
    with pytest.raises(InputError, match=r"needs (index|indices), \(2,\) int64"):
        backward(y, [p])


# ------------------------------------------------------------------- by memory


@pytest.mark.parametrize(("part", "noticed"), [(slice(0, 2), False), (slice(2, 4), True), (slice(3, 1, -1), True)])
def test_overlapping_memory_counts_whoever_wrote_it(part, noticed, backend_name):
    vector = backend.asarray(np.arange(6.0), backend=backend_name)
    p = Parameter(vector[3:6])
    y = (p * p).sum()
    assign(tensor(vector[part]), 7.0)
    if noticed:
        with pytest.raises(InputError, match=GONE):
            backward(y, [p])
    else:
        np.testing.assert_array_equal(backward(y, [p])[0].numpy(), [6.0, 8.0, 10.0])


def test_columns_and_nothing():
    matrix = np.arange(12.0).reshape(3, 4)
    p, nothing = Parameter(matrix[:, 1]), Parameter(matrix[:0])
    y, z = (p * p).sum(), (nothing * nothing).sum()
    assign(tensor(matrix[:, 2]), 0.0)  # lies between the elements of p, and is taken for them, as by may_share_memory
    with pytest.raises(InputError, match=GONE):
        backward(y, [p])
    assert backward(z, [nothing])[0].shape == (0, 4)


def test_an_optimizer_s_step_is_noticed(backend_name):
    """It writes one vector, of which the parameters are views."""
    p, q = parameters(backend_name)
    optimizer = SGD([p, q], 0.1)
    y = (p * q).sum()
    gradients = backward(y, [p, q], retain_graph=True)
    optimizer.step(gradients)
    with pytest.raises(InputError, match=GONE):
        backward(y, [p, q])


def test_a_step_over_other_parameters_is_no_matter(backend_name):
    """Also if they lie in the same vector."""
    p, q, r = parameters(backend_name, 3)
    SGD([p, q, r], 0.1)
    other = SGD([r], 0.1)
    y = (p * q).sum()
    other.step(backward((r * r).sum(), [r]))
    np.testing.assert_array_equal(backward(y, [p])[0].numpy(), q.numpy())


def test_a_replayed_step_is_noticed(backend_name):
    (p,) = parameters(backend_name, 1)
    step = compile(lambda: assign(p, p * 2.0))
    step()
    y = (p * p).sum()
    step()
    with pytest.raises(InputError, match=GONE):
        backward(y, [p])


def test_a_loaded_state_is_noticed(rng):
    layer = Linear(2, 2, backend.generator(0))
    y = (layer(tensor(np.float32([[1.0, 2.0]]))) * layer.weight).sum()
    layer.load_state_dict(layer.state_dict())
    with pytest.raises(InputError, match=GONE):
        backward(y, [layer.weight])


def test_derivatives_of_gradients_are_held_to_it_too():
    (p,) = parameters(count=1)
    (g,) = backward((p * p * p).sum(), [p], create_graph=True)
    assign(p, p * 2.0)
    with pytest.raises(InputError, match=GONE):
        backward(g.sum(), [p])


def test_training_is_silent(backend_name):
    p, q = parameters(backend_name)
    first, second = Adam([p], 0.1), Adam([q], 0.1)
    for _ in range(3):
        y = exp(p * q).sum()
        g, h = backward(y, [p], retain_graph=True), backward(y * 2.0, [q])
        first.step(g)
        second.step(h)


# ------------------------------------------------------------------- the table


def test_the_table_forgets_arrays_that_are_gone():
    gc.collect()
    before = len(effects._stretches), len(effects._inside)
    for _ in range(50):
        assign(tensor(np.zeros(3)), 1.0)
    gc.collect()
    assert (len(effects._stretches), len(effects._inside)) == before


def test_a_view_that_is_gone_has_written_all_the_same():
    (p,) = parameters(count=1)
    y = (p * p).sum()
    assign(tensor(p.data[1:2]), 5.0)
    gc.collect()
    with pytest.raises(InputError, match=GONE):
        backward(y, [p])


def test_assignments_cost_a_look_into_a_table():
    array = np.zeros(3)
    effects.note_assigned(array)
    stretch = effects._stretches[id(array)]
    effects.note_assigned(array)
    assert effects._stretches[id(array)] is stretch
    assert stretch.last == assignments.count
    assert effects.assigned_since(array, stretch.last - 1)
    assert not effects.assigned_since(array, stretch.last)
