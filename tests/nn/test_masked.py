"""Masks: what depends on what, at every size, and the layer's gradients."""

import numpy as np
import pytest

from minivae import backend
from minivae.autodiff import concatenate, jacobian, tensor
from minivae.gradcheck import check_gradients
from minivae.nn import MADE, MaskedLinear
from minivae.nn.masked import hidden_degrees


def dependence(network, size, context=None, which=0):
    """Which input each output depends on, ``(outputs * size, size)``, at a random point."""
    x = tensor(np.random.default_rng(1).normal(size=size))
    rows = [jacobian(lambda x, k=k: network(x, context, which)[k])(x).numpy() for k in range(network.outputs)]
    return np.concatenate(rows) != 0


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize("hidden", [(), (20,), (9, 30), (25, 8, 16)])
@pytest.mark.parametrize("outputs", [1, 2])
def test_output_i_depends_on_the_inputs_before_i_and_on_no_others(size, hidden, outputs):
    network = MADE(size, hidden, backend.generator(0), outputs=outputs, dtype="float64")
    expected = np.tile(np.tril(np.ones((size, size), bool), -1), (outputs, 1))
    np.testing.assert_array_equal(dependence(network, size), expected)


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize("hidden", [(), (3,), (30, 25)])
@pytest.mark.parametrize("direct", [False, True])
@pytest.mark.parametrize("random_orders", [False, True])
def test_of_drawn_sets_output_i_depends_on_what_is_before_i_in_their_order(size, hidden, direct, random_orders):
    """On nothing else; with direct connections on all of it, whatever the hidden units see."""
    options = {"outputs": 2, "dtype": "float64", "direct": direct, "random_orders": random_orders}
    network = MADE(size, hidden, backend.generator(3), sets=4, **options)
    orders = set()
    for k in range(4):
        order = network.order(k).numpy()
        orders.add(tuple(order))
        assert sorted(order) == list(range(1, size + 1))
        before = np.tile(order[:, None] > order, (2, 1))
        found = dependence(network, size, which=k)
        assert not found[~before].any()
        assert not (direct or not hidden) or found[before].all()
    assert (len(orders) > 1) == (random_orders and size > 1)


@pytest.mark.parametrize(("size", "width"), [(1, 3), (4, 3), (3, 4)])
@pytest.mark.parametrize("hidden", [(), (20,), (9, 15)])
@pytest.mark.parametrize("drawn", [{}, {"sets": 2, "random_orders": True}, {"direct": True}])
def test_the_numbers_of_a_one_hot_input_are_seen_together_or_not_at_all(size, width, hidden, drawn):
    """Those of input i by the outputs of later inputs alone; ``together`` has the outputs of an input end to end."""
    options = {"outputs": width, "width": width, "dtype": "float64", **drawn}
    network = MADE(size, hidden, backend.generator(3), **options)
    x = tensor(np.random.default_rng(1).normal(size=size * width))
    for which in range(network.sets):
        found = jacobian(lambda x, which=which: network.together(x, None, which))(x).numpy()
        depends = (found.reshape(size, width, size, width) != 0).transpose(0, 2, 1, 3).reshape(size, size, -1)
        order = network.order(which).numpy()
        before = order[:, None] > order
        assert not depends[~before].any()
        assert ("sets" in drawn) or depends[before].all()
        apart = np.stack([part.numpy() for part in network(x, None, which)], axis=-1)
        np.testing.assert_array_equal(network.together(x, None, which).numpy(), apart.ravel())


def test_sets_of_masks_differ_and_every_hidden_unit_sees_something():
    network = MADE(7, (12, 9), backend.generator(0), sets=3)
    inputs, *hidden, _ = (layer.numpy() for layer in network.degrees)
    for degrees, below in zip(hidden, (inputs, hidden[0]), strict=True):
        assert (degrees.min(axis=1) >= below.min(axis=1)).all()
        assert degrees.max() == 6
        assert len(np.unique(degrees, axis=0)) == 3


