"""assign writes into the parameter's own array, and nothing else does."""

import numpy as np
import pytest

from minivae.autodiff import Parameter, assign, backward, grad, tensor
from minivae.errors import InputError

from ..doubles.strict_device import strict


def test_assign_writes_in_place(backend_name):
    p = Parameter(tensor([1.0, 2.0], backend=backend_name).data)
    array = p.data
    result = assign(p, p * 3.0)
    assert p.data is array
    assert result.data is array
    assert p.numpy().tolist() == [3.0, 6.0]


def test_no_gradient_flows_through_an_assignment():
    p, q = Parameter(np.ones(2)), Parameter(np.ones(2))
    result = assign(p, q * 2.0)
    assert not result.requires_grad
    assert result.node is None
    assert p.node is None
    assert backward((result * q).sum(), [q])[0].numpy().tolist() == [2.0, 2.0]


def test_what_is_differentiated_is_not_assigned():
    p = Parameter(np.ones(2))
    with pytest.raises(InputError, match=r"is being differentiated .* constant: x\.detach\(\)"):
        grad(lambda x: (assign(p, x * 2.0) * x).sum())(np.array([1.0, 2.0]))
    assert p.numpy().tolist() == [1.0, 1.0]
    g = grad(lambda x: (assign(p, (x * 2.0).detach()) * x).sum())(np.array([1.0, 2.0]))
    assert g.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("value", [5.0, np.float64(5.0), np.array([5.0, 5.0]), [5.0, 5.0]])
def test_values_take_the_dtype_of_the_target(value):
    p = Parameter(np.float32([1.0, 2.0]))
    assign(p, value)
    assert p.dtype == np.float32
    assert p.numpy().tolist() == [5.0, 5.0]


def test_assignment_stays_on_the_device():
    p = Parameter(tensor([1.0, 2.0], backend="strict").data)
    with strict.counter.forbid_synchronization(), strict.counter.forbid_transfers():
        assign(p, p - p * 0.5)
    assert p.numpy().tolist() == [0.5, 1.0]


def test_shapes_must_fit():
    with pytest.raises(InputError, match=r"assign: target is \(2,\) .*, value is \(3,\)"):
        assign(Parameter(np.ones(2)), tensor(np.ones(3)))
