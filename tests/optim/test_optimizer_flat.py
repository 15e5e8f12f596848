"""Parameters in one vector: shared memory, optimizers side by side, and what is refused."""

import numpy as np
import pytest

from minivae import backend, compile, nn
from minivae.autodiff import Parameter, backward, tensor
from minivae.autodiff import sum as sum_
from minivae.errors import InputError
from minivae.optim import SGD, Adam
from minivae.optim.optimizer import Flat

from .problem import Problem, values


def test_the_arrays_become_views_of_the_vector_with_the_same_values(backend_name):
    problem = Problem()
    parameters = problem.parameters(backend_name)
    vector = Flat(parameters).vector
    np.testing.assert_array_equal(vector.numpy(), np.concatenate([x.ravel() for x in problem.start]))
    vector.data[...] = 3.0
    assert all((p.numpy() == 3.0).all() and p.shape == x.shape for p, x in zip(parameters, problem.start, strict=True))


def test_the_vector_is_one_parameter_also_when_the_arrays_have_been_moved():
    """Who holds it, as a recorded step does, holds what the parameters are now."""
    parameters = Problem().parameters()
    flat = Flat(parameters)
    vector = flat.vector
    assert isinstance(vector, Parameter)
    Flat(parameters[::-1])
    assert flat.vector is vector


def test_parts_are_views_end_to_end():
    flat = Flat(Problem().parameters())
    vector = np.arange(flat.vector.size, dtype=np.float32)
    parts = list(flat.parts(vector))
    assert [part.shape for part in parts] == [p.shape for p in flat.parameters]
    assert all(np.shares_memory(part, vector) for part in parts)
    np.testing.assert_array_equal(np.concatenate([part.ravel() for part in parts]), vector)


def test_parameters_end_to_end_stay_where_they_are():
    parameters = Problem().parameters()
    whole = Flat(parameters)
    arrays = [p.data for p in parameters]
    for some in (parameters, parameters[:2], parameters[1:], parameters[2:]):
        assert np.shares_memory(Flat(some).vector.data, whole.vector.data)
    assert all(p.data is array for p, array in zip(parameters, arrays, strict=True))


@pytest.mark.parametrize("order", [[1, 0, 2], [0, 2]])
def test_in_another_order_or_with_a_gap_they_are_moved_and_the_first_vector_follows(order):
    parameters = Problem().parameters()
    first = Flat(parameters)
    second = Flat([parameters[i] for i in order])
    expected = np.concatenate([p.numpy().ravel() for p in parameters])
    np.testing.assert_array_equal(first.vector.numpy(), expected)
    first.vector.data[...] = 1.0
    assert all((p.numpy() == 1.0).all() for p in parameters)
    second.vector.data[...] = 2.0
    assert all((parameters[i].numpy() == 2.0).all() for i in order)


def test_two_optimizers_over_parts_of_the_same_parameters_take_turns():
    """Whoever moved them last, each step changes the parameters' own arrays."""
    parameters = Problem().parameters()
    start = values(parameters)
    ones = [tensor(np.ones_like(x)) for x in start]
    whole, some = SGD(parameters, 1.0), SGD([parameters[2], parameters[0]], 1.0)
    for _ in range(2):
        whole.step(ones)
        some.step([ones[2], ones[0]])
    for p, x, steps in zip(parameters, start, (4, 2, 4), strict=True):
        np.testing.assert_allclose(p.numpy(), x - steps, atol=1e-6)


def test_a_recorded_step_follows_parameters_that_are_moved():
    p = Parameter(np.ones(3, np.float32))
    total = compile(lambda x: sum_(p * x))
    x = np.ones(3, np.float32)
    assert float(total(x)) == float(total(x)) == 3.0
    optimizer = SGD([p], 0.5)
    optimizer.step([tensor(x)])
    assert float(total(x)) == float(total(x)) == 1.5


def test_what_cannot_be_one_vector_is_refused():
    p = Parameter(np.ones(3, np.float32))
    with pytest.raises(InputError, match="parameters is empty"):
        Flat([])
    with pytest.raises(InputError, match="names one parameter twice"):
        Flat([p, p])
    with pytest.raises(InputError, match="float32 on numpy and float64 on numpy; expected one dtype"):
        Flat([p, Parameter(np.ones(3))])
    with pytest.raises(InputError, match="float32 on numpy and float32 on strict"):
        Flat([p, Parameter(backend.asarray(np.ones(3, np.float32), backend="strict"))])


def test_each_keeps_its_order_in_memory(rng):
    """What is stored by columns lies by columns in the vector, and takes its gradient as matmul makes it."""
    start = rng.standard_normal((3, 5)).astype(np.float32)
    by_rows, by_columns = Parameter(start.copy()), Parameter(start.T.copy().T)
    flat = Flat([by_rows, by_columns])
    np.testing.assert_array_equal(flat.vector.numpy(), np.concatenate([start.ravel(), start.T.ravel()]))
    assert by_columns.data.flags.f_contiguous
    assert not by_columns.data.flags.c_contiguous
    for part in flat.parts(np.arange(30, dtype=np.float32)):
        assert part.shape == (3, 5)
    x, g = rng.standard_normal((4, 3)).astype(np.float32), rng.standard_normal((4, 5)).astype(np.float32)
    (gradient,) = backward(tensor(x) @ by_columns, [by_columns], tensor(g))
    assert gradient.data.strides == by_columns.data.strides
    np.testing.assert_allclose(gradient.numpy(), x.T @ g, rtol=1e-5)
    SGD([by_rows, by_columns], 1.0).step([gradient, gradient])
    np.testing.assert_array_equal(by_rows.numpy(), by_columns.numpy())


def test_a_kernel_keeps_its_order_too():
    """That of its gradient, also where an axis has length 1."""
    for channels in (1, 4):
        layer = nn.Conv2d(channels, 6, (3, 2), backend.generator(0), backend="numpy")
        start = layer.weight.numpy()
        flat = Flat(layer.parameters())
        x = tensor(np.ones((2, channels, 5, 5), np.float32))
        (gradient,) = backward(sum_(layer(x)), [layer.weight])
        assert gradient.data.strides == layer.weight.data.strides == next(flat.parts(flat.vector.data)).strides
        np.testing.assert_array_equal(layer.weight.numpy(), start)
        np.testing.assert_array_equal(flat.vector.numpy()[: start.size], start.transpose(2, 3, 1, 0).ravel())


@pytest.mark.parametrize("first", ["C", "F"])
def test_an_array_in_another_order_takes_the_same_steps(first, rng):
    """A parameter given another array after some steps: gradients, moments and elements still belong together."""
    start, second = rng.standard_normal((2, 3, 5)).astype(np.float32)
    gradients = [tensor(g) for g in rng.standard_normal((4, 3, 5)).astype(np.float32)]
    found = []
    for later in "CF":
        p = Parameter(np.array(start, order=first))
        optimizer = Adam([p], 0.1)
        for i, g in enumerate(gradients):
            if i == 2:
                p.data = np.array(second, order=later)
            if i == 3:  # another optimizer puts it elsewhere
                SGD([p, Parameter(np.ones(2, np.float32))], 0.1)
            optimizer.step([g])
        found.append((p.numpy().copy(), *optimizer.state_dict().values()))
    for a, b in zip(*found, strict=True):
        np.testing.assert_array_equal(a, b)