def test_direct_connections_are_there_without_any_hidden_unit_between():
    """The last layer has the inputs beside the hidden units; with hidden weights of 0 it is a logistic regression."""
    network = MADE(5, (4,), backend.generator(0), direct=True, dtype="float64")
    first, last = network.layers
    first.weight.data[...] = 0.0
    x = np.random.default_rng(0).normal(size=(3, 5))
    expected = x @ np.triu(last.weight.numpy()[4:], 1) + last.bias.numpy()
    np.testing.assert_allclose(network(x)[0].numpy(), expected, rtol=1e-12)


def test_of_one_set_in_the_own_order_nothing_is_drawn_and_nothing_is_state():
    plain, drawn = (MADE(4, (6,), backend.generator(1), random_orders=on) for on in (False, True))
    assert plain.state_dict().keys() == {f"layers.{i}.{name}" for i in (0, 1) for name in ("weight", "bias")}
    assert drawn.state_dict().keys() == plain.state_dict().keys() | {f"degrees.{i}" for i in range(3)}


def by_hand(network, degrees, x, context):
    """A perceptron of two layers under masks, which the degrees of its units give."""
    below, hidden, outputs = degrees
    (first, last), c = ([(a.weight.numpy(), a.bias.numpy()) for a in network.layers], network.context)
    h = x @ (first[0] * (below[:, None] <= hidden)) + first[1] + context @ c.weight.numpy() + c.bias.numpy()
    return np.split(np.tanh(h) @ (last[0] * (hidden[:, None] < outputs)) + last[1], 2, axis=-1)


@pytest.mark.parametrize("sets", [1, 2])
def test_numbers_and_gradients_are_those_of_a_perceptron_under_masks(sets, rng):
    network = MADE(3, (5,), backend.generator(0), outputs=2, context_dim=2, sets=sets, init="paper", dtype="float64")
    for p in network.parameters():
        p.data[...] = rng.normal(size=p.shape)
    x, context = rng.normal(size=(2, 3)), rng.normal(size=(2, 2))
    own = [np.array([1, 2, 3]), hidden_degrees(3, 5), np.array([1, 2, 3, 1, 2, 3])]
    for which in range(sets):
        degrees = [layer.numpy()[which] for layer in network.degrees] or own
        np.testing.assert_array_equal(network.order(which).numpy(), degrees[0])
        found = network(x, context, which)
        np.testing.assert_allclose([y.numpy() for y in found], by_hand(network, degrees, x, context), rtol=1e-12)
    check_gradients(lambda x, context, *_: concatenate(network(x, context)), [x, context, *network.parameters()])


def test_every_output_depends_on_the_context():
    network = MADE(4, (11,), backend.generator(0), outputs=2, context_dim=3, dtype="float64")
    x, context = tensor(np.ones((2, 4))), tensor(np.ones((2, 3)))
    for before, after in zip(network(x, context), network(x, context + 1.0), strict=True):
        assert (before.numpy() != after.numpy())[:, 1:].all()


def test_degrees_are_spread_evenly_and_none_sees_everything():
    np.testing.assert_array_equal(hidden_degrees(4, 6), [1, 1, 2, 2, 3, 3])
    np.testing.assert_array_equal(hidden_degrees(1, 3), [1, 1, 1])
    assert set(hidden_degrees(784, 500)) <= set(range(1, 784))


def test_a_masked_weight_has_no_say_and_no_gradient(rng):
    mask = np.array([[1, 0], [1, 1], [0, 1]])
    layer = MaskedLinear(mask, backend.generator(0), dtype="float64")
    x = rng.normal(size=(4, 3))
    expected = x @ (layer.weight.numpy() * mask) + layer.bias.numpy()
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-12)
    (found,) = (jacobian(lambda w: _with(layer, w)(x).sum())(layer.weight).numpy(),)
    np.testing.assert_array_equal(found != 0, mask)
    check_gradients(lambda *_: layer(x), layer.parameters())


def _with(layer, weight):
    layer.weight = weight
    return layer


def test_the_mask_is_no_state():
    assert MaskedLinear(np.ones((3, 2)), backend.generator(0)).state_dict().keys() == {"weight", "bias"}
